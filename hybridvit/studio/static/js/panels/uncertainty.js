/** Where the colours are a guess: a heat map over the picture. Its scale is the same for all pictures. */

import { make } from "../dom.js";

const OPACITY = 80; // percent, to begin with

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
    const opacity = make("input", {
        type: "range",
        id: "doubt-opacity",
        min: "10",
        max: "100",
        step: "5",
        value: String(OPACITY),
        data: { testid: "doubt-opacity" },
        on: { input: lay },
    });
    const share = make("output", { for: "doubt-opacity", class: "value" });
    const strength = make(
        "div",
        { hidden: true },
        make("div", { class: "field" }, make("label", { for: "doubt-opacity", text: "Opacity of the map" }), share),
        opacity,
    );
    let bitmap = null;

    /** Lays the map over the picture, as opaque as is set. */
    function lay() {
        share.textContent = `${opacity.value} %`;
        opacity.setAttribute("aria-valuetext", share.textContent);
        viewport.setOverlay(bitmap && { bitmap, opacity: Number(opacity.value) / 100 });
    }

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
        legend.hidden = strength.hidden = !check.checked;
        asked?.abort();
        if (!check.checked || !store.photo || !store.revision) {
            shown = bitmap = null;
            lay();
            return;
        }
        const key = `${store.photo.id} ${store.revision}`;
        if (key === shown) return;
        asked = new AbortController();
        const { signal } = asked;
        const blob = await messages.guard(api.uncertainty(store.photo.id, store.revision, signal), "uncertainty");
        if (!blob || signal.aborted) return;
        const drawn = await createImageBitmap(blob);
        if (signal.aborted) return;
        bitmap = drawn;
        lay();
        shown = key;
    }
    store.addEventListener("revision", update);
    store.addEventListener("photo", () => {
        shown = bitmap = null;
        update();
    });
    lay();

    return {
        elements: [
            make("label", { class: "switch" }, check, make("span", { text: "Show how sure the colours are" })),
            legend,
            strength,
        ],
        toggle() {
            check.checked = !check.checked;
            update();
        },
    };
}
