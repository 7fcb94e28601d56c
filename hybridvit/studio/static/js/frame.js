/**
 * What of a photograph is shown and saved: a crop of the whole upright picture, then quarter turns clockwise, as
 * hybridvit/hints/frame.py has it. Places of the whole picture are "whole", those of what is shown are "shown".
 *
 * @typedef {{x: number, y: number, width: number, height: number}} Crop
 * @typedef {{turns: number, crop: Crop | null}} Frame
 * @typedef {import("./pyramid.js").Box} Box
 */

/** @type {Frame} */
export const WHOLE = Object.freeze({ turns: 0, crop: null });

/** @param {{turns?: number, crop?: Crop | null}} [json] of a sidecar @returns {Frame} */
export function frameOf({ turns = 0, crop = null } = {}) {
    return Object.freeze({ turns, crop: crop && Object.freeze({ ...crop }) });
}

/** For a sidecar: what is as without it is left out; undefined of the whole picture. @param {Frame} frame */
export function frameToJson({ turns, crop }) {
    if (!turns && !crop) return undefined;
    return { ...(turns && { turns }), ...(crop && { crop }) };
}

/** @param {Frame} frame @param {{width: number, height: number}} photo @returns {Crop} */
export function cropOf({ crop }, { width, height }) {
    return crop ?? { x: 0, y: 0, width, height };
}

/** Width and height of what is shown. @param {Frame} frame @param {{width: number, height: number}} photo */
export function shownSize(frame, photo) {
    const { width, height } = cropOf(frame, photo);
    return frame.turns % 2 ? { width: height, height: width } : { width, height };
}

/** @param {Frame} frame @param {{width: number, height: number}} photo @param {{x: number, y: number}} place */
export function toShown(frame, photo, { x, y }) {
    const crop = cropOf(frame, photo);
    const [u, v] = [x - crop.x, y - crop.y];
    return [
        { x: u, y: v },
        { x: crop.height - v, y: u },
        { x: crop.width - u, y: crop.height - v },
        { x: v, y: crop.width - u },
    ][frame.turns];
}

/** @param {Frame} frame @param {{width: number, height: number}} photo @param {{x: number, y: number}} place */
export function toWhole(frame, photo, { x, y }) {
    const crop = cropOf(frame, photo);
    const [u, v] = [
        [x, y],
        [y, crop.height - x],
        [crop.width - x, crop.height - y],
        [crop.width - y, x],
    ][frame.turns];
    return { x: u + crop.x, y: v + crop.y };
}

/** A direction of the screen in the whole picture. @param {Frame} frame */
export function directionIn({ turns }, dx, dy) {
    return [
        [dx, dy],
        [dy, -dx],
        [-dx, -dy],
        [-dy, dx],
    ][turns];
}

/** The rectangle between two places. @returns {Box} */
export function boxBetween(one, other) {
    const sorted = (a, b) => (a < b ? [a, b] : [b, a]);
    const [[left, right], [top, bottom]] = [sorted(one.x, other.x), sorted(one.y, other.y)];
    return { left, top, right, bottom };
}

/** @param {Frame} frame @param {{width: number, height: number}} photo @param {Box} box @returns {Box} */
export function boxToWhole(frame, photo, { left, top, right, bottom }) {
    return boxBetween(toWhole(frame, photo, { x: left, y: top }), toWhole(frame, photo, { x: right, y: bottom }));
}

/** @param {Frame} frame @param {{width: number, height: number}} photo @param {Box} box @returns {Box} */
export function boxToShown(frame, photo, { left, top, right, bottom }) {
    return boxBetween(toShown(frame, photo, { x: left, y: top }), toShown(frame, photo, { x: right, y: bottom }));
}

/** Turned further. @param {Frame} frame @param {number} by quarter turns clockwise @returns {Frame} */
export function turned({ turns, crop }, by) {
    return frameOf({ turns: (turns + by + 4) % 4, crop });
}

/**
 * With another crop: the whole pixels of a box, or none if it is all.
 *
 * @param {Frame} frame
 * @param {{width: number, height: number}} photo
 * @param {Box} box
 */
export function cropped({ turns }, { width, height }, box) {
    const [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom].map(Math.round);
    const isAll = left <= 0 && top <= 0 && right >= width && bottom >= height;
    return frameOf({ turns, crop: isAll ? null : { x: left, y: top, width: right - left, height: bottom - top } });
}
