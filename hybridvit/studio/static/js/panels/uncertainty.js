/** Where the colours are a guess: a heat map over the picture. Its scale is the same for all pictures. */

import { make } from "../dom.js";

const OPACITY = 0.8;

/**
 * @param {object} parts
 * @returns {{elements: HTMLElement[], toggle: () => void}}
 */
export function createUncertainty({ api, store, viewport, messages }) {
    let shown = null; // "photo revision" of what lies over the picture
    let asked = null; // AbortController
    const check = make("input", {
        type: "checkbox",
        id: "uncertainty",
        data: { testid: "uncertainty" },
        on: { change: update },
    });
    const legend = make(
        "div",
        {
            class: "legend",
            hidden: true,
            role: "img",
            "aria-label": "Scale: the chance that a colour is clearly off, from dark blue, 0 %, to pale yellow, 100 %",
        },
        make("div", { class: "legend-scale" }),
        make(
            "div",
            { class: "legend-marks" },
            ...["0 % sure", "33 %", "67 %", "100 % a guess"].map((text) => make("span", { text })),
        ),
    );

    async function update() {
        legend.hidden = !check.checked;
        asked?.abort();
        if (!check.checked || !store.photo || !store.revision) {
            viewport.setOverlay(null);
            shown = null;
            return;
        }
        const key = `${store.photo.id} ${store.revision}`;
        if (key === shown) return;
        asked = new AbortController();
        const { signal } = asked;
        const blob = await messages.guard(api.uncertainty(store.photo.id, store.revision, signal), "uncertainty");
        if (!blob || signal.aborted) return;
        const bitmap = await createImageBitmap(blob);
        if (signal.aborted) return;
        viewport.setOverlay({ bitmap, opacity: OPACITY });
        shown = key;
    }
    store.addEventListener("revision", update);
    store.addEventListener("photo", () => {
        shown = null;
        update();
    });

    return {
        elements: [
            make("label", { class: "switch" }, check, make("span", { text: "Show how sure the colours are" })),
            legend,
        ],
        toggle() {
            check.checked = !check.checked;
            update();
        },
    };
}
