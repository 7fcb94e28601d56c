/** The photographs of the folder and those brought in: which there are, which is open, and the ways to bring some in. */

import { createDropZone } from "./drop_zone.js";
import { make } from "./dom.js";
import { receiveFiles } from "./receive_files.js";

/**
 * @param {object} parts
 * @param {import("./api.js").Api} parts.api
 * @param {object} parts.store
 * @param {import("./messages.js").Messages} parts.messages
 * @param {HTMLElement} parts.viewport where the drop zone is as long as there is no photo
 */
export function createPhotos({ api, store, messages, viewport }) {
    const events = new EventTarget();
    const here = api.isLocal ? "this page" : "the studio";
    let photos = [];
    let opening = null; // id
    const lastFrames = new Map(); // by film
    const pick = make("input", {
        type: "file",
        accept: api.isLocal ? "image/*" : "image/*,.tif,.tiff,.heic,.heif,.avif,.jp2,.pgm,.pnm",
        multiple: true,
        class: "unseen",
        tabindex: "-1",
        "aria-label": "Photos to add",
        data: { testid: "file" },
    });
    const empty = createDropZone(() => pick.click(), api.isLocal);
    viewport.append(empty.element, pick);

    const emit = (name) => events.dispatchEvent(new CustomEvent(name));
    const openId = () => wholeOf(store.photo?.id);
    const current = () => wholeOf(opening) ?? openId();

    function mark() {
        const open = photos.find(({ id }) => id === openId());
        if (open && open.kind !== "film") open.hints = store.recipe.hints.length;
        document.body.toggleAttribute("data-empty", !store.photo);
        empty.element.hidden = current() !== null;
        empty.setFolder(photos.length > 0);
        emit("change");
    }

    async function refresh() {
        photos = (await messages.guard(api.photos())) ?? photos;
        emit("list");
        mark();
    }

    /** What of it is shown: of a film the frame that was open last, else where its hints begin. */
    async function frameOf(id) {
        const isFilm = photos.find((photo) => photo.id === id)?.kind === "film";
        return isFilm ? (lastFrames.get(id) ?? (await api.film(id)).begin) : id;
    }

    /** @param {string} id of a photo, a film, or a frame of one */
    async function openPhoto(id) {
        if (id === opening) return;
        opening = id;
        mark();
        const opened = await messages.guard(
            frameOf(id).then((frame) => opening === id && store.open(frame)),
            "open",
        );
        if (opened) messages.close("open");
        else lastFrames.delete(id); // the film may be another one by now
        if (opening !== id) return;
        opening = null;
        if (opened) history.replaceState(null, "", `#${encodeURIComponent(store.photo.id)}`);
        if (opened && store.photo.film) lastFrames.set(store.photo.film.id, store.photo.id);
        mark();
        emit("opened");
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
        messages.remark(`Remove ${photo.name}${count} from ${here}?`, {
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
        const wasOpen = photo.id === openId();
        const at = photos.findIndex(({ id }) => id === photo.id);
        await refresh();
        messages.note(`${photo.name} is removed from ${here}.`);
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

    async function approve(id, approved) {
        const done = await messages.guard(api.approve(id, approved));
        if (!done) return;
        for (const photo of photos) if (photo.id === id) photo.approved = done.approved;
        mark();
    }

    pick.addEventListener("change", () => {
        addFiles([...pick.files]);
        pick.value = "";
    });
    receiveFiles(addFiles);
    store.addEventListener("photo", mark);
    store.addEventListener("recipe", mark);
    store.addEventListener("busy", () => {
        const open = photos.find(({ id }) => id === openId());
        if (!open?.saved || !store.busy) return;
        open.saved = false; // its hints are newer than the file
        mark();
    });

    return {
        addEventListener: events.addEventListener.bind(events),
        refresh,
        open: openPhoto,
        step,
        addFiles,
        askToRemove,
        approve,
        /** Approves the photo that is shown, or takes that back. */
        toggleApproved() {
            const open = photos.find(({ id }) => id === openId());
            if (open) approve(open.id, !open.approved);
        },
        /** A photo's result has been saved. @param {string} id */
        noteSaved(id) {
            for (const photo of photos) if (photo.id === id) photo.saved = true;
            mark();
        },
        pick: () => pick.click(),
        /** @returns {object[]} as GET photos answers */
        get all() {
            return photos;
        },
        /** The id of the photo or film that is shown or being opened, or null. */
        get current() {
            return current();
        },
        /** The id of the one after it, or null. */
        get next() {
            const at = photos.findIndex(({ id }) => id === current());
            return at < 0 ? null : (photos[at + 1]?.id ?? null);
        },
        /** The id of the photo, film or frame that is being opened, or null. */
        get opening() {
            return opening;
        },
        /** The number of a film's hints has changed. @param {string} id @param {number} hints */
        noteHints(id, hints) {
            for (const photo of photos) if (photo.id === id) photo.hints = hints;
            mark();
        },
        /** How many come before and after the one shown. */
        get around() {
            const at = photos.findIndex(({ id }) => id === current());
            return { before: Math.max(at, 0), after: at < 0 ? photos.length : photos.length - 1 - at };
        },
        setLimits: empty.setLimits,
    };
}

/** The id of a photo, or of the film that a frame is of. @param {string | null | undefined} id */
export function wholeOf(id) {
    return id?.split("-")[0] ?? null;
}
