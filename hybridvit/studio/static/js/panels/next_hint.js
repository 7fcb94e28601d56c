/** Where a hint would help most: numbered rings on the picture, and the same in words. */

import { make } from "../dom.js";
import { whileBusy } from "./panel.js";

const COUNT = 3;

/**
 * @param {object} parts
 * @param {import("../api.js").Api} parts.api
 * @param {import("../store.js").Store} parts.store
 * @param {import("../viewport.js").Viewport} parts.viewport
 * @param {import("../messages.js").Messages} parts.messages
 * @param {(x: number, y: number) => void} parts.place begins a hint at a place of the photograph
 * @returns {{elements: HTMLElement[], find: () => void}}
 */
export function createNextHint({ api, store, viewport, messages, place }) {
    let points = [];
    let rings = [];
    const layer = make("div", { class: "rings", role: "group", "aria-label": "Where a hint would help most" });
    const list = make("ol", { class: "next-list" });
    const button = make("button", {
        type: "button",
        class: "button wide",
        text: "Where would a hint help most?",
        data: { testid: "next" },
        on: { click: find },
    });
    viewport.element.append(layer);

    async function find() {
        if (!store.photo || !store.revision) return;
        const [id, revision] = [store.photo.id, store.revision];
        const found = await whileBusy(button, () => messages.guard(api.next(id, revision, COUNT), "next"));
        if (!found || store.photo?.id !== id) return;
        set(found);
        const many = found.length === 1 ? "One place is marked" : `${found.length} places are marked`;
        messages.announce(found.length ? `${many} on the picture.` : "No place stands out.");
        if (!found.length) messages.note("No place stands out: the colours are as sure as they get.");
    }

    function set(found) {
        points = found;
        const rank = (i) => `Place ${i + 1}: removes ${share(points[i].gain)} of the expected error`;
        rings = points.map((point, i) =>
            make("button", {
                type: "button",
                class: "ring",
                text: String(i + 1),
                title: rank(i),
                "aria-label": `${rank(i)}. Give a hint here`,
                data: { testid: "ring" },
                on: { click: () => use(point) },
            }),
        );
        layer.replaceChildren(...rings);
        list.replaceChildren(
            ...points.map((point) => {
                const swatch = make("span", { class: "swatch" });
                swatch.style.backgroundColor = point.color;
                const text = make("span", { text: `${share(point.gain)} less error expected` });
                return make(
                    "li",
                    {},
                    make(
                        "button",
                        { type: "button", class: "next-item", on: { click: () => use(point) } },
                        swatch,
                        text,
                    ),
                );
            }),
        );
        follow();
    }

    function use({ x, y }) {
        const { box } = viewport;
        if (x < box.left || x > box.right || y < box.top || y > box.bottom) viewport.centerOn(x, y);
        set([]); // after this hint others help most
        place(x, y);
    }

    function follow() {
        points.forEach(({ x, y }, i) => {
            const at = viewport.toScreen(x, y);
            rings[i].style.transform = `translate(${at.x}px, ${at.y}px)`;
        });
    }
    viewport.addEventListener("move", follow);
    viewport.addEventListener("mode", follow);
    store.addEventListener("recipe", () => points.length && set([])); // they were true of the recipe before
    store.addEventListener("photo", () => set([]));

    return { elements: [button, list], find };
}

const share = (gain) => `${(gain * 100).toFixed(gain < 0.1 ? 1 : 0)} %`;
