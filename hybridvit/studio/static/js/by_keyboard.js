/** Tools by keyboard: a crosshair that the arrow keys move, at which Enter does what a click does. */

import { hitAt, reachOf } from "./hit.js";
import { kindOf, nounOf, withHintAt, withoutHint, withoutProtected } from "./recipe.js";
import { moved } from "./shapes.js";

/**
 * @param {object} parts
 * @param {() => number} brushWidth px of the photograph
 * @param {() => boolean} abort takes back what the pointer, or the keyboard, has begun to draw
 */
export function createKeyboardTools({ viewport, store, popup, drawing, cursor, acts }, brushWidth, abort) {
    let grabs = 0;

    const hitAtCursor = () => hitAt(store, cursor.show(), reachOf("mouse") / viewport.scale);

    function drag(place) {
        const { hint, merge, from } = cursor.holds;
        cursor.holds.moves = true;
        const next = moved(hint, place.x - from.x, place.y - from.y, store.photo);
        store.change(`Move ${nounOf(hint)}`, withHintAt(store.recipe, store.selected, next), { merge });
    }

    function letGo() {
        cursor.release();
        store.announce("Let go.");
    }

    /** Begins, goes on with or ends what is drawn. */
    function draw(place, color) {
        if (drawing.isByCorners) {
            if (drawing.addCorner(place)) acts.finish(color);
        } else if (drawing.isActive) acts.finish(color);
        else if (store.tool === "brush") {
            popup.close();
            drawing.beginStroke(place, brushWidth());
            store.announce("The arrow keys draw now; Enter ends the stroke.");
        } else {
            acts.click(place, brushWidth(), color);
            store.announce("First corner. Enter sets more, C closes the outline.");
        }
    }

    return {
        /** Moves the cursor, which draws if a stroke has been begun, and takes along the hint it holds. */
        moveCursor(dx, dy, fast) {
            if (!store.photo) return;
            const place = cursor.move(dx, dy, fast);
            if (cursor.holds) drag(place);
            else if (drawing.isByCorners) drawing.hover(place);
            else if (drawing.isActive) drawing.add(place);
        },
        /** What a click does, at the cursor; `same` is with the colour used last. */
        act(same = false) {
            if (!store.photo) return;
            const place = cursor.show();
            const color = same ? acts.lastColor() : null;
            if (cursor.holds) letGo();
            else if (store.tool === "crop") store.setTool("point");
            else if (store.tool === "eyedropper")
                acts.pick(place, viewport.mode === "original" ? "original" : "result");
            else if (store.tool === "pan") viewport.centerOn(place.x, place.y);
            else if (store.tool !== "point") draw(place, color);
            else {
                const hit = hitAtCursor();
                if (hit) acts.openHit(hit);
                else acts.placePoint(place, color);
            }
        },
        /** Closes an outline that is set corner by corner. */
        closeOutline: () => drawing.isByCorners && acts.finish(),
        /** Takes hold of the selected hint, or of that at the cursor, for the arrow keys to move; or lets it go. */
        grab() {
            if (!store.photo) return;
            if (cursor.holds) return letGo();
            const index = store.selected ?? hitAtCursor()?.hint ?? null;
            if (index === null) return store.announce("No hint is selected or at the cursor.");
            popup.close();
            store.select(index);
            cursor.hold(store.recipe.hints[index], `keys ${++grabs}`);
            viewport.element.focus({ preventScroll: true });
            const name = `${kindOf(cursor.holds.hint)} ${index + 1}`;
            store.announce(`${name} held: the arrow keys move it, Enter lets it go.`);
        },
        /** Removes the latest corner of an outline, or what is selected. */
        remove() {
            if (drawing.isByCorners) return drawing.takeBack();
            if (popup.isOpen) return popup.remove();
            const { recipe, selected, selectedArea } = store;
            if (selected !== null) {
                const { type } = recipe.hints[selected];
                store.change(`Delete ${type}`, withoutHint(recipe, selected));
                store.announce(`${kindOf({ type })} ${selected + 1} deleted.`);
            } else if (selectedArea !== null) {
                store.change("Unprotect an area", withoutProtected(recipe, selectedArea));
                store.announce(`Protected area ${selectedArea + 1} removed.`);
            }
        },
        /** Ends whatever has been begun; returns whether there was something. */
        cancel() {
            if (cursor.holds) {
                if (cursor.holds.moves) store.undo();
                cursor.release();
            } else if (abort()) store.announce("Cancelled.");
            else if (popup.isOpen) popup.close();
            else if (store.tool === "crop") store.setTool("point");
            else if (store.selected !== null || store.selectedArea !== null) store.select(null);
            else if (cursor.isShown) cursor.hide();
            else return false;
            return true;
        },
    };
}
