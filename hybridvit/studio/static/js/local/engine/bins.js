/** The 313 ab bins, and what distributions over them say (hybridvit/color/bins.py, inference/sampling.py). */

const ROWS = [
    [-90, 50, 90], [-80, 20, 90], [-70, 0, 90], [-60, -20, 90], [-50, -30, 100], [-40, -40, 100], [-30, -50, 100],
    [-20, -50, 100], [-10, -60, 100], [0, -70, 100], [10, -80, 90], [20, -80, 90], [30, -90, 90], [40, -100, 90],
    [50, -100, 80], [60, -110, 80], [70, -110, 80], [80, -110, 70], [90, -110, 70], [100, -90, 0],
];
const STEP = 10;
const SURE = 10; // ab units: within them a colour counts as the same
const ANNEALED = 0.38;

/** [a, b] of each. */
export const CENTRES = ROWS.flatMap(([a, first, last]) => Array.from({ length: (last - first) / STEP + 1 }, (_, i) => [a, first + STEP * i]));
export const BINS = CENTRES.length;
const [A, B] = [0, 1].map((axis) => Float64Array.from(CENTRES, (centre) => centre[axis]));

/** @typedef {{data: Float32Array | Float64Array, rows: number, columns: number}} Cells of BINS numbers each */

/** Some cells, in a row. @param {Cells} cells @param {number[]} some @returns {Cells} */
export function chosenCells({ data }, some) {
    const out = new Float32Array(some.length * BINS);
    some.forEach((cell, i) => out.set(data.subarray(cell * BINS, (cell + 1) * BINS), i * BINS));
    return { data: out, rows: 1, columns: some.length };
}

/** Probabilities in each cell. @param {Cells} logits @returns {Cells} */
export function probabilities({ data, rows, columns }, temperature = 1) {
    const out = new Float64Array(data.length);
    for (let start = 0; start < data.length; start += BINS) {
        let most = -Infinity;
        for (let i = 0; i < BINS; i++) most = Math.max(most, data[start + i]);
        let sum = 0;
        for (let i = 0; i < BINS; i++) sum += out[start + i] = Math.exp((data[start + i] - most) / temperature);
        for (let i = 0; i < BINS; i++) out[start + i] /= sum;
    }
    return { data: out, rows, columns };
}

/** Mean a and b of each cell: two planes, interleaved. @param {Cells} probs */
export function meansOf({ data, rows, columns }) {
    const out = new Float64Array(2 * rows * columns);
    for (let cell = 0; cell < rows * columns; cell++) {
        for (let i = 0; i < BINS; i++) {
            out[2 * cell] += data[cell * BINS + i] * A[i];
            out[2 * cell + 1] += data[cell * BINS + i] * B[i];
        }
    }
    return out;
}

/** Standard deviation of each cell, ab units. @param {Cells} probs */
export function spreadOf(probs) {
    const means = meansOf(probs);
    return Float64Array.from({ length: probs.rows * probs.columns }, (_, cell) => {
        let square = 0;
        for (let i = 0; i < BINS; i++) square += probs.data[cell * BINS + i] * (A[i] * A[i] + B[i] * B[i]);
        return Math.sqrt(Math.max(square - means[2 * cell] ** 2 - means[2 * cell + 1] ** 2, 0));
    });
}

/** Probability that the colour of a cell is further off than is seen at once. @param {Cells} logits */
export function doubtOf(logits) {
    const means = meansOf(probabilities(logits, ANNEALED));
    const probs = probabilities(logits).data;
    return Float32Array.from({ length: logits.rows * logits.columns }, (_, cell) => {
        let sum = 0;
        for (let i = 0; i < BINS; i++) {
            if ((means[2 * cell] - A[i]) ** 2 + (means[2 * cell + 1] - B[i]) ** 2 > SURE ** 2) sum += probs[cell * BINS + i];
        }
        return sum;
    });
}
