/** The tools: what can be done at a place of the picture, by pointer (pointer.js) and by keyboard (by_keyboard.js). */

import { createActs } from "./acts.js";
import { createKeyboardTools } from "./by_keyboard.js";
import { createCursor } from "./cursor.js";
import { createDrawing } from "./drawing.js";
import { createPointer } from "./pointer.js";

const BRUSH_SHARE = 1 / 40; // of the photograph's shorter side

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @param {import("./popup.js").Popup} popup
 *
 * @typedef {ReturnType<typeof createTools>} Tools
 */
export function createTools(viewport, store, popup) {
    const { element } = viewport;
    const events = new EventTarget();
    const drawing = createDrawing(viewport, store);
    const acts = createActs(viewport, store, popup, drawing);
    const parts = { viewport, store, popup, drawing, cursor: createCursor(viewport, store), acts };
    let width = 1;
    const brushWidth = () => width;
    const pointer = createPointer(parts, brushWidth);
    const keyboard = createKeyboardTools(parts, brushWidth, pointer.abort);

    function setBrushWidth(px) {
        if (!store.photo) return;
        width = Math.min(Math.max(px, 1), Math.min(store.photo.width, store.photo.height) / 2);
        const { brush } = store.sketch;
        if (brush) store.setSketch({ brush: Object.freeze({ ...brush, radius: width / 2 }) });
        events.dispatchEvent(new CustomEvent("brush"));
    }

    function showTool() {
        element.dataset.tool = store.tool;
        drawing.cancel();
        store.setSketch({ brush: null });
        if (store.tool === "crop") popup.close();
    }

    store.addEventListener("tool", showTool);
    store.addEventListener("photo", () => {
        drawing.cancel();
        setBrushWidth(Math.min(store.photo.width, store.photo.height) * BRUSH_SHARE);
    });
    element.setAttribute("aria-description", "The arrow keys move a crosshair, Enter gives a hint, ? lists all keys.");
    showTool();

    return {
        ...keyboard,
        addEventListener: events.addEventListener.bind(events),
        /** Px of the photograph; a "brush" event tells of changes. */
        get brushWidth() {
            return width;
        },
        setBrushWidth,
        lastColor: acts.lastColor,
        /** Begins a point at a place, as a click does. */
        placeAt(x, y) {
            store.setTool("point");
            acts.placePoint({ x, y });
        },
        /** Applies the nth of the likeliest colours; returns false if none are asked for. */
        chooseNth(n) {
            if (popup.isOpen) popup.chooseNth(n);
            return popup.isOpen;
        },
    };
}
