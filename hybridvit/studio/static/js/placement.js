/** Where the window beside a hint goes: within the picture's frame; on a narrow screen it is a sheet below. */

const GAP = 22; // CSS px from the place, so that what is there is seen
const CLEAR = 14; // of them at least
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
    const whole = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const { edges } = viewport;
    const picture = { left: frame.left + edges.left, right: frame.left + edges.right };
    const places = [
        // on a large screen beside the picture: then it covers none of it
        { left: picture.right + MARGIN, top: pointY - height / 3, within: frame, strict: true },
        { left: picture.left - MARGIN - width, top: pointY - height / 3, within: frame, strict: true },
        { left: pointX + GAP, top: pointY - height / 3, within: frame },
        { left: pointX - GAP - width, top: pointY - height / 3, within: frame },
        { left: pointX - width / 2, top: pointY + GAP, within: frame },
        { left: pointX - width / 2, top: pointY - GAP - height, within: frame },
        // at the worst over what is beside the picture, but not over the place
        { left: pointX + GAP, top: pointY - height / 3, within: whole },
        { left: pointX - GAP - width, top: pointY - height / 3, within: whole },
    ];
    const fitted = places.map((one) => fit(one, width, height));
    const best = fitted.find((one) => one && isClear(one, pointX, pointY, width, height)) ?? fitted[2];
    moveTo(element, best.left, best.top);
}

/** Puts the window somewhere on the screen, wholly. */
export function moveTo(element, left, top) {
    const { offsetWidth: width, offsetHeight: height } = element;
    element.style.left = `${Math.round(within(left, MARGIN, innerWidth - MARGIN - width))}px`;
    element.style.top = `${Math.round(within(top, MARGIN, innerHeight - MARGIN - height))}px`;
}

/** Whether a window where it is leaves a place of the photograph in sight. */
export function leavesInSight(element, { x, y }, viewport) {
    const frame = viewport.element.getBoundingClientRect();
    const { left, top, width, height } = element.getBoundingClientRect();
    const on = viewport.toScreen(x, y);
    return isClear({ left, top }, frame.left + on.x, frame.top + on.y, width, height);
}

function fit({ left, top, within: frame, strict = false }, width, height) {
    const [least, most] = [Math.max(frame.left, 0) + MARGIN, Math.min(frame.right, innerWidth) - MARGIN - width];
    if (strict && (left < least || left > most)) return null;
    const lowest = Math.min(frame.bottom, innerHeight) - MARGIN - height;
    return { left: within(left, least, most), top: within(top, Math.max(frame.top, 0) + MARGIN, lowest) };
}

function isClear({ left, top }, x, y, width, height) {
    const inside = (at, start, size) => at > start - CLEAR && at < start + size + CLEAR;
    return !(inside(x, left, width) && inside(y, top, height));
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
