/** The sheet of what fingers do, and of all shortcuts. */

import { icon, make } from "./dom.js";

const CONTROL = /Mac|iP(hone|ad)/.test(navigator.platform) ? "⌘" : "Ctrl";

const GROUPS = [
    [
        "By touch",
        ["Tap", "A hint there; on a hint: its colours"],
        ["Drag", "Moves a hint, draws with the brush, else moves the picture"],
        ["Pinch", "With two fingers zoom, and move the picture"],
    ],
    [
        "Tools",
        ["P", "Point: the colour at one place"],
        ["B", "Brush: a stroke of one colour"],
        ["L", "Area: an outline of one colour"],
        ["K", "Protect: an outline that keeps its colours"],
        ["I", "Eyedropper, also with Alt and a click"],
        ["X", "Crop and turn: what is shown and saved of the picture"],
        ["R", "Turn clockwise; with Shift the other way"],
        ["H", "Move the picture, also by holding the space bar"],
        ["[ ]", "Brush thinner, thicker"],
        ["Shift", "with a click or stroke: the colour used last"],
    ],
    [
        "Colours",
        ["1 … 5", "The likeliest colours, while they are shown"],
        ["Esc", "Close, cancel, deselect"],
        ["Delete", "Remove the selected hint or area"],
        [`${CONTROL} Z`, "Undo"],
        [`${CONTROL} Shift Z`, `Redo, also ${CONTROL} Y`],
    ],
    [
        "Without a mouse, on the picture",
        ["← ↑ ↓ →", "Move the crosshair; with Shift ten times as far"],
        ["Enter", "What a click does; begins and ends strokes; sets corners"],
        ["Shift Enter", "The same with the colour used last"],
        ["C", "Close an outline"],
        ["Backspace", "Take its latest corner back"],
        ["M", "Hold a hint, so that the arrow keys move it; let it go"],
        ["Tab", "To the tools, the list of hints, and the panels"],
    ],
    [
        "View",
        ["1 2 3 4", "Result, slider, side by side, original"],
        ["\\", "The original, as long as it is held"],
        ["V", "Hide and show hints"],
        ["+ −", "Zoom, also by wheel and pinch"],
        ["0", "All of the picture"],
        ["9", "One pixel for one"],
        ["U", "How sure are the colours?"],
        ["N", "Where would a hint help most?"],
    ],
    [
        "Photos",
        [", .", "One frame back, one on, in a film"],
        ["Page ↓", "Next"],
        ["Page ↑", "Previous"],
        ["O", "Add photos"],
        ["G", "All photos: search and filter; of a folder, save many"],
        ["A", "Approve this photo, or take that back"],
        [`${CONTROL} S`, "Save the coloured photo"],
        ["?", "This sheet"],
    ],
];

/** @param {string[]} without keys that do nothing on this page @returns {{show: () => void}} */
export function createHelp(without) {
    const close = make(
        "button",
        { type: "button", class: "button icon-only", "aria-label": "Close", on: { click: () => dialog.close() } },
        icon("close"),
    );
    const dialog = make(
        "dialog",
        { class: "help", "aria-labelledby": "help-title", data: { testid: "help" } },
        make("div", { class: "help-head" }, make("h2", { id: "help-title", text: "By touch and by keyboard" }), close),
        make("div", { class: "help-groups" }, ...GROUPS.map((one) => group(one, without))),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
    document.body.append(dialog);
    return { show: () => dialog.open || dialog.showModal() };
}

/** @param {any[]} named its title, and rows of keys and what they do @param {string[]} without keys that are left out */
function group([title, ...rows], without) {
    const list = rows.filter(([keys]) => !without.includes(keys)).flatMap(([keys, what]) => [
        make("dt", {}, ...keys.split(" ").map((key) => (key === "…" ? "…" : make("kbd", { text: key })))),
        make("dd", { text: what }),
    ]);
    return make("section", {}, make("h3", { text: title }), make("dl", {}, ...list));
}
