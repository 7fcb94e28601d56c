/**
 * Zooming and moving the picture by wheel, pinch and drag. One finger or the left button belongs to the tool; two
 * fingers, the middle button, the tool "pan" and the left button with the space bar held belong to the view. Those
 * never reach the tools; one finger that turns out to be the first of two is taken back from them by a "pointercancel".
 */

const WHEEL_ZOOM = 0.0015; // of the scale's logarithm, for a pixel of turning
const PINCH_ZOOM = 0.01; // the same for a touchpad's pinch, which arrives as a wheel with Ctrl
const LINE = 16; // px
const WIDGETS = "button, input, select, textarea, dialog, [role=slider], [data-overlay]"; // these keep their pointers

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {EventTarget & {tool: string}} store
 */
export function createGestures(viewport, store) {
    const { element } = viewport;
    const touches = new Map(); // pointerId -> {x, y}
    let drag = null; // the pointer that moves the picture: {id, x, y}
    let space = false;

    const isWidget = (target) => target.closest(WIDGETS) !== null;

    function take(event) {
        event.preventDefault();
        event.stopImmediatePropagation();
    }

    function down(event) {
        if (isWidget(event.target)) return;
        if (event.pointerType === "touch") {
            touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
            if (touches.size > 1) return beginPinch(event);
        }
        const isView = event.button === 1 || (event.button === 0 && (space || store.tool === "pan"));
        if (!isView || drag) return;
        take(event);
        element.focus({ preventScroll: true });
        beginDrag(event);
    }

    function beginDrag({ pointerId, clientX, clientY }) {
        drag = { id: pointerId, x: clientX, y: clientY };
        capture(pointerId);
        element.toggleAttribute("data-moving", true);
    }

    function beginPinch(event) {
        take(event);
        endDrag();
        for (const pointerId of touches.keys()) {
            if (pointerId === event.pointerId) continue;
            const cancel = { pointerId, pointerType: "touch", bubbles: true, isPrimary: true };
            element.dispatchEvent(new PointerEvent("pointercancel", cancel));
        }
        for (const pointerId of touches.keys()) capture(pointerId);
    }

    function capture(pointerId) {
        try {
            element.setPointerCapture(pointerId);
        } catch {
            // the finger has been lifted in between
        }
    }

    function move(event) {
        if (touches.size > 1 && touches.has(event.pointerId)) return pinch(event);
        if (touches.has(event.pointerId)) touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
        if (drag?.id !== event.pointerId) return;
        take(event);
        viewport.panBy(event.clientX - drag.x, event.clientY - drag.y);
        [drag.x, drag.y] = [event.clientX, event.clientY];
    }

    function pinch(event) {
        take(event);
        const before = span();
        touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
        const after = span();
        const { x, y } = viewport.toImage(before.x, before.y);
        if (before.length > 0) viewport.zoomTo((viewport.scale * after.length) / before.length, x, y);
        viewport.panBy(after.x - before.x, after.y - before.y);
    }

    /** The middle of the first two fingers, and how far they are apart. */
    function span() {
        const [a, b] = touches.values();
        return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.hypot(a.x - b.x, a.y - b.y) };
    }

    function up(event) {
        if (!event.isTrusted) return; // our own "pointercancel"
        const pinching = touches.size > 1;
        touches.delete(event.pointerId);
        if (!pinching && drag?.id !== event.pointerId) return;
        take(event);
        endDrag();
        // the finger that stays goes on moving the picture: it never begins to draw
        const [rest] = touches;
        if (rest) beginDrag({ pointerId: rest[0], clientX: rest[1].x, clientY: rest[1].y });
    }

    function endDrag() {
        drag = null;
        element.toggleAttribute("data-moving", false);
    }

    function wheel(event) {
        if (event.target.closest("[data-overlay]")) return;
        event.preventDefault();
        const turned = event.deltaY * (event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? element.clientHeight : 1);
        const speed = event.ctrlKey ? PINCH_ZOOM : WHEEL_ZOOM;
        const { x, y } = viewport.toImage(event.clientX, event.clientY);
        viewport.zoomTo(viewport.scale * Math.exp(-Math.max(Math.min(turned, 300), -300) * speed), x, y);
    }

    function key(event) {
        if (event.key !== " ") return;
        const typing = event.target.closest?.("input, select, textarea, button, summary, a, [role=slider]");
        const held = event.type === "keydown" && !typing;
        if (held) event.preventDefault(); // it would scroll
        space = held;
        element.toggleAttribute("data-space", space);
    }

    element.addEventListener("pointerdown", down, { capture: true });
    element.addEventListener("pointermove", move, { capture: true });
    element.addEventListener("pointerup", up, { capture: true });
    element.addEventListener("pointercancel", up, { capture: true });
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("auxclick", (event) => event.preventDefault());
    addEventListener("keydown", key);
    addEventListener("keyup", key);
    addEventListener("blur", () => {
        space = false;
        element.removeAttribute("data-space");
    });
}
