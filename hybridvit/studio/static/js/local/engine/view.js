/** The model's view of a photograph, as hybridvit/inference/view.py: areas of it averaged as they are encoded. */

import { lightness } from "./light.js";
import { rounded } from "./planes.js";

const SMALLEST = 64; // px of the shorter side: below it a picture is enlarged
const LONGEST = 8; // times the shorter side: the longer side's limit

/** Height and width of the view. */
export function viewSize(height, width, shorter) {
    const [shortest, longest] = [Math.min(height, width), Math.max(height, width)];
    const scale = Math.min(shorter / shortest, Math.max(1, SMALLEST / shortest), (LONGEST * shorter) / longest);
    return { height: Math.max(1, rounded(height * scale)), width: Math.max(1, rounded(width * scale)) };
}

/**
 * L, 0..100, of a part of a picture at the view.
 * @param {{width: number, channels: number, pixels: Uint8Array}} photo
 * @param {import("../levels.js").Box} inside @param {{height: number, width: number}} size
 * @returns {import("./planes.js").Plane}
 */
export function viewLightness({ width, channels, pixels }, inside, size) {
    const line = inside.width * channels;
    const columns = partsOf(inside.width, size.width);
    const data = new Float32Array(size.height * size.width);
    const row = new Float64Array(line);
    const cell = new Float64Array(3);
    partsOf(inside.height, size.height).forEach(({ first, shares }, y) => {
        row.fill(0);
        shares.forEach((share, i) => {
            const start = ((inside.top + first + i) * width + inside.left) * channels;
            for (let k = 0; k < line; k++) row[k] += share * pixels[start + k];
        });
        columns.forEach(({ first: left, shares: along }, x) => {
            cell.fill(0);
            for (let i = 0; i < along.length; i++) {
                for (let c = 0; c < channels; c++) cell[c] += along[i] * row[(left + i) * channels + c];
            }
            if (channels === 1) cell[1] = cell[2] = cell[0];
            data[y * size.width + x] = lightness(cell[0] / 255, cell[1] / 255, cell[2] / 255);
        });
    });
    return { data, ...size };
}

/** Of each of `cells` equal parts of an axis: the first pixel, and what share of the part each one has. */
function partsOf(size, cells) {
    return Array.from({ length: cells }, (_, i) => {
        const [start, stop] = [(i * size) / cells, ((i + 1) * size) / cells];
        const [first, last] = [Math.floor(start), Math.min(Math.ceil(stop), size)];
        const shares = Array.from({ length: last - first }, (_, k) => Math.min(first + k + 1, stop) - Math.max(first + k, start));
        const sum = shares.reduce((a, b) => a + b);
        return { first, shares: shares.map((share) => share / sum) };
    });
}
