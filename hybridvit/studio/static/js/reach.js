/**
 * How far a hint reaches, and how strongly it counts: part of the window beside it. While it is set, the outline of
 * what it would change is shown on the picture; the colours follow when the slider is let go.
 */

import { make } from "./dom.js";

const STOPS = [
    ["0", "Only here"],
    ["0.5", "This thing"],
    ["1", "Everything alike"],
];
const ASK_MS = 60; // of a drag

/** What a hint's reach is where it says none (hybridvit/hints/shapes.py). */
export const defaultReach = (hint) => (hint.type === "point" ? 0.5 : 0);

/**
 * @param {import("./store.js").Store} store
 * @param {import("./api.js").Api} api
 * @param {{change: (fields: object, label: string) => void}} actions
 */
export function createReach(store, api, { change }) {
    let [hint, asked, timer] = [null, null, 0];
    const slider = (id, testid, input) =>
        make("input", {
            type: "range",
            id,
            min: "0",
            max: "1",
            step: "0.05",
            data: { testid },
            on: { input, change: take, blur: hide },
        });
    const reach = slider("popup-reach", "reach", preview);
    const strength = slider("popup-strength", "hint-strength", say);
    const share = make("output", { class: "value", for: "popup-reach", data: { testid: "reach-share" } });
    const strong = make("output", { class: "value", for: "popup-strength" });
    const stops = STOPS.map(([value, text]) =>
        make("button", {
            type: "button",
            class: "segment",
            text,
            data: { reach: value, testid: `reach-${value}` },
            on: {
                click: () => {
                    reach.value = value;
                    take();
                },
                pointerenter: () => outline(Number(value)),
                pointerleave: hide,
            },
        }),
    );
    const field = (id, text, value) =>
        make("div", { class: "field" }, make("label", { class: "popup-label", for: id, text }), value);
    const element = make(
        "div",
        { class: "popup-part", hidden: true },
        field("popup-reach", "How far it reaches", share),
        make("div", { class: "segments reach-stops", role: "group", "aria-label": "Reach" }, ...stops),
        reach,
        field("popup-strength", "How strongly it counts", strong),
        strength,
    );

    const nameOf = (value) => STOPS.find(([stop]) => stop === value)?.[1] ?? `${Math.round(Number(value) * 100)} %`;

    function say() {
        reach.setAttribute("aria-valuetext", nameOf(reach.value));
        strong.textContent = `${Math.round(Number(strength.value) * 100)} %`;
        strength.setAttribute("aria-valuetext", strong.textContent);
        for (const stop of stops) stop.setAttribute("aria-pressed", String(stop.dataset.reach === reach.value));
    }

    function preview() {
        say();
        clearTimeout(timer);
        timer = setTimeout(() => outline(Number(reach.value)), ASK_MS);
    }

    async function outline(value) {
        asked?.abort();
        asked = new AbortController();
        const { signal } = asked;
        try {
            const found = await api.reach(store.photo.id, { ...hint, reach: value }, store.revision, signal);
            if (signal.aborted) return;
            share.textContent = `${Math.round(found.share * 100)} % of the picture`;
            store.setSketch({ outline: found.outline });
        } catch {
            hide(); // the colours come all the same
        }
    }

    function hide() {
        clearTimeout(timer);
        asked?.abort();
        store.setSketch({ outline: null });
    }

    function take() {
        hide();
        say();
        const fields = { reach: Number(reach.value), strength: Number(strength.value) };
        if (fields.reach === (hint.reach ?? defaultReach(hint)) && fields.strength === (hint.strength ?? 1)) return;
        change(fields, fields.strength === (hint.strength ?? 1) ? "Reach" : "Hint's strength");
    }

    return {
        element,
        /** @param {object | null} shown the hint, null for what is none yet */
        show(shown) {
            element.hidden = shown === null;
            if (shown === null) {
                hide();
                return;
            }
            hint = shown;
            reach.value = String(hint.reach ?? defaultReach(hint));
            strength.value = String(hint.strength ?? 1);
            say();
        },
        hide,
    };
}
