/**
 * What keys do; help.js lists it. They do nothing of this while one types in a field, and a widget that needs a key
 * has it.
 */

import { createHelp } from "./help.js";

const ZOOM_STEP = 1.5;
const BRUSH_STEP = 1.15;
const TYPING =
    "input:not([type=range], [type=checkbox], [type=radio], [type=file]), textarea, select, [contenteditable]";
const PRESSED = "button, summary, a, input, [role=slider]"; // what Enter, space and arrow keys belong to

/**
 * @param {import("./store.js").Store} store
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./tools.js").Tools} tools
 * @param {object} actions of the page, by name (main.js); `toggleApproved` and `stepFrame` may be missing
 * @returns {{help: () => void}}
 */
export function createShortcuts(store, viewport, tools, actions) {
    const zoom = (factor) => {
        const { cursor } = store.sketch;
        viewport.zoomTo(viewport.scale * factor, cursor?.x, cursor?.y);
    };
    const tool = (name) => () => store.setTool(name);
    const arrow = (dx, dy) => (event) => tools.moveCursor(dx, dy, event.shiftKey);
    const brush = (factor) => () => tools.setBrushWidth(tools.brushWidth * factor);
    const digit = (n) => () => {
        if (tools.chooseNth(n)) return;
        const mode = ["result", "split", "side", "original"][n - 1];
        if (mode) actions.setMode(mode);
    };
    const veil = () => {
        const veiled = viewport.element.toggleAttribute("data-veiled");
        store.announce(veiled ? "Hints are hidden." : "Hints are shown.");
    };

    const onPicture = {
        arrowleft: arrow(-1, 0),
        arrowright: arrow(1, 0),
        arrowup: arrow(0, -1),
        arrowdown: arrow(0, 1),
        enter: (event) => tools.act(event.shiftKey),
    };
    const anywhere = {
        p: tool("point"),
        b: tool("brush"),
        l: tool("lasso"),
        k: tool("protect"),
        i: tool("eyedropper"),
        h: tool("pan"),
        x: tool("crop"),
        r: (event) => actions.turn(event.shiftKey ? -1 : 1),
        "[": brush(1 / BRUSH_STEP),
        "]": brush(BRUSH_STEP),
        c: () => tools.closeOutline(),
        m: () => tools.grab(),
        v: veil,
        delete: () => tools.remove(),
        backspace: () => tools.remove(),
        1: digit(1),
        2: digit(2),
        3: digit(3),
        4: digit(4),
        5: digit(5),
        "+": () => zoom(ZOOM_STEP),
        "=": () => zoom(ZOOM_STEP),
        "-": () => zoom(1 / ZOOM_STEP),
        0: () => viewport.fit(),
        9: () => zoom(1 / viewport.scale),
        u: () => actions.toggleUncertainty(),
        n: () => actions.findNextHint(),
        o: () => actions.openFiles(),
        g: () => actions.showAllPhotos(),
        a: () => actions.toggleApproved?.(),
        ",": () => actions.stepFrame?.(-1),
        ".": () => actions.stepFrame?.(1),
        pageup: () => actions.previousPhoto(),
        pagedown: () => actions.nextPhoto(),
        "?": () => help.show(),
    };
    const withControl = {
        z: (event) => (event.shiftKey ? store.redo() : store.undo()),
        y: () => store.redo(),
        s: () => actions.save(),
    };
    const help = createHelp(actions.toggleApproved ? [] : ["A", ", ."]);

    const isHoldKey = ({ key, code }) => key === "\\" || code === "Backslash";

    function down(event) {
        if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
        const target = event.target instanceof Element ? event.target : document.body;
        if (target.matches(TYPING)) return;
        const control = event.ctrlKey || event.metaKey;
        if (event.altKey) return;
        if (isHoldKey(event) && !control) return actions.holdOriginal(true);
        if (event.key === "Escape") return tools.cancel() && event.preventDefault();
        const key = event.key.toLowerCase();
        const onViewport = target === viewport.element || target === document.body;
        const act = control ? withControl[key] : (onViewport && onPicture[key]) || anywhere[key];
        if (!act || (key.length > 1 && target.matches(PRESSED) && !["pageup", "pagedown"].includes(key))) return;
        event.preventDefault();
        act(event);
    }

    addEventListener("keydown", down);
    addEventListener("keyup", (event) => isHoldKey(event) && actions.holdOriginal(false));
    addEventListener("blur", () => actions.holdOriginal(false));

    return { help: help.show };
}
