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

/** a, b, L, and the slopes of a and b over L, at the view. @returns {Float32Array[]} */
export function guideMaps(ab, L, height, width) {
    const size = L.length;
    const planes = [new Float64Array(size), new Float64Array(size), Float64Array.from(L)];
    for (let i = 0; i < size; i++) [planes[0][i], planes[1][i]] = [ab[2 * i], ab[2 * i + 1]];
    const [a, b, l] = planes.map((plane) => {
        const mean = plane.reduce((x, y) => x + y) / size;
        return plane.map((value) => value - mean);
    });
    const mean = (plane) => meanAround(plane, height, width);
    const meanL = mean(l);
    const variance = mean(l.map((value) => value * value)).map((value, i) => value - meanL[i] ** 2);
    const slopes = [a, b].map((x) => {
        const meanX = mean(x);
        return mean(mean(l.map((value, i) => value * x[i])).map((value, i) => (value - meanL[i] * meanX[i]) / (variance[i] + TEXTURE)));
    });
    return [...planes, ...slopes].map((plane) => Float32Array.from(plane));
}

function meanAround(plane, height, width) {
    const out = new Float64Array(plane.length);
    for (let y = 0; y < height; y++) {
        const rows = [Math.max(y - 1, 0), y, Math.min(y + 1, height - 1)].map((row) => row * width);
        for (let x = 0; x < width; x++) {
            const [left, right] = [Math.max(x - 1, 0), Math.min(x + 1, width - 1)];
            let sum = 0;
            for (const row of rows) sum += plane[row + left] + plane[row + x] + plane[row + right];
            out[y * width + x] = sum / 9;
        }
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
        const begin = Math.min(...horizontal.index);
        const span = Math.max(...horizontal.index) - begin + 1;
        const lines = maps.map(() => new Float64Array(span));
        const { channels, data } = pixels;
        for (let y = 0; y < rows; y++) {
            lines.forEach((line, k) => {
                const map = maps[k];
                const at = TAPS * y;
                for (let x = 0; x < span; x++) {
                    let sum = 0;
                    for (let t = 0; t < TAPS; t++) sum += vertical.weights[at + t] * map[vertical.index[at + t] * view.width + begin + x];
                    line[x] = sum;
                }
            });
            const [lineA, lineB, lineL, slopeA, slopeB] = lines;
            let from = ((firstRow + y) * pixels.width + firstColumn) * channels;
            for (let x = 0; x < columns; x++, from += channels) {
                let [a, b, l, sa, sb] = [0, 0, 0, 0, 0];
                for (let t = 0, at = TAPS * x; t < TAPS; t++, at++) {
                    const [weight, i] = [horizontal.weights[at], horizontal.index[at] - begin];
                    a += weight * lineA[i];
                    b += weight * lineB[i];
                    l += weight * lineL[i];
                    sa += weight * slopeA[i];
                    sb += weight * slopeB[i];
                }
                const L = channels === 1 ? grayLightness[data[from]] : lightnessOf(data[from], data[from + 1], data[from + 2]);
                const detail = L - l;
                out[y * columns + x] = (composed(L, a + sa * detail, b + sb * detail) | OPAQUE) >>> 0;
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
