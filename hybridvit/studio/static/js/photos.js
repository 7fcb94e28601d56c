/** The photographs: a strip of those of the folder and those brought in, and the ways to bring some in. */

import { icon, make } from "./dom.js";

/**
 * @param {object} parts
 * @param {import("./api.js").Api} parts.api
 * @param {object} parts.store
 * @param {import("./messages.js").Messages} parts.messages
 * @param {HTMLElement} parts.strip
 * @param {HTMLElement} parts.viewport where the drop zone is as long as there is no photo
 */
export function createPhotos({ api, store, messages, strip, viewport }) {
    const events = new EventTarget();
    let photos = [];
    let opening = null; // id
    const pick = make("input", {
        type: "file",
        accept: "image/*,.tif,.tiff,.heic,.heif,.avif,.jp2,.pgm,.pnm",
        multiple: true,
        class: "unseen",
        tabindex: "-1",
        "aria-label": "Photos to add",
        data: { testid: "file" },
    });
    const list = make("ul", { class: "strip-list" });
    const add = make(
        "button",
        {
            type: "button",
            class: "strip-add",
            title: "Add photos (O), or drop them anywhere",
            on: { click: () => pick.click() },
        },
        icon("photo-add"),
        make("span", { text: "Add" }),
    );
    const empty = createDropZone(() => pick.click());
    strip.append(add, list, pick);
    viewport.append(empty.element);

    const emit = (name) => events.dispatchEvent(new CustomEvent(name));
    const current = () => opening ?? store.photo?.id ?? null;

    function show() {
        list.replaceChildren(...photos.map(item));
        mark();
    }

    function item(photo) {
        const open = make(
            "button",
            {
                type: "button",
                class: "strip-photo",
                title: photo.name,
                data: { id: photo.id },
                on: { click: () => openPhoto(photo.id) },
            },
            make("img", {
                src: api.thumbnailUrl(photo.id),
                alt: "",
                loading: "lazy",
                decoding: "async",
                draggable: "false",
            }),
            make("span", { class: "strip-name", text: photo.name }),
            make("span", { class: "strip-hints" }),
        );
        const parts = [open];
        if (photo.source === "upload") {
            const label = `Remove ${photo.name} from the studio`;
            const properties = { type: "button", class: "strip-remove", "aria-label": label, title: label };
            parts.push(make("button", { ...properties, on: { click: () => askToRemove(photo) } }, icon("close")));
        }
        return make("li", {}, ...parts);
    }

    function mark() {
        const id = current();
        for (const button of list.querySelectorAll(".strip-photo")) {
            const photo = photos.find((one) => one.id === button.dataset.id);
            const count = photo.id === store.photo?.id ? store.recipe.hints.length : (photo.hints ?? 0);
            const badge = button.querySelector(".strip-hints");
            if (badge.textContent !== (count ? String(count) : "")) badge.textContent = count || "";
            badge.setAttribute("aria-label", count ? `${count} ${count === 1 ? "hint" : "hints"}` : "");
            photo.hints = count;
            if (photo.id === id) {
                button.setAttribute("aria-current", "true");
            } else button.removeAttribute("aria-current");
        }
        document.body.toggleAttribute("data-empty", !store.photo);
        empty.element.hidden = id !== null;
        empty.setFolder(photos.length > 0);
        emit("change");
    }

    async function refresh() {
        photos = (await messages.guard(api.photos())) ?? photos;
        show();
    }

    async function openPhoto(id) {
        if (id === current() && opening) return;
        opening = id;
        mark();
        const opened = await messages.guard(store.open(id), "open");
        if (opened) messages.close("open");
        if (opening !== id) return;
        opening = null;
        if (opened) history.replaceState(null, "", `#${encodeURIComponent(id)}`);
        mark();
        scrollToCurrent();
    }

    /** Not by scrollIntoView: the next Tab would start from there. */
    function scrollToCurrent() {
        const [frame, photo] = [list, list.querySelector("[aria-current]")].map((one) => one?.getBoundingClientRect());
        if (photo) list.scrollBy({ left: photo.left + photo.width / 2 - frame.left - frame.width / 2 });
    }

    /** @param {Iterable<File>} files uploaded one after the other; the first is opened */
    async function addFiles(files) {
        let first = null;
        for (const file of files) {
            emit("change");
            messages.remark(`Reading ${file.name} …`, { key: "adding", closable: false });
            const photo = await messages.guard(api.addPhoto(file, file.name));
            if (photo && first === null) {
                first = photo.id;
                openPhoto(photo.id);
            }
        }
        messages.close("adding");
        if (first !== null) await refresh();
    }

    function askToRemove(photo) {
        const count = photo.hints ? ` with its ${photo.hints} ${photo.hints === 1 ? "hint" : "hints"}` : "";
        messages.remark(`Remove ${photo.name}${count} from the studio?`, {
            key: "remove",
            actions: [
                { label: "Remove", run: () => remove(photo) },
                { label: "Keep", run: () => {} },
            ],
        });
    }

    async function remove(photo) {
        const done = await messages.guard(api.removePhoto(photo.id).then(() => true));
        if (!done) return;
        const wasOpen = photo.id === store.photo?.id;
        const at = photos.findIndex(({ id }) => id === photo.id);
        await refresh();
        messages.note(`${photo.name} is removed from the studio.`);
        const next = photos[Math.min(at, photos.length - 1)];
        if (wasOpen && next) openPhoto(next.id);
        else if (wasOpen) location.replace(location.pathname + location.search);
    }

    /** @param {1|-1} by */
    function step(by) {
        const at = photos.findIndex(({ id }) => id === current());
        const next = photos[at < 0 ? 0 : at + by];
        if (next) openPhoto(next.id);
    }

    pick.addEventListener("change", () => {
        addFiles([...pick.files]);
        pick.value = "";
    });
    receiveFiles(addFiles);
    store.addEventListener("photo", mark);
    store.addEventListener("recipe", mark);

    return {
        addEventListener: events.addEventListener.bind(events),
        refresh,
        open: openPhoto,
        step,
        addFiles,
        pick: () => pick.click(),
        /** @returns {object[]} as GET photos answers */
        get all() {
            return photos;
        },
        /** The id of the photo that is being opened, or null. */
        get opening() {
            return opening;
        },
        /** How many come before and after the one shown. */
        get around() {
            const at = photos.findIndex(({ id }) => id === current());
            return { before: Math.max(at, 0), after: at < 0 ? photos.length : photos.length - 1 - at };
        },
        setLimits: empty.setLimits,
    };
}

