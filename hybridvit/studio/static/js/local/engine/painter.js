/**
 * Chroma from the model's view to full resolution, along the edges of the lightness, over the untouched lightness
 * (hybridvit/inference/upsampling.py, full_resolution.py): by rectangles, so that a whole picture never is in memory.
 */

import { composed, grayLightness, lightnessOf } from "./light.js";
import { ofRecipe } from "./rasters.js";

const TEXTURE = 50; // squared L units
const SHARPNESS = -0.75;
const TAPS = 4;
const OPAQUE = 0xff000000;

const ofLightness = new WeakMap(); // L -> what the slopes need of it, whatever the colours

function guideOf(L, height, width) {
    let guide = ofLightness.get(L);
    if (!guide) {
        const l = centred(L, 0, 1);
        const mean = meanAround(l, height, width);
        const variance = meanAround(l.map((value) => value * value), height, width).map((value, i) => value - mean[i] ** 2);
        guide = { l, mean, variance, plane: Float32Array.from(L) };
        ofLightness.set(L, guide);
    }
    return guide;
}

/** A plane of several that are interleaved, less its mean. */
function centred(data, first, step) {
    const out = new Float64Array(data.length / step);
    let sum = 0;
    for (let i = 0, at = first; i < out.length; i++, at += step) sum += out[i] = data[at];
    const mean = sum / out.length;
    for (let i = 0; i < out.length; i++) out[i] -= mean;
    return out;
}

/** a, b, L, and the slopes of a and b over L, at the view. @returns {Float32Array[]} */
export function guideMaps(ab, L, height, width) {
    const { l, mean, variance, plane } = guideOf(L, height, width);
    const size = l.length;
    const colors = [new Float32Array(size), new Float32Array(size)];
    const slopes = colors.map((color, c) => {
        for (let i = 0; i < size; i++) color[i] = ab[2 * i + c];
        const x = centred(ab, c, 2);
        const meanX = meanAround(x, height, width);
        for (let i = 0; i < size; i++) x[i] *= l[i];
        const slope = meanAround(x, height, width);
        for (let i = 0; i < size; i++) slope[i] = (slope[i] - mean[i] * meanX[i]) / (variance[i] + TEXTURE);
        return Float32Array.from(meanAround(slope, height, width));
    });
    return [...colors, plane, ...slopes];
}

/** Means of 3 x 3; beyond the border its pixels go on. */
function meanAround(plane, height, width) {
    const out = new Float64Array(plane.length);
    const sums = new Float64Array(width); // of three rows
    for (let y = 0; y < height; y++) {
        const [above, here, below] = [Math.max(y - 1, 0) * width, y * width, Math.min(y + 1, height - 1) * width];
        for (let x = 0; x < width; x++) sums[x] = plane[above + x] + plane[here + x] + plane[below + x];
        const last = width - 1;
        for (let x = 1; x < last; x++) out[here + x] = (sums[x - 1] + sums[x] + sums[x + 1]) / 9;
        out[here] = (2 * sums[0] + sums[Math.min(1, last)]) / 9;
        out[here + last] = (2 * sums[last] + sums[Math.max(last - 1, 0)]) / 9;
    }
    return out;
}

