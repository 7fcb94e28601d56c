/**
 * A picture in its frame (hybridvit/hints/frame.py: first cropped, then turned clockwise by quarter turns), strip by strip
 * of what comes out, so that no more than a strip of it is in memory.
 */

import { TILE } from "./levels.js";

/** @typedef {{turns: number, crop: {x: number, y: number, width: number, height: number} | null}} Frame */

/** Width and height of what the frame shows. @param {Frame} frame */
export function framedSize({ turns, crop }, { width, height }) {
    const size = crop ?? { width, height };
    return turns % 2 ? { width: size.height, height: size.width } : { width: size.width, height: size.height };
}

/**
 * @param {{width: number, height: number}} whole the picture @param {Frame} frame
 * @param {(box: import("./levels.js").Box) => Uint8ClampedArray | Uint8Array} paint RGBA of a box that begins at multiples of TILE
 * @returns {Generator<{rgba: Uint8ClampedArray<ArrayBuffer>, top: number, width: number, rows: number}>}
 */
export function* framedStrips(whole, { turns, crop }, paint) {
    const seen = crop ?? { x: 0, y: 0, width: whole.width, height: whole.height };
    const sideways = turns % 2 === 1;
    // Along the axis of the picture that becomes the rows of what comes out
    const [first, length, across, acrossLength] = sideways
        ? [seen.x, seen.width, seen.y, seen.height]
        : [seen.y, seen.height, seen.x, seen.width];
    const backwards = turns === 2 || turns === 3;
    const bands = [];
    for (let start = first - (first % TILE); start < first + length; start += TILE) {
        bands.push([Math.max(start, first), Math.min(start + TILE, first + length), start]);
    }
    if (backwards) bands.reverse();
    let top = 0;
    for (const [begin, end, start] of bands) {
        const from = across - (across % TILE);
        const box = sideways
            ? { left: start, top: from, width: end - start, height: across + acrossLength - from }
            : { top: start, left: from, height: end - start, width: across + acrossLength - from };
        const painted = new Uint32Array(paint(box).buffer);
        const rows = end - begin;
        const rgba = new Uint8ClampedArray(4 * rows * acrossLength);
        const out = new Uint32Array(rgba.buffer);
        const flips = turns === 1 || turns === 2; // what runs across comes out from its end to its beginning
        for (let row = 0, to = 0; row < rows; row++) {
            const along = (backwards ? end - 1 - row : begin + row) - start;
            for (let i = 0; i < acrossLength; i++) {
                const over = across - from + (flips ? acrossLength - 1 - i : i);
                out[to++] = sideways ? painted[over * box.width + along] : painted[along * box.width + over];
            }
        }
        yield { rgba, top, width: acrossLength, rows };
        top += rows;
    }
}
