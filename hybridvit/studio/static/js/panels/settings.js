/** How the colours are decided, beside the hints: strength, which of the likely colours, how fine the model looks. */

import { make } from "../dom.js";
import { changed } from "../recipe.js";
import { panel } from "./panel.js";

const SAME_GESTURE_MS = 800;
const DECODES = {
    vivid: ["Lively", "Lively, likely colours."],
    mean: ["Careful", "Errs least, and is duller."],
    sample: ["Possible", "One of many possible."],
};
const SIZES = {
    256: "Normal (256 px)",
    384: "Fine (384 px), slower",
    512: "Finer (512 px), slow",
    768: "Finest (768 px), slowest",
};

/** @param {{store: object}} parts @returns {HTMLElement} */
export function createSettings({ store }) {
    let [gesture, ending] = [0, 0]; // a whole drag of the slider, or some presses of a key, are one step for undo
    function endGesture() {
        clearTimeout(ending);
        ending = setTimeout(() => gesture++, SAME_GESTURE_MS);
    }
    const change = (label, settings, merge) =>
        store.change(label, changed(store.recipe, { settings: { ...store.recipe.settings, ...settings } }), { merge });

    const value = make("output", { for: "strength", class: "value", text: "100 %" });
    const strength = make("input", {
        type: "range",
        id: "strength",
        min: "0",
        max: "2",
        step: "0.05",
        value: "1",
        data: { testid: "strength" },
        on: {
            input: () => change("Strength", { strength: Number(strength.value) }, `strength ${gesture}`),
            change: endGesture,
        },
    });
    const radios = Object.entries(DECODES).map(([decode, [name]]) => {
        const input = make("input", {
            type: "radio",
            name: "decode",
            value: decode,
            data: { testid: `decode-${decode}` },
        });
        input.addEventListener("change", () => change("Kind of colours", { decode }));
        return make("label", { class: "segment" }, input, make("span", { text: name }));
    });
    const about = make("p", { class: "hint" });
    const another = make("button", {
        type: "button",
        class: "button small",
        text: "Another",
        data: { testid: "another" },
        on: { click: () => change("Another possibility", { seed: store.recipe.settings.seed + 1 }) },
    });
    const size = make("select", {
        id: "size",
        data: { testid: "size" },
        on: { change: () => change("Fineness", { size: Number(size.value) }) },
    });

    const borders = make("input", {
        type: "checkbox",
        id: "borders",
        data: { testid: "borders" },
        on: { change: () => change("Borders", { borders: borders.checked ? "auto" : "off" }) },
    });

    const framing = make("label", { class: "field" }, make("span", { text: "Leave borders around the photo gray" }), borders);

    function show() {
        if (!store.recipe) return;
        const { settings } = store.recipe;
        strength.value = settings.strength;
        value.textContent = `${Math.round(settings.strength * 100)} %`;
        strength.setAttribute("aria-valuetext", value.textContent);
        for (const label of radios) {
            const input = label.querySelector("input");
            input.checked = input.value === settings.decode;
        }
        radios[2].hidden = Boolean(store.photo?.film); // a drawn colouring would be another one in each key frame
        framing.hidden = Boolean(store.photo?.film); // the command finds a film's borders by all of its frames
        about.textContent = DECODES[settings.decode][1];
        another.hidden = settings.decode !== "sample";
        borders.checked = settings.borders === "auto";
        const sizes = { ...SIZES, [settings.size]: SIZES[settings.size] ?? `${settings.size} px` };
        if (size.options.length !== Object.keys(sizes).length || size.value !== String(settings.size)) {
            size.replaceChildren(
                ...Object.entries(sizes).map(([px, name]) => make("option", { value: px, text: name })),
            );
            size.value = settings.size;
        }
    }
    store.addEventListener("recipe", show);

    return panel(
        "settings",
        "Colours",
        { open: true },
        make("div", { class: "field" }, make("label", { for: "strength", text: "Strength" }), value),
        strength,
        make("div", { class: "segments", role: "radiogroup", "aria-label": "Kind of colours" }, ...radios),
        make("div", { class: "row" }, about, another),
        make("div", { class: "field" }, make("label", { for: "size", text: "Detail" }), size),
        framing,
    );
}