function createDropZone(pick) {
    const limits = make("p", { class: "empty-limits" });
    const canDrop = matchMedia("(hover: hover)").matches;
    const folder = make("p", { class: "empty-folder", text: "Or choose one of the folder below.", hidden: true });
    const element = make(
        "div",
        { class: "empty", hidden: true, data: { testid: "empty", overlay: "" } },
        icon("photo-add"),
        make("p", { class: "empty-title", text: canDrop ? "Drop a photograph here" : "Colour a photograph" }),
        make("p", { text: "paste one, or", hidden: !canDrop }),
        make("button", { type: "button", class: "button primary", text: "Choose photos …", on: { click: pick } }),
        folder,
        limits,
    );
    return {
        element,
        setFolder: (has) => (folder.hidden = !has),
        setLimits({ bytes, pixels }) {
            const most = `Up to ${Math.floor(bytes / 2 ** 20)} MB and ${Math.floor(pixels / 1e6)} megapixels.`;
            const promise = "It goes to this studio alone, and the original is never changed.";
            limits.textContent = `JPEG, PNG, TIFF, WebP and more. ${most} ${promise}`;
        },
    };
}

/** Files that are dropped anywhere on the page or pasted. */
function receiveFiles(addFiles) {
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    let depth = 0; // dragenter and dragleave come for every element on the way
    const mark = () => document.body.toggleAttribute("data-dropping", depth > 0);
    addEventListener("dragenter", (event) => {
        if (!hasFiles(event)) return;
        depth++;
        mark();
    });
    addEventListener("dragleave", (event) => {
        if (!hasFiles(event)) return;
        depth = Math.max(depth - 1, 0);
        mark();
    });
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    const reset = () => {
        depth = 0;
        mark();
    };
    addEventListener("drop", reset, { capture: true }); // also where a panel takes the file
    addEventListener("drop", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        addFiles([...event.dataTransfer.files]);
    });
    addEventListener("paste", (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (!files.length) return;
        event.preventDefault();
        addFiles(files);
    });
}
