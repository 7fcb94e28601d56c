/** The photographs in a row below the picture: one stop for Tab, moved by the wheel. */

import { icon, make } from "./dom.js";
import { createRoving } from "./roving.js";
import { createThumbnail } from "./thumbnail.js";

const CALM_MS = 3000; // then its small picture gets the new colours: sooner, that would delay the next click

/**
 * @param {object} parts
 * @param {import("./api.js").Api} parts.api
 * @param {import("./store.js").Store} parts.store
 * @param {import("./viewport.js").Viewport} parts.viewport
 * @param {object} parts.photos
 * @param {HTMLElement} parts.strip
 * @param {() => void} parts.showAll opens the grid
 */
export function createStrip({ api, store, viewport, photos, strip, showAll }) {
    const list = make("ul", { class: "strip-list" });
    const roving = createRoving(list, ".thumb");
    const button = (name, text, title, click) =>
        make(
            "button",
            { type: "button", class: "strip-add", title, on: { click } },
            icon(name),
            make("span", { text }),
        );
    const all = button("grid", "All", "All photos, to search, filter and save (G)", showAll);
    strip.append(button("photo-add", "Add", "Add photos (O), or drop them anywhere", photos.pick), all, list);
    let thumbs = new Map(); // by id

    function show() {
        thumbs = new Map(photos.all.map((photo) => [photo.id, createThumbnail(api, photo, photos.open)]));
        list.replaceChildren(...photos.all.map(item));
        all.hidden = photos.all.length < 2;
        mark();
    }

    function item(photo) {
        const parts = [thumbs.get(photo.id).element];
        if (photo.source === "upload") {
            const label = `Remove ${photo.name} from ${api.isLocal ? "this page" : "the studio"}`;
            const properties = { type: "button", class: "strip-remove", "aria-label": label, title: label };
            parts.push(
                make("button", { ...properties, on: { click: () => photos.askToRemove(photo) } }, icon("close")),
            );
        }
        return make("li", {}, ...parts);
    }

    function mark() {
        for (const photo of photos.all) thumbs.get(photo.id)?.show(photo, photo.id === photos.current);
        const focused = list.contains(document.activeElement) ? document.activeElement : null;
        const current = thumbs.get(photos.current) ?? thumbs.get(photos.all[0]?.id);
        if (!focused) roving.setStop(current?.element);
    }

    /** Not by scrollIntoView: the next Tab would start from there. */
    function scrollToCurrent() {
        const [frame, photo] = [list, list.querySelector("[aria-current]")].map((one) => one?.getBoundingClientRect());
        if (photo) list.scrollBy({ left: photo.left + photo.width / 2 - frame.left - frame.width / 2 });
    }

    list.addEventListener(
        "wheel",
        (event) => {
            if (Math.abs(event.deltaY) <= Math.abs(event.deltaX) || event.ctrlKey) return;
            event.preventDefault();
            list.scrollBy({ left: event.deltaY });
        },
        { passive: false },
    );
    photos.addEventListener("list", show);
    photos.addEventListener("change", mark);
    photos.addEventListener("opened", scrollToCurrent);
    let timer = 0;
    viewport.addEventListener("drawn", ({ detail: { revision } }) => {
        const { id } = store.photo;
        clearTimeout(timer);
        timer = setTimeout(() => store.photo.id === id && thumbs.get(id)?.setRevision(revision), CALM_MS);
    });
}
