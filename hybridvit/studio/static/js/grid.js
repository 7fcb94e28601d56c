/** All photographs at once: searched, filtered, opened, and saved one after the other. */

import { icon, make } from "./dom.js";
import { createRoving } from "./roving.js";
import { createThumbnail } from "./thumbnail.js";

const FILTERS = {
    all: ["All", () => true],
    hinted: ["With hints", ({ hints }) => hints > 0],
    plain: ["Without hints", ({ hints }) => !hints],
    saved: ["Saved", ({ saved }) => saved],
    unsaved: ["Not saved", ({ saved }) => !saved],
    approved: ["Approved", ({ approved }) => approved],
    open: ["Not approved", ({ approved }) => !approved],
};

const isPhoto = ({ kind }) => kind !== "film"; // a film is saved by its own command

/**
 * @param {object} parts
 * @param {import("./api.js").Api} parts.api
 * @param {ReturnType<typeof import("./photos.js").createPhotos>} parts.photos
 * @param {import("./messages.js").Messages} parts.messages
 * @param {(id: string) => Promise<object>} parts.saveOne saves a photo's result, and rejects with what went wrong
 * @param {() => Promise<boolean>} parts.chooseFolder another one, where that of the results cannot be written
 * @returns {{show: () => void}}
 */
export function createGrid({ api, photos, messages, saveOne, chooseFolder }) {
    let cancelled = false;
    const search = make("input", {
        type: "search",
        class: "grid-search",
        placeholder: "Search names",
        "aria-label": "Search names",
        data: { testid: "grid-search" },
        on: { input: show },
    });
    const filter = make(
        "select",
        { "aria-label": "Which photos", data: { testid: "grid-filter" }, on: { change: show } },
        ...Object.entries(FILTERS).map(([value, [text]]) => make("option", { value, text })),
    );
    const close = make(
        "button",
        { type: "button", class: "button icon-only", "aria-label": "Close", on: { click: () => dialog.close() } },
        icon("close"),
    );
    const list = make("ul", { class: "grid-list", "aria-label": "Photos", data: { testid: "grid-list" } });
    const roving = createRoving(list, ".thumb");
    const count = make("p", { class: "hint", role: "status", data: { testid: "grid-count" } });
    const save = make("button", {
        type: "button",
        class: "button primary",
        data: { testid: "grid-save" },
        on: { click: saveAll },
    });
    const stop = make("button", {
        type: "button",
        class: "button",
        text: "Stop",
        hidden: true,
        on: { click: () => (cancelled = true) },
    });
    const dialog = make(
        "dialog",
        { class: "grid", "aria-labelledby": "grid-title", data: { testid: "grid" } },
        make(
            "div",
            { class: "grid-head" },
            make("h2", { id: "grid-title", text: "All photos" }),
            search,
            filter,
            close,
        ),
        list,
        make("div", { class: "grid-foot" }, count, ...(api.isLocal ? [] : [stop, save])),
    );
    document.body.append(dialog);
    const items = new Map(); // by id: what stands in the list, {colored, item, thumb, star}
    const shown = () => {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        const fits = ({ name }) => words.every((word) => name.toLowerCase().includes(word));
        return photos.all.filter((photo) => fits(photo) && FILTERS[filter.value][1](photo));
    };

    function open(id) {
        dialog.close();
        photos.open(id);
    }

    function show() {
        if (!dialog.open) return;
        const found = shown();
        list.replaceChildren(...found.map(itemOf));
        roving.setStop(list.querySelector("[aria-current]") ?? list.querySelector(".thumb"));
        count.textContent = `${found.length} of ${photos.all.length} photos`;
        const kept = found.filter(isPhoto).length;
        save.textContent = `Save ${found.length === photos.all.length ? "all" : "these"} ${kept}`;
        save.disabled = !kept;
    }

    /** Made once, unless its colours have changed since. */
    function itemOf(photo) {
        let known = items.get(photo.id);
        if (known?.colored !== photo.colored) {
            const thumb = createThumbnail(api, photo, open);
            const star = approval(photo);
            known = { colored: photo.colored, thumb, star, item: make("li", {}, thumb.element, ...(api.isLocal ? [] : [star])) };
            items.set(photo.id, known);
        }
        known.thumb.show(photo, photo.id === photos.current);
        known.star.textContent = photo.approved ? "★" : "☆";
        known.star.setAttribute("aria-pressed", String(photo.approved));
        return known.item;
    }

    function approval({ id, name }) {
        return make("button", {
            type: "button",
            class: "approve",
            tabindex: "-1",
            "aria-label": `Approve ${name}`,
            title: "Approve (A, on the photo)",
            on: { click: () => photos.approve(id, !photos.all.find((photo) => photo.id === id).approved) },
        });
    }

    async function saveAll() {
        const wanted = shown().filter(isPhoto);
        const failed = [];
        [cancelled, stop.hidden, save.hidden] = [false, false, true];
        let done = 0;
        for (const { id, name } of wanted) {
            if (cancelled) break;
            count.textContent = `Saving ${name}: ${done + 1} of ${wanted.length}`;
            try {
                await saveOne(id).catch(async (error) => {
                    if (error.status !== 403) throw error;
                    count.textContent = error.message; // it would be so of all
                    cancelled = !(await chooseFolder());
                    if (cancelled) throw error;
                    await saveOne(id);
                });
                done++;
            } catch (error) {
                failed.push(error.message);
            }
        }
        [stop.hidden, save.hidden] = [true, false];
        await photos.refresh();
        show();
        count.textContent = `${done} of ${wanted.length} saved${cancelled ? ", then stopped" : ""}.`;
        if (failed.length) {
            const more = failed.length > 1 ? ` (and ${failed.length - 1} others)` : "";
            count.textContent += ` Not saved: ${failed[0]}${more}`;
            messages.error(`Not saved: ${failed[0]}${more}`, { key: "batch" });
        }
    }

    list.addEventListener("keydown", (event) => {
        const id = event.target.dataset?.id;
        if (event.key.toLowerCase() !== "a" || !id || api.isLocal) return;
        photos.approve(id, !photos.all.find((photo) => photo.id === id).approved);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
    photos.addEventListener("change", () => {
        if (!dialog.open || !stop.hidden) return;
        const id = document.activeElement?.dataset?.id;
        show();
        if (id) list.querySelector(`[data-id="${id}"]`)?.focus({ preventScroll: true });
    });

    return {
        show() {
            if (dialog.open || !photos.all.length) return;
            dialog.showModal();
            show();
            (list.querySelector("[aria-current]") ?? search).focus();
        },
    };
}
