/** Where the window beside a hint goes: within the picture's frame; on a narrow screen it is a sheet below. */

const GAP = 22; // CSS px from the place, so that what is there is seen
const MARGIN = 8;
const NARROW = matchMedia("(max-width: 720px)"); // as in tools.css
const CLEARANCE = 48; // CSS px kept free above the sheet

/**
 * @param {HTMLElement} element position: fixed
 * @param {{x: number, y: number}} place in the photograph
 * @param {import("./viewport.js").Viewport} viewport
 */
export function placeBeside(element, { x, y }, viewport) {
    const frame = viewport.element.getBoundingClientRect();
    const on = viewport.toScreen(x, y);
    const [pointX, pointY] = [frame.left + on.x, frame.top + on.y];
    if (NARROW.matches) {
        element.style.left = element.style.top = "";
        return;
    }
    const { offsetWidth: width, offsetHeight: height } = element;
    const right = Math.min(frame.right, innerWidth) - MARGIN;
    const bottom = Math.min(frame.bottom, innerHeight) - MARGIN;
    const beside = pointX + GAP + width <= right ? pointX + GAP : pointX - GAP - width;
    const left = within(beside, Math.max(frame.left, 0) + MARGIN, right - width);
    const top = within(pointY - height / 3, Math.max(frame.top, 0) + MARGIN, bottom - height);
    element.style.left = `${Math.round(left)}px`;
    element.style.top = `${Math.round(top)}px`;
}

/**
 * On a narrow screen: moves the picture so that a place is not under the sheet.
 * @returns {number} by how much, CSS px down
 */
export function keepVisible(element, { x, y }, viewport) {
    if (!NARROW.matches) return 0;
    const frame = viewport.element.getBoundingClientRect();
    const pointY = frame.top + viewport.toScreen(x, y).y;
    const lowest = Math.min(element.getBoundingClientRect().top - CLEARANCE, frame.bottom);
    if (pointY <= lowest) return 0;
    viewport.panBy(0, lowest - pointY);
    return lowest - pointY;
}

function within(value, least, most) {
    return Math.max(Math.min(value, most), least);
}
