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
    const summary = make("summary", { class: "panel-title" }, make("span", { text: title }), icon("next"));
    const element = make(
        "details",
        { class: "panel", open, data: { testid: `panel-${name}` } },
        summary,
        make("div", { class: "panel-body" }, ...children),
    );
    let asked = false; // by the user: what is open from the beginning stays where it is
    summary.addEventListener("click", () => (asked = true));
    element.addEventListener("toggle", () => {
        if (asked && element.open) showWhole(element);
        asked = false;
    });
    return element;
}

/** Scrolls as little as shows all of an element, or, if it is too long, its beginning. @param {HTMLElement} element */
export function showWhole(element) {
    const fits = element.offsetHeight <= element.parentElement.clientHeight;
    element.scrollIntoView({ block: fits ? "nearest" : "start" });
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
