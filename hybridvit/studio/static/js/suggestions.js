/** The likeliest colours at a place, with their shares: five buttons, which the keys 1 to 5 press too. */

import { describeColor } from "./color.js";
import { make } from "./dom.js";

const COUNT = 5;
const AHEAD = 2; // of them, hybridvit/studio/advice_routes.py
const AHEAD_HERE = 1; // where the page itself colours: what is typed waits for the end of a step
const MOST_KEPT = 500; // answers, by place

/**
 * @param {import("./store.js").Store} store
 * @param {import("./api.js").Api} api
 * @param {{choose: (color: string) => void, preview: (color: string | null) => void}} actions
 */
export function createSuggestions(store, api, { choose, preview }) {
    const list = make("div", { class: "suggestions", role: "group", "aria-label": "Likeliest colours here" });
    const status = make("p", { class: "popup-status", role: "status" });
    const element = make(
        "div",
        { class: "popup-part" },
        make("p", { class: "popup-label", "aria-hidden": "true", text: "Likeliest here" }),
        list,
        status,
    );
    // What was likely at a place before a hint was put there: with it, little but its own colour is.
    const kept = new Map();
    let colors = [];
    let used = null;

    function show() {
        list.replaceChildren(...colors.map(button));
        list.hidden = !colors.length;
        mark(used);
    }

    function button({ color, share }, i) {
        const percent = share < 0.01 ? "<1 %" : `${Math.round(100 * share)} %`;
        const swatch = make("span", { class: "suggestion-color" });
        swatch.style.background = color;
        const item = make(
            "button",
            {
                type: "button",
                class: "suggestion",
                title: `${describeColor(color)} (${i + 1})`,
                data: { color, testid: "suggestion" },
                on: {
                    click: () => choose(color),
                    pointerenter: () => preview(color),
                    pointerleave: () => preview(null),
                    focus: () => preview(color),
                    blur: () => preview(null),
                },
            },
            swatch,
            make("span", { class: "suggestion-share", text: percent }),
            make("span", { class: "unseen", text: ` ${describeColor(color)}` }),
            make("kbd", { "aria-hidden": "true", text: i + 1 }),
        );
        return item;
    }

    function wait() {
        list.hidden = false;
        const blank = () => make("span", { class: "suggestion is-blank", "aria-hidden": "true" });
        list.replaceChildren(...Array.from({ length: COUNT }, blank));
        status.textContent = "";
    }

    function mark(color) {
        used = color;
        for (const item of list.querySelectorAll("button")) {
            item.setAttribute("aria-pressed", item.dataset.color === color);
        }
    }

    async function colorsAt(id, x, y, ahead, signal) {
        try {
            return (await api.colors(id, x, y, store.revision, ahead, signal)).colors;
        } catch (error) {
            if (error.status !== 410) throw error;
            await store.renew(); // the server was started anew
            return (await api.colors(id, x, y, store.revision, ahead, signal)).colors;
        }
    }

    return {
        element,
        /**
         * Shows those of a place of the photograph; `again`: as they are now, not as when they were last asked for;
         * `ahead`: one of them is likely to become a point there.
         */
        async ask({ x, y }, { again, ahead, signal }) {
            const { photo } = store;
            const key = `${photo.id} ${Math.floor(x)} ${Math.floor(y)}`;
            colors = [];
            status.textContent = "";
            if (again || !kept.has(key)) {
                wait();
                try {
                    const found = await colorsAt(photo.id, x, y, ahead ? (api.isLocal ? AHEAD_HERE : AHEAD) : 0, signal);
                    if (signal.aborted) return;
                    kept.set(key, found);
                    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
                } catch (error) {
                    if (error.name !== "AbortError") this.fail(error.message);
                    return;
                }
            }
            colors = kept.get(key);
            show();
            if (!colors.length) status.textContent = "No colour is likelier than others here.";
        },
        /** Says why there are none. */
        fail(message) {
            list.replaceChildren();
            list.hidden = true;
            status.textContent = message;
        },
        chooseNth(n) {
            if (colors[n - 1]) choose(colors[n - 1].color);
        },
        mark,
    };
}
