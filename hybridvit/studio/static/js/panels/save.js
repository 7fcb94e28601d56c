/** Saving the full-resolution file and the hints, and opening hints. */

import { download as give, icon, make } from "../dom.js";
import { createFolderChoice } from "./folder_choice.js";
import { whileBusy } from "./panel.js";

const NAMES = { png: "PNG", tiff: "TIFF", jpeg: "JPEG", webp: "WebP", avif: "AVIF", heic: "HEIC" };

const UNWRITABLE = "unwritable"; // key of a message

/**
 * @param {object} parts
 * @returns {{element: HTMLElement, save: () => Promise<void>, saveOne: (id: string) => Promise<object>,
 *     chooseFolder: () => Promise<boolean>, setFormats: (info: object) => void}}
 */
export function createSave({ api, store, messages, photos }) {
    const format = make(
        "select",
        { id: "format", "aria-label": "Format", data: { testid: "format" } },
        make("option", { value: "", text: "Same format" }),
    );
    const button = make(
        "button",
        {
            type: "button",
            class: "button primary",
            data: { testid: "save" },
            title: "Save at full resolution (Ctrl+S)",
        },
        icon("save"),
        "Save",
    );
    const outcome = make("p", { class: "outcome", role: "status", data: { testid: "saved" } });
    const where = make("p", { class: "hint" });
    const file = make("input", {
        type: "file",
        accept: ".json,application/json",
        class: "unseen",
        tabindex: "-1",
        "aria-label": "Hints file",
        data: { testid: "sidecar-file" },
    });
    const link = (text, label, testid, run) =>
        make("button", {
            type: "button",
            class: "link",
            text,
            "aria-label": label,
            data: { testid },
            on: { click: run },
        });
    const links = [
        ...(api.isLocal ? [] : [link("picture", "Download picture", "download", download)]),
        link("hints", "Download hints", "download-sidecar", hints),
        link("Open hints …", null, "open-sidecar", () => file.click()),
    ];
    const approved = make("input", {
        type: "checkbox",
        id: "approved",
        data: { testid: "approved" },
        on: { change: () => photos.toggleApproved() },
    });
    photos.addEventListener("change", () => {
        approved.checked = photos.all.find(({ id }) => id === store.photo?.id)?.approved ?? false;
    });
    const choice = createFolderChoice(api);
    let folder = null; // that was chosen instead of the results' own
    let own = null; // where they go else
    const change = link("Another folder …", "Save into another folder …", "another-folder", () => chooseFolder());
    const restore = link("Back to its own folder", null, "own-folder", () => setFolder(null));
    const controls = [format, button, approved, change, ...links];

    const fileOf = (path) => path.split(/[\\/]/).at(-1);
    const chosen = () => format.value || null;

    /** Where the folder cannot be written, it offers what can be done. */
    async function ask(id, place) {
        try {
            return await api.save(id, chosen(), place, place === "folder" ? folder : null);
        } catch (error) {
            if (error.status !== 403) throw error;
            messages.error(error.message, {
                key: UNWRITABLE, // not that of `guard`, for which this went well
                actions: [
                    { label: "Another folder …", run: async () => (await chooseFolder()) && write() },
                    { label: "Save in the studio's folder", run: () => write("studio") },
                    { label: "Download", run: download },
                ],
            });
            return undefined;
        }
    }

    async function write(place = "folder") {
        outcome.textContent = "";
        messages.close(UNWRITABLE);
        const { id } = store.photo;
        const answer = await whileBusy(button, () => messages.guard(settled().then(() => ask(id, place)), "save"));
        if (answer) {
            if (place !== "download") photos.noteSaved(id);
            const seconds = answer.seconds < 10 ? answer.seconds.toFixed(1) : Math.round(answer.seconds);
            const hints = answer.sidecar ? `; the hints are in ${fileOf(answer.sidecar)}` : "";
            outcome.textContent =
                place === "download"
                    ? `Ready in ${seconds} s: your browser has it.`
                    : `Saved in ${seconds} s as ${answer.file}${hints}.`;
        }
        return answer;
    }

    /** Resolves when the server has the recipe that is on the screen. */
    function settled() {
        if (!store.busy) return Promise.resolve();
        return new Promise((resolve) => {
            store.addEventListener("busy", function check() {
                if (store.busy) return;
                store.removeEventListener("busy", check);
                resolve();
            });
        });
    }

    function setFolder(value) {
        folder = value;
        const into = folder ?? own;
        where.replaceChildren(
            api.isLocal ? "At full resolution. It stays on this device." : into ? `At full resolution, into ${into}. Hints save themselves.` : "At full resolution. Hints save themselves.",
        );
        restore.hidden = !folder;
    }

    /** Resolves to whether one was chosen. */
    async function chooseFolder() {
        const found = await choice.ask(folder);
        if (found) setFolder(found);
        return found !== null;
    }

    async function download() {
        const { id } = store.photo;
        if (await write("download")) await messages.guard(api.resultFile(id, chosen()).then(give), "save");
    }

    function hints() {
        const file = settled().then(() => api.sidecarFile(store.photo.id));
        return messages.guard(file.then(give), "save");
    }

    /** The server judges the file before anything is shown of it. */
    async function open(picked) {
        const { id } = store.photo;
        let sidecar;
        try {
            sidecar = JSON.parse(await picked.text());
        } catch {
            messages.error(`${picked.name} is no hints file: it is not JSON.`);
            return;
        }
        const opened = await messages.guard(
            api.putSidecar(id, sidecar).then(() => store.open(id)),
            "open-sidecar",
        );
        if (opened) messages.note(`The hints of ${picked.name} are opened; Undo takes them back.`);
    }

    const saveHere = () => (api.isLocal ? download() : write()); // without a server a file can but be downloaded
    button.addEventListener("click", saveHere);
    file.addEventListener("change", () => {
        if (file.files.length) open(file.files[0]);
        file.value = "";
    });
    const enable = () => controls.forEach((control) => (control.disabled = !store.photo));
    store.addEventListener("photo", () => {
        outcome.textContent = "";
        enable();
    });
    store.addEventListener("recipe", () => (outcome.textContent = ""));
    enable();

    return {
        element: make(
            "section",
            { class: "save", "aria-label": "Save" },
            make("div", { class: "row" }, format, button),
            outcome,
            where,
            make("label", { class: "switch", hidden: api.isLocal }, approved, make("span", { text: "Approved" })),
            make("div", { class: "links" }, make("span", { text: "Download" }), ...links, file),
            make("div", { class: "links", hidden: api.isLocal }, change, restore),
        ),
        /** Saves another photo. @param {string} id */
        saveOne: (id) => settled().then(() => api.save(id, chosen(), "folder", folder)),
        chooseFolder,
        save: async () => void (store.photo && (await saveHere())),
        setFormats({ formats, output, home }) {
            format.append(
                ...formats.map((name) => make("option", { value: name, text: NAMES[name] ?? name.toUpperCase() })),
            );
            choice.setHome(home);
            own = output;
            setFolder(null);
        },
    };
}
