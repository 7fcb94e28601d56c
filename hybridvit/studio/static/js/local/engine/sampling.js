/** Diverse colourings: colours drawn a few places at a time, each draw seeing the last (hybridvit/inference/sampling.py). */

import { BINS, CENTRES, probabilities, spreadOf } from "./bins.js";
import { chooseCells } from "./influence.js";
import { randomOf } from "./random.js";

const [ROUNDS, TEMPERATURE, STRIDE, HINT] = [[2, 4, 8], 0.7, 8, 4];

/** Cells that hold a hint. @returns {Uint8Array} */
export function givenCells({ mask, height, width }, rows, columns) {
    const cells = new Uint8Array(rows * columns);
    for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i++) if (mask[i]) cells[Math.floor(y / STRIDE) * columns + Math.floor(x / STRIDE)] = 1;
    }
    return cells;
}

/**
 * The hints with drawn ones beside them.
 * @param {(hints: object) => Promise<import("./bins.js").Cells>} predict logits for hints
 */
export async function withSamples(predict, hints, seed) {
    const random = randomOf(seed);
    const drawn = { ...hints, ab: hints.ab.slice(), mask: hints.mask.slice() };
    for (const count of ROUNDS) {
        const logits = await predict({ ...drawn, ab: drawn.ab.slice(), mask: drawn.mask.slice() });
        const [sharp, probs] = [probabilities(logits, TEMPERATURE), probabilities(logits)];
        const { rows, columns } = probs;
        const allowed = givenCells(drawn, rows, columns).map((is) => 1 - is);
        for (const { row, column } of chooseCells(probs, new Float64Array(rows * columns), spreadOf(probs), allowed, count)) {
            const [a, b] = CENTRES[choice(sharp.data.subarray((row * columns + column) * BINS, (row * columns + column + 1) * BINS), random())];
            const start = (STRIDE - HINT) / 2;
            for (let y = row * STRIDE + start; y < Math.min(row * STRIDE + start + HINT, drawn.height); y++) {
                for (let x = column * STRIDE + start; x < Math.min(column * STRIDE + start + HINT, drawn.width); x++) {
                    const i = y * drawn.width + x;
                    if (!drawn.mask[i]) [drawn.ab[2 * i], drawn.ab[2 * i + 1]] = [a, b];
                    drawn.mask[i] = 1;
                }
            }
        }
    }
    return drawn;
}

/** As NumPy's choice: the first whose cumulative probability is above. */
function choice(probs, value) {
    const sums = [];
    probs.reduce((sum, prob, i) => (sums[i] = sum + prob), 0);
    return Math.min(sums.findIndex((sum) => sum / sums.at(-1) > value), BINS - 1);
}
