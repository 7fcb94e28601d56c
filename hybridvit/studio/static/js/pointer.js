/** Tools by mouse, pen and finger. What belongs to the view (gestures.js) does not come here. */

import { hitAt, reachOf } from "./hit.js";
import { nounOf, withHintAt } from "./recipe.js";
import { clampTo, moved, rounded } from "./shapes.js";

const CLICK = 4; // CSS px that a click may tremble
const WIDGETS = "button, input, select, textarea, dialog, [role=slider], [data-overlay]";

/**
 * @param {object} parts
 * @param {() => number} brushWidth px of the photograph
 * @returns {{abort: () => boolean}}
 */
export function createPointer({ viewport, store, popup, drawing, cursor, acts }, brushWidth) {
    const { element } = viewport;
    let gesture = null; // of the pointer that is down: {id, x, y, place, hit, kind, moves}
    let gestures = 0;

    const placeOf = (event) => viewport.toImage(event.clientX, event.clientY);
    const isOnWidget = (event) => event.target.closest(WIDGETS) !== null;

    function down(event) {
        if (event.button !== 0 || gesture || !store.photo || isOnWidget(event)) return;
        if (store.tool === "crop") return; // crop.js has it
        cursor.hide();
        element.setPointerCapture(event.pointerId);
        const place = placeOf(event);
        const hit = hitAt(store, place, reachOf(event.pointerType) / viewport.scale);
        gesture = { id: event.pointerId, x: event.clientX, y: event.clientY, place, hit, moves: false, kind: "view" };
        if (event.altKey || store.tool === "eyedropper") gesture.kind = "pick";
        else if (drawing.isByCorners) gesture.kind = "corner";
        else if (store.tool === "point") gesture.kind = hit?.hint === undefined ? "view" : "move";
        else gesture.kind = "draw";
    }

    function move(event) {
        if (gesture === null) hover(event);
        if (gesture?.id !== event.pointerId) return;
        const isFar = Math.hypot(event.clientX - gesture.x, event.clientY - gesture.y) > CLICK;
        if (isFar && !gesture.moves) beginMove();
        if (!gesture.moves) return;
        if (gesture.kind === "move") dragHint(placeOf(event));
        else if (gesture.kind === "view") panTo(event);
        else if (gesture.kind === "draw") {
            const trail = event.getCoalescedEvents();
            for (const one of trail.length ? trail : [event]) drawing.add(placeOf(one));
            showBrush(event);
        }
    }

    function beginMove() {
        gesture.moves = true;
        if (gesture.kind === "move") {
            const { hint } = gesture.hit;
            gesture.hint = store.recipe.hints[hint];
            gesture.merge = `pointer ${++gestures}`;
            gesture.wasOpen = popup.isOpen && store.selected === hint;
            if (!gesture.wasOpen) popup.close();
            store.select(hint);
        } else if (gesture.kind === "draw") {
            popup.close();
            if (store.tool === "brush") drawing.beginStroke(gesture.place, brushWidth());
            else drawing.beginOutline(gesture.place, store.tool === "lasso");
        }
    }

    function dragHint(place) {
        const { hint, hit, merge } = gesture;
        const [dx, dy] = [place.x - gesture.place.x, place.y - gesture.place.y];
        const isCorner = hit.corner !== undefined;
        const next = isCorner ? withCorner(hint, hit.corner, place) : moved(hint, dx, dy, store.photo);
        store.change(`Move ${isCorner ? "corner" : nounOf(hint)}`, withHintAt(store.recipe, hit.hint, next), { merge });
    }

    function withCorner(hint, corner, place) {
        const { x, y } = rounded(clampTo(place, store.photo));
        const name = hint.points ? "points" : "polygon";
        return { ...hint, [name]: hint[name].map((old, i) => (i === corner ? [x, y] : old)) };
    }

    function panTo(event) {
        viewport.panBy(event.clientX - gesture.x, event.clientY - gesture.y);
        [gesture.x, gesture.y] = [event.clientX, event.clientY];
    }

    function up(event) {
        if (gesture?.id !== event.pointerId) return;
        const { kind, moves, place, hit, wasOpen } = gesture;
        gesture = null;
        const color = event.shiftKey ? acts.lastColor() : null;
        if (kind === "pick") acts.pick(placeOf(event), acts.seenAt(event.clientX, event.clientY));
        else if (kind === "corner") {
            if (drawing.addCorner(place)) acts.finish(color);
        } else if (kind === "draw" && moves) acts.finish(color);
        else if (kind === "move" && moves && wasOpen) popup.openHint(hit.hint);
        else if (!moves && hit) acts.openHit(hit);
        else if (!moves) acts.click(place, brushWidth(), color);
    }

    function hover(event) {
        if (!store.photo || event.pointerType === "touch") return;
        const place = placeOf(event);
        if (drawing.isByCorners) drawing.hover(place);
        showBrush(event);
        const sees = !["eyedropper", "crop"].includes(store.tool) && !isOnWidget(event);
        const isOver = sees && hitAt(store, place, reachOf(event.pointerType) / viewport.scale) !== null;
        element.toggleAttribute("data-over-hint", isOver);
    }

    function showBrush(event) {
        const shows = store.tool === "brush" && event.pointerType !== "touch" && !isOnWidget(event);
        store.setSketch({ brush: shows ? Object.freeze({ ...placeOf(event), radius: brushWidth() / 2 }) : null });
    }

    /** Takes back what the pointer has begun; returns whether there was something. */
    function abort() {
        if (!gesture && !drawing.isActive) return false;
        if (gesture?.kind === "move" && gesture.moves) store.undo();
        gesture = null;
        drawing.cancel();
        return true;
    }

    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", (event) => gesture?.id === event.pointerId && abort());
    element.addEventListener("pointerleave", () => store.setSketch({ brush: null }));
    element.addEventListener("dblclick", () => drawing.isByCorners && acts.finish());
    element.addEventListener("contextmenu", (event) => gesture && event.preventDefault()); // a finger that rests
    store.addEventListener("photo", () => (gesture = null));

    return { abort };
}
