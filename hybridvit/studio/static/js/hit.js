/** What of the hints is at a place: handles first, then markers, then lines, the ones on top before those below. */

import { anchor, corners, distanceToPath } from "./shapes.js";

const REACH = 11; // CSS px from a marker's middle, or from a line
const TOUCH_REACH = 22;

/** How near a pointer must come, CSS px. */
export function reachOf(pointerType) {
    return pointerType === "touch" ? TOUCH_REACH : REACH;
}

/**
 * @param {{recipe: object, selected: number | null, photo: object}} store
 * @param {{x: number, y: number}} place
 * @param {number} reach px of the photograph
 * @returns {{hint?: number, corner?: number, area?: number} | null} a hint, or an area
 */
export function hitAt({ recipe, selected, photo }, place, reach) {
    const { hints, protected: areas } = recipe;
    const near = (shape) => distance(anchor(shape, photo), place) <= reach;
    const chosen = hints[selected];
    if (chosen && hasHandles(chosen)) {
        const corner = corners(chosen).findIndex(([x, y]) => distance({ x, y }, place) <= reach);
        if (corner >= 0) return { hint: selected, corner };
    }
    if (chosen && near(chosen)) return { hint: selected };
    const marked = hints.findLastIndex(near);
    if (marked >= 0) return { hint: marked };
    const area = areas.findLastIndex(near);
    if (area >= 0) return { area };
    const onLine = (hint) => hint.type !== "point" && distanceToPath(lineOf(hint), place.x, place.y) <= reach;
    const lined = hints.findLastIndex(onLine);
    return lined >= 0 ? { hint: lined } : null;
}

const MOST_HANDLES = 24; // a drawn line may have hundreds of corners, and none could be taken hold of

/** Whether the corners of a hint can be moved one by one when it is selected. */
export function hasHandles(hint) {
    return hint.type !== "point" && !hint.mask && corners(hint).length <= MOST_HANDLES;
}

/** The line that is drawn of a stroke or region. */
function lineOf(hint) {
    const path = corners(hint);
    return hint.points ? path : [...path, path[0]];
}

function distance(one, other) {
    return Math.hypot(one.x - other.x, one.y - other.y);
}
