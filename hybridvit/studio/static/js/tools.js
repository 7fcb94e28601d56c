/**
 * What the pointer does on the picture: places points, draws strokes and outlines, selects and moves hints, picks colours.
 * Every act is there for the keyboard too: the same functions, at the place of its cursor.
 */

import { createCursor } from "./cursor.js";
import { createDrawing } from "./drawing.js";
import { hitAt } from "./hit.js";
import { recentColors } from "./recent.js";
import { kindOf, withHintAt, withoutHint, withoutProtected, withProtected } from "./recipe.js";
import { clampTo, isOn, isWithin, moved, rounded } from "./shapes.js";

const CLICK = 4; // CSS px that a click may tremble
const REACH = 11; // CSS px from a marker's middle
const TOUCH_REACH = 22;
const BRUSH_SHARE = 1 / 40; // of the photograph's shorter side
const WIDGETS = "button, input, select, textarea, dialog, [role=slider], [data-overlay]";

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @param {import("./popup.js").Popup} popup
 * @returns {Tools}
 *
 * @typedef {ReturnType<typeof createTools>} Tools
 */
export function createTools(viewport, store, popup) {
    const { element } = viewport;
    const drawing = createDrawing(viewport, store);
    const cursor = createCursor(viewport, store);
    const events = new EventTarget();
    let brushWidth = 1; // px of the photograph
    let gesture = null; // of the pointer that is down
    let gestures = 0;
    let formerTool = "point"; // to go back to from the eyedropper

    const placeOf = (event) => viewport.toImage(event.clientX, event.clientY);
    const lastColor = () => recentColors()[0] ?? null;

    // Acts, at a place of the picture

    function openHit(hit) {
        if (hit.area !== undefined) {
            popup.close();
            store.selectArea(hit.area);
            store.announce(`Protected area ${hit.area + 1}. Delete removes it.`);
        } else popup.openHint(hit.hint);
    }

    function placePoint(place, color = null) {
        popup.openDraft({ type: "point", ...rounded(clampTo(place, store.photo)) }, color);
        const isKept = store.recipe.protected.some((area) => isOn(area, place.x, place.y, 0));
        if (isKept) store.announce("This place is in a protected area: a hint will show only around it.");
    }

    /** What was drawn becomes a hint, or a protected area. */
    function finish(color = null) {
        const isStroke = store.sketch.draft?.type === "stroke";
        const shape = drawing.finish();
        if (!shape) {
            if (!isStroke) store.announce("Nothing was drawn: the outline is too small.");
        } else if (store.tool === "protect") protect(shape);
        else popup.openDraft(isStroke ? shape : { type: "region", ...shape }, color);
    }

    function protect(area) {
        popup.close();
        store.change("Protect an area", withProtected(store.recipe, area));
        store.selectArea(store.recipe.protected.length - 1);
        store.announce("Protected: the colours in this area stay as they are now.");
    }

    async function pick(place, what) {
        const tool = store.tool;
        if (!isWithin(place, store.photo)) return;
        await store.pickAt(what, place, viewport.scale);
        if (tool === "eyedropper" && store.tool === tool) store.setTool(formerTool);
    }

    /** What is seen at a place of the screen: where two pictures are shown, one of them. */
    function seenAt(clientX, clientY) {
        const frame = element.getBoundingClientRect();
        if (viewport.mode === "original" || element.hasAttribute("data-held")) return "original";
        if (viewport.mode === "split") return clientX - frame.left < viewport.split * frame.width ? "original" : "result";
        if (viewport.mode !== "side") return "result";
        const { x, y } = viewport.toImage(clientX, clientY);
        const inResult = viewport.toScreen(x, y);
        const isThere = Math.hypot(inResult.x - clientX + frame.left, inResult.y - clientY + frame.top) < 1;
        return isThere ? "result" : "original";
    }

    // Pointers

    function down(event) {
        if (event.button !== 0 || gesture || !store.photo || event.target.closest(WIDGETS)) return;
        cursor.hide();
        element.setPointerCapture(event.pointerId);
        const place = placeOf(event);
        const reach = (event.pointerType === "touch" ? TOUCH_REACH : REACH) / viewport.scale;
        const hit = hitAt(store, place, reach);
        gesture = { id: event.pointerId, x: event.clientX, y: event.clientY, place, hit, moves: false };
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
            const trail = event.getCoalescedEvents?.() ?? [];
            for (const one of trail.length ? trail : [event]) drawing.add(placeOf(one));
            showBrush(event);
        }
    }

    function beginMove() {
        gesture.moves = true;
        if (gesture.kind === "move") {
            const { hint } = gesture.hit;
            gesture.hint = store.recipe.hints[hint];
            gesture.merge = `drag ${++gestures}`;
            gesture.wasOpen = popup.isOpen && store.selected === hint;
            if (!gesture.wasOpen) popup.close();
            store.select(hint);
        } else if (gesture.kind === "draw") {
            popup.close();
            if (store.tool === "brush") drawing.beginStroke(gesture.place, brushWidth);
            else drawing.beginOutline(gesture.place, store.tool === "lasso");
        }
    }

    function dragHint(place) {
        const { hint, hit, merge } = gesture;
        const [dx, dy] = [place.x - gesture.place.x, place.y - gesture.place.y];
        const label = `Move ${hit.corner === undefined ? hint.type : "corner"}`;
        const next = hit.corner === undefined ? moved(hint, dx, dy, store.photo) : withCorner(hint, hit.corner, place);
        store.change(label, withHintAt(store.recipe, hit.hint, next), { merge });
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
        const color = event.shiftKey ? lastColor() : null;
        if (kind === "pick") pick(placeOf(event), seenAt(event.clientX, event.clientY));
        else if (kind === "corner") {
            if (drawing.addCorner(place)) finish(color);
        } else if (kind === "draw" && moves) finish(color);
        else if (kind === "move" && moves && wasOpen) popup.openHint(hit.hint);
        else if (!moves) click(place, hit, color);
    }

    function click(place, hit, color) {
        if (hit) openHit(hit);
        else if (!isWithin(place, store.photo)) {
            popup.close();
            store.select(null);
        } else if (store.tool === "point") placePoint(place, color);
        else if (store.tool === "brush") {
            drawing.beginStroke(place, brushWidth);
            finish(color);
        } else {
            popup.close();
            drawing.beginOutline(place, store.tool === "lasso");
            drawing.addCorner(place);
        }
    }

    function hover(event) {
        if (!store.photo || event.pointerType === "touch") return;
        const place = placeOf(event);
        if (drawing.isByCorners) drawing.hover(place);
        showBrush(event);
        const isOver = store.tool !== "eyedropper" && hitAt(store, place, REACH / viewport.scale) !== null;
        element.toggleAttribute("data-over-hint", isOver && !event.target.closest(WIDGETS));
    }

    function showBrush(event) {
        const shows = store.tool === "brush" && event.pointerType !== "touch" && !event.target.closest(WIDGETS);
        const place = placeOf(event);
        store.setSketch({ brush: shows ? Object.freeze({ ...place, radius: brushWidth / 2 }) : null });
    }

    function abort() {
        if (gesture?.kind === "move" && gesture.moves) store.undo();
        gesture = null;
        drawing.cancel();
    }

    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", (event) => gesture?.id === event.pointerId && abort());
    element.addEventListener("pointerleave", () => store.setSketch({ brush: null }));
    element.addEventListener("dblclick", () => drawing.isByCorners && finish());
    element.addEventListener("contextmenu", (event) => gesture && event.preventDefault());
    store.addEventListener("tool", () => {
        if (store.tool !== "eyedropper") formerTool = store.tool;
        element.dataset.tool = store.tool;
        drawing.cancel();
        store.setSketch({ brush: null });
    });
    store.addEventListener("photo", () => {
        gesture = null;
        drawing.cancel();
        setBrushWidth(Math.min(store.photo.width, store.photo.height) * BRUSH_SHARE);
    });
    element.dataset.tool = store.tool;

    function setBrushWidth(width) {
        brushWidth = Math.min(Math.max(width, 1), Math.min(store.photo.width, store.photo.height));
        const { brush } = store.sketch;
        if (brush) store.setSketch({ brush: Object.freeze({ ...brush, radius: brushWidth / 2 }) });
        events.dispatchEvent(new CustomEvent("brush"));
    }

    return {
        addEventListener: events.addEventListener.bind(events),
        /** Px of the photograph. */
        get brushWidth() {
            return brushWidth;
        },
        setBrushWidth,
        lastColor,
        /** Begins a point at a place, as a click does. */
        placeAt(x, y) {
            store.setTool("point");
            placePoint({ x, y });
        },
        /** Applies the nth of the likeliest colours; returns false if none are shown. */
        chooseNth(n) {
            if (popup.isOpen) popup.chooseNth(n);
            return popup.isOpen;
        },

        // The keyboard

        /** Moves the keyboard's cursor, which draws if a stroke has been begun, or moves the hint it holds. */
        moveCursor(dx, dy, fast) {
            if (!store.photo) return;
            const place = cursor.move(dx, dy, fast);
            if (cursor.holds) dragWithCursor(place);
            else if (drawing.isByCorners) drawing.hover(place);
            else if (drawing.isActive) drawing.add(place);
        },
        /** What a click does, at the cursor; `same` is with the colour used last. */
        act(same = false) {
            if (!store.photo) return;
            const place = cursor.show();
            const color = same ? lastColor() : null;
            // a tool that draws may begin on a hint, too
            const hit = store.tool === "point" ? hitAt(store, place, REACH / viewport.scale) : null;
            if (cursor.holds) release();
            else if (store.tool === "eyedropper") pick(place, viewport.mode === "original" ? "original" : "result");
            else if (drawing.isByCorners) {
                if (drawing.addCorner(place)) finish(color);
            } else if (drawing.isActive) finish(color);
            else if (hit) openHit(hit);
            else if (store.tool === "brush") {
                drawing.beginStroke(place, brushWidth);
                store.announce("The arrow keys draw now; Enter ends the stroke.");
            } else if (store.tool === "pan") viewport.centerOn(place.x, place.y);
            else {
                click(place, null, color);
                if (drawing.isByCorners) store.announce("First corner. Enter sets more, C closes the outline.");
            }
        },
        /** Closes an outline that is set corner by corner. */
        closeOutline: () => drawing.isByCorners && finish(),
        /** Takes hold of the selected hint, or of that at the cursor, for the arrow keys to move; or lets it go. */
        grab() {
            if (!store.photo) return;
            if (cursor.holds) return release();
            const hit = hitAt(store, cursor.show(), REACH / viewport.scale);
            const index = store.selected ?? hit?.hint ?? null;
            if (index === null) return store.announce("No hint is selected or at the cursor.");
            popup.close();
            store.select(index);
            cursor.hold(store.recipe.hints[index], `drag ${++gestures}`);
            store.announce(`${kindOf(cursor.holds.hint)} ${index + 1} held: the arrow keys move it, Enter lets it go.`);
        },
        /** Removes the latest corner of an outline, or what is selected. */
        remove() {
            if (drawing.isByCorners) return drawing.takeBack();
            if (popup.isOpen) return popup.remove();
            const { recipe, selected, selectedArea } = store;
            if (selected !== null) store.change(`Delete ${recipe.hints[selected].type}`, withoutHint(recipe, selected));
            else if (selectedArea !== null) store.change("Unprotect an area", withoutProtected(recipe, selectedArea));
        },
        /** Ends whatever has been begun; returns whether there was something. */
        cancel() {
            if (cursor.holds) {
                if (cursor.holds.moves) store.undo();
                cursor.release();
            } else if (drawing.isActive || gesture) abort();
            else if (popup.isOpen) popup.close();
            else if (store.selected !== null || store.selectedArea !== null) store.select(null);
            else if (cursor.isShown) cursor.hide();
            else return false;
            return true;
        },
    };

    function dragWithCursor(place) {
        const { hint, merge, from } = cursor.holds;
        cursor.holds.moves = true;
        const next = moved(hint, place.x - from.x, place.y - from.y, store.photo);
        store.change(`Move ${hint.type}`, withHintAt(store.recipe, store.selected, next), { merge });
    }

    function release() {
        cursor.release();
        store.announce("Let go.");
    }
}
