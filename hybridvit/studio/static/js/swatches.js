/** A row of colours to choose from. */

import { describeColor } from "./color.js";
import { make } from "./dom.js";

/**
 * @param {string} label
 * @param {{choose: (color: string) => void, preview: (color: string | null) => void}} actions
 */
export function createSwatches(label, { choose, preview }) {
    const list = make("div", { class: "swatches", role: "group", "aria-label": label });
    const element = make(
        "div",
        { class: "popup-part", hidden: true },
        make("p", { class: "popup-label", "aria-hidden": "true", text: label }),
        list,
    );

    function button(color) {
        const item = make("button", {
            type: "button",
            class: "swatch",
            title: `${describeColor(color)}, ${color}`,
            "aria-label": `${describeColor(color)}, ${color}`,
            data: { color, testid: "recent" },
            on: {
                click: () => choose(color),
                pointerenter: () => preview(color),
                pointerleave: () => preview(null),
                focus: () => preview(color),
                blur: () => preview(null),
            },
        });
        item.style.background = color;
        return item;
    }

    return {
        element,
        /** @param {string[]} colors hexes */
        show(colors) {
            const focused = list.contains(document.activeElement) ? document.activeElement.dataset.color : null;
            list.replaceChildren(...colors.map(button));
            list.querySelector(`[data-color="${focused}"]`)?.focus();
            element.hidden = !colors.length;
        },
        mark(color) {
            for (const item of list.children) item.setAttribute("aria-pressed", item.dataset.color === color);
        },
    };
}