function cubic(x) {
    const [far, a] = [Math.abs(x), SHARPNESS];
    if (far <= 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
    return far < 2 ? a * (((far - 5) * far + 8) * far - 4) : 0;
}

/** For pixels from `start` on: the four pixels of the view, and their weights; none beyond 0..size. */
function tapsOf(size, view, start, count) {
    const index = new Int32Array(TAPS * count);
    const weights = new Float64Array(TAPS * count);
    for (let i = 0; i < count; i++) {
        const middle = start + i + 0.5;
        const position = (Math.min(Math.max(middle, 0.5), Math.max(0.5, size - 0.5)) * view) / size - 0.5;
        const first = Math.floor(position) - 1;
        for (let k = 0; k < TAPS; k++) {
            index[TAPS * i + k] = Math.min(Math.max(first + k, 0), view - 1);
            weights[TAPS * i + k] = middle < 0 || middle > size ? 0 : cubic(position - first - k);
        }
    }
    return { index, weights };
}

/**
 * @param {import("../decoded.js").Pixels[]} levels of the photograph @param {number} level that is painted
 * @param {object} recipe whose hints are painted as they were given
 * @param {{ab: Float32Array, L: Float32Array, height: number, width: number}} view
 * @param {import("../levels.js").Box} inside what the view spans, px of the whole photograph
 * @param {Float32Array[]} [maps] `guideMaps`, where they are known
 */
export function createPainter(levels, level, recipe, view, inside, maps = guideMaps(view.ab, view.L, view.height, view.width)) {
    const pixels = levels[level];
    const [whole] = levels;
    const [down, across] = [pixels.height / whole.height, pixels.width / whole.width];
    const [top, left] = [inside.top * down, inside.left * across];
    const [height, width] = [inside.height * down, inside.width * across];

    /** @returns {Uint8ClampedArray} RGBA */
    function tile(firstRow, firstColumn, rows, columns) {
        const rgba = new Uint8ClampedArray(4 * rows * columns);
        const out = new Uint32Array(rgba.buffer);
        const vertical = tapsOf(height, view.height, firstRow - top, rows);
        const horizontal = tapsOf(width, view.width, firstColumn - left, columns);
        const begin = horizontal.index.reduce((least, i) => Math.min(least, i), Infinity);
        const span = horizontal.index.reduce((most, i) => Math.max(most, i), 0) - begin + 1;
        const [lineA, lineB, lineL, slopeA, slopeB] = maps.map(() => new Float64Array(span));
        const [mapA, mapB, mapL, mapSlopeA, mapSlopeB] = maps;
        const { index, weights } = horizontal;
        const { channels, data } = pixels;
        for (let y = 0, to = 0; y < rows; y++) {
            for (const line of [lineA, lineB, lineL, slopeA, slopeB]) line.fill(0);
            for (let t = 0; t < TAPS; t++) {
                const weight = vertical.weights[TAPS * y + t];
                let at = vertical.index[TAPS * y + t] * view.width + begin;
                for (let x = 0; x < span; x++, at++) {
                    lineA[x] += weight * mapA[at];
                    lineB[x] += weight * mapB[at];
                    lineL[x] += weight * mapL[at];
                    slopeA[x] += weight * mapSlopeA[at];
                    slopeB[x] += weight * mapSlopeB[at];
                }
            }
            let from = ((firstRow + y) * pixels.width + firstColumn) * channels;
            for (let x = 0; x < columns; x++, from += channels, to++) {
                let a = 0;
                let b = 0;
                let l = 0;
                let sa = 0;
                let sb = 0;
                for (let at = TAPS * x; at < TAPS * x + TAPS; at++) {
                    const weight = weights[at];
                    const i = index[at] - begin;
                    a += weight * lineA[i];
                    b += weight * lineB[i];
                    l += weight * lineL[i];
                    sa += weight * slopeA[i];
                    sb += weight * slopeB[i];
                }
                const L = channels === 1 ? grayLightness[data[from]] : lightnessOf(data[from], data[from + 1], data[from + 2]);
                const detail = L - l;
                out[to] = composed(L, a + sa * detail, b + sb * detail) | OPAQUE;
            }
        }
        paintHints(out, { top: firstRow, left: firstColumn, height: rows, width: columns });
        return rgba;
    }

    /** Hints' pixels have their colours, as far as the gamut has room; of a level, those whose middle lies in a hint. */
    function paintHints(out, box) {
        if (!recipe.hints.length && !recipe.protected?.length) return;
        const step = 2 ** level;
        const [firstRow, firstColumn] = [box.top * step, box.left * step];
        const window = {
            top: firstRow,
            left: firstColumn,
            height: Math.min(box.height * step, whole.height - firstRow),
            width: Math.min(box.width * step, whole.width - firstColumn),
        };
        const half = step >> 1;
        for (const hint of ofRecipe(recipe, whole.height, whole.width, window)) {
            const begin = (start) => Math.ceil((start - half) / step);
            for (let row = begin(hint.top); row * step + half < hint.top + hint.height; row++) {
                for (let column = begin(hint.left); column * step + half < hint.left + hint.width; column++) {
                    if (!hint.mask[(row * step + half - hint.top) * hint.width + column * step + half - hint.left]) continue;
                    if (row - box.top >= box.height || column - box.left >= box.width) continue;
                    const at = (row * pixels.width + column) * pixels.channels;
                    const { channels, data } = pixels;
                    const L = channels === 1 ? grayLightness[data[at]] : lightnessOf(data[at], data[at + 1], data[at + 2]);
                    out[(row - box.top) * box.width + column - box.left] = (composed(L, hint.ab[0], hint.ab[1]) | OPAQUE) >>> 0;
                }
            }
        }
    }

    return { tile };
}
