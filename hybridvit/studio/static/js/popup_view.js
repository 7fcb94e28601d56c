/** The elements of the window beside a hint (popup.js). */

import { icon, make } from "./dom.js";

const LONGEST_SOURCE = 2000; // characters, hybridvit/hints/shapes.py

/**
 * @param {object} parts elements made elsewhere, and what the controls do
 * @returns {object} the window's `element` and those of its elements that change
 */
export function createPopupView({ suggestions, recent, gamut, reach, close, takeHex, takeNote, pick, remove }) {
    const swatch = make("span", { class: "popup-swatch", "aria-hidden": "true" });
    const title = make("h3", { class: "popup-title", id: "popup-title", tabindex: -1 });
    const facts = make("p", { class: "popup-facts", data: { testid: "popup-facts" } });
    const ab = make("p", { class: "popup-note" });
    const problem = make("p", { class: "popup-problem", id: "popup-hex-problem", role: "alert" });
    const hex = make("input", {
        id: "popup-hex",
        type: "text",
        spellcheck: "false",
        autocomplete: "off",
        autocapitalize: "off",
        maxlength: 9,
        "aria-describedby": "popup-hex-problem",
        on: { change: takeHex, keydown: (event) => event.key === "Enter" && takeHex() },
        data: { testid: "hex" },
    });
    const note = make("textarea", {
        id: "popup-source",
        rows: 1,
        maxlength: LONGEST_SOURCE,
        placeholder: "Museum catalogue no. 12",
        on: { input: takeNote },
        data: { testid: "source" },
    });
    const button = (properties, ...children) => make("button", { type: "button", ...properties }, ...children);
    const closing = {
        class: "button icon-only small",
        "aria-label": "Close",
        title: "Close (Esc)",
        on: { click: close },
    };
    const picking = { class: "button", "aria-label": "Take a colour from the picture", on: { click: pick } };
    const deleting = { class: "button small danger", on: { click: remove }, data: { testid: "delete-hint" } };
    const removal = button(deleting);
    const done = button({ class: "button small primary", text: "Done", on: { click: close } });
    const label = (text, field) => make("label", { class: "popup-label", for: field, text });
    const row = (name, ...children) => make("div", { class: name }, ...children);
    const head = row("popup-head", swatch, row("popup-heading", title, facts), button(closing, icon("close")));
    head.title = "Drag to move the window";
    const element = make(
        "section",
        {
            class: "popup",
            role: "dialog",
            "aria-labelledby": "popup-title",
            hidden: true,
            data: { testid: "popup", overlay: "" },
        },
        head,
        suggestions,
        recent,
        row(
            "popup-any",
            gamut,
            row(
                "popup-fields",
                label("Hex", "popup-hex"),
                row(
                    "popup-row",
                    hex,
                    button({ ...picking, title: "Take a colour from the picture (I)" }, icon("eyedropper")),
                ),
                problem,
                ab,
            ),
        ),
        reach,
        row("popup-source", label("Where do you know this colour from?", "popup-source"), note),
        row("popup-foot", removal, done),
    );
    return { element, head, swatch, title, facts, ab, problem, hex, note, removal, done };
}
