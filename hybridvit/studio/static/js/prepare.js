/** While one looks at a photograph, the next one is made ready, and its small picture stands in until it is. */

import { make, setPicture } from "./dom.js";

const CALM_MS = 300; // after the last colours have come
const SLOW_MS = 250; // an opening that takes longer is bridged

/** @param {object} parts */
export function createPrepare({ api, store, viewport, photos }) {
    let [timer, bridging] = [0, 0];
    let prepared = null; // id
    const picture = make("img", { class: "opening-picture", alt: "", hidden: true, data: { testid: "opening" } });
    viewport.element.append(picture);

    viewport.addEventListener("drawn", () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
            const id = photos.next;
            if (!id || store.busy || prepared === id || photos.all.find((photo) => photo.id === id)?.kind === "film") return;
            prepared = id;
            api.prepare(id).catch(() => (prepared = null)); // it is only not ready then
        }, CALM_MS);
    });

    function bridge() {
        const id = photos.opening;
        clearTimeout(bridging);
        if (!id || id === store.photo?.id) {
            picture.hidden = true;
            return;
        }
        bridging = setTimeout(() => {
            if (photos.opening !== id) return;
            setPicture(picture, api.thumbnailUrl(id));
            picture.hidden = false;
        }, SLOW_MS);
    }
    photos.addEventListener("change", bridge);
}
