/** What the panels at the side are made of. */

import { icon, make } from "../dom.js";

/**
 * A part of the side that can be folded.
 * @param {string} name for tests and styles
 * @param {string} title
 * @param {{open?: boolean}} options
 * @param {...(Node|string)} children
 * @returns {HTMLDetailsElement}
 */
export function panel(name, title, { open = false }, ...children) {
    return make(
        "details",
        { class: "panel", open, data: { testid: `panel-${name}` } },
        make("summary", { class: "panel-title" }, make("span", { text: title }), icon("next")),
        make("div", { class: "panel-body" }, ...children),
    );
}

/**
 * Does something that takes a while: its button says so, keeps its size, and cannot be pressed again.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<T>} work
 * @returns {Promise<T|undefined>}
 * @template T
 */
export async function whileBusy(button, work) {
    if (button.getAttribute("aria-busy") === "true") return undefined;
    button.setAttribute("aria-busy", "true");
    try {
        return await work();
    } finally {
        button.removeAttribute("aria-busy");
    }
}

/**
 * Small squares of colours.
 * @param {{color: string, weight?: number}[]} colors
 * @param {(color: string) => void} pick
 * @returns {HTMLElement}
 */
export function swatches(colors, pick) {
    return make(
        "div",
        { class: "swatches" },
        ...colors.map(({ color }) => {
            const swatch = make("button", {
                type: "button",
                class: "swatch",
                title: color,
                "aria-label": `Take ${color}`,
                on: { click: () => pick(color) },
            });
            swatch.style.backgroundColor = color;
            return swatch;
        }),
    );
}
