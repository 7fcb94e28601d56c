/** What tools do at a place of the picture, whether a pointer or the keyboard says so. */

import { recentColors } from "./recent.js";
import { withProtected } from "./recipe.js";
import { clampTo, corners, isOn, isWithin, rounded } from "./shapes.js";

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @param {import("./popup.js").Popup} popup
 * @param {import("./drawing.js").Drawing} drawing
 */
export function createActs(viewport, store, popup, drawing) {
    let formerTool = "point"; // to go back to from the eyedropper
    store.addEventListener("tool", () => {
        if (store.tool !== "eyedropper") formerTool = store.tool;
    });

    /** Whether a place is in the picture, and in its frame. */
    function isShown({ x, y }) {
        const { crop } = viewport;
        return isWithin({ x: x - crop.x, y: y - crop.y }, crop);
    }

    function protect(area) {
        popup.close();
        store.change("Protect an area", withProtected(store.recipe, area));
        store.selectArea(store.recipe.protected.length - 1);
        store.announce("Protected: the colours in this area stay as they are now.");
    }

    const acts = {
        /** The colour used last, or null. */
        lastColor: () => recentColors()[0] ?? null,

        /** Opens the hint, or selects the protected area, that is there. */
        openHit(hit) {
            if (hit.area === undefined) return popup.openHint(hit.hint);
            popup.close();
            store.selectArea(hit.area);
            store.announce(`Protected area ${hit.area + 1}. Delete removes it.`);
        },

        /** A new point; with a colour it asks for none. */
        placePoint(place, color = null) {
            popup.openDraft({ type: "point", ...rounded(clampTo(place, store.photo)) }, color);
            const isKept = store.recipe.protected.some((area) => isOn(area, place.x, place.y, 0));
            if (isKept) store.announce("This place is in a protected area: a hint will show only around it.");
        },

        /** What was drawn becomes a hint, or a protected area. */
        finish(color = null) {
            const shape = drawing.finish();
            if (!shape) store.announce("Nothing was drawn: the outline is too small.");
            else if (store.tool === "protect") protect({ polygon: corners(shape) });
            else popup.openDraft(shape, color);
        },

        /** What a click does where there is no hint. */
        click(place, brushWidth, color) {
            if (!isShown(place)) {
                popup.close();
                store.select(null);
            } else if (store.tool === "point") acts.placePoint(place, color);
            else if (store.tool === "brush") {
                drawing.beginStroke(place, brushWidth);
                acts.finish(color);
            } else {
                popup.close();
                drawing.beginOutline(place, store.tool === "lasso");
                drawing.addCorner(place);
            }
        },

        /** @param {"original" | "result"} what */
        async pick(place, what) {
            const { tool } = store;
            if (!isShown(place)) return;
            await store.pickAt(what, place, viewport.scale);
            if (tool === "eyedropper" && store.tool === tool) store.setTool(formerTool);
        },

        /** What is seen at a place of the screen: where two pictures are shown, one of them. */
        seenAt(clientX, clientY) {
            const { element, mode, split } = viewport;
            const frame = element.getBoundingClientRect();
            if (mode === "original" || element.hasAttribute("data-held")) return "original";
            if (mode === "split") return clientX - frame.left < split * frame.width ? "original" : "result";
            if (mode !== "side") return "result";
            const { x, y } = viewport.toImage(clientX, clientY);
            const inResult = viewport.toScreen(x, y);
            const apart = Math.hypot(inResult.x - clientX + frame.left, inResult.y - clientY + frame.top);
            return apart < 1 ? "result" : "original";
        },
    };
    return acts;
}
