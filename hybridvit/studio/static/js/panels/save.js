/** Saving the full-resolution file and the hints, and opening hints. */

import { icon, make } from "../dom.js";
import { whileBusy } from "./panel.js";

const NAMES = { png: "PNG", tiff: "TIFF", jpeg: "JPEG", webp: "WebP", avif: "AVIF", heic: "HEIC" };

/**
 * @param {object} parts
 * @returns {{element: HTMLElement, save: () => Promise<void>, setFormats: (formats: string[], output: string) => void}}
 */
export function createSave({ api, store, messages }) {
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
        link("picture", "Download picture", "download", download),
        link("hints", "Download hints", "download-sidecar", () => follow(api.sidecarUrl(store.photo.id))),
        link("Open hints …", "Open hints from a file", "open-sidecar", () => file.click()),
    ];
    const controls = [format, button, ...links];

    const fileOf = (path) => path.split(/[\\/]/).at(-1);
    const chosen = () => format.value || null;

    async function write() {
        outcome.textContent = "";
        const { id } = store.photo;
        const answer = await whileBusy(button, () =>
            messages.guard(
                settled().then(() => api.save(id, chosen())),
                "save",
            ),
        );
        if (answer) {
            const seconds = answer.seconds < 10 ? answer.seconds.toFixed(1) : Math.round(answer.seconds);
            const hints = answer.sidecar ? `; the hints are in ${fileOf(answer.sidecar)}` : "";
            outcome.textContent = `Saved in ${seconds} s as ${answer.file}${hints}.`;
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

    async function download() {
        const { id } = store.photo;
        if (await write()) follow(api.resultUrl(id, chosen()));
    }

    function follow(url) {
        const anchor = make("a", { href: url, download: "" });
        document.body.append(anchor);
        anchor.click();
        anchor.remove();
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

    button.addEventListener("click", write);
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
            make("div", { class: "links" }, make("span", { text: "Download" }), ...links, file),
        ),
        save: async () => void (store.photo && (await write())),
        setFormats(formats, output) {
            format.append(
                ...formats.map((name) => make("option", { value: name, text: NAMES[name] ?? name.toUpperCase() })),
            );
            where.textContent = output
                ? `At full resolution, into ${output}. Hints save themselves.`
                : "At full resolution. Hints save themselves.";
        },
    };
}
