/** A window that is moved by its head, and then stays there. On a narrow screen it is a sheet and does not move. */

import { moveTo } from "./placement.js";

/**
 * @param {HTMLElement} element position: fixed
 * @param {HTMLElement} head
 */
export function createWindowHandle(element, head) {
    let moved = false;
    let grip = null; // where in the window it is held

    head.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || event.target.closest("button") || head.parentElement.offsetWidth === innerWidth) return;
        const { left, top } = element.getBoundingClientRect();
        grip = { x: event.clientX - left, y: event.clientY - top };
        head.setPointerCapture(event.pointerId);
    });
    head.addEventListener("pointermove", (event) => {
        if (!grip) return;
        moved = true;
        moveTo(element, event.clientX - grip.x, event.clientY - grip.y);
    });
    for (const end of ["pointerup", "pointercancel"]) head.addEventListener(end, () => (grip = null));

    return {
        /** Whether the user has put it where it is. */
        get isMoved() {
            return moved;
        },
        reset: () => (moved = false),
    };
}
