/** What was done to the photograph, step by step: any of them can be gone back to. */

import { make } from "../dom.js";
import { panel } from "./panel.js";

/** @param {{store: import("../store.js").Store}} parts @returns {HTMLElement} */
export function createHistoryList({ store }) {
    const list = make("ol", { class: "history-list", "aria-label": "Steps", data: { testid: "steps" } });

    function show() {
        const { labels, at } = store.steps;
        list.replaceChildren(...labels.map((label, i) => item(label || "As opened", i, at)));
        list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    }

    function item(label, i, at) {
        const button = make("button", {
            type: "button",
            class: i > at ? "step undone" : "step",
            text: label,
            ...(i === at && { "aria-current": "step" }),
            on: { click: () => store.goTo(i) },
        });
        return make("li", {}, button);
    }
    const element = panel("history", "History", {}, list);
    const whenOpen = () => element.open && show();
    element.addEventListener("toggle", whenOpen);
    store.addEventListener("recipe", whenOpen);
    return element;
}
