/** What a colour known at one cell says of the others, and which cells say most (hybridvit/inference/influence.py). */

import { BINS } from "./bins.js";
import { solved } from "./planes.js";

const NEAR = { reach: 0.25, lightness: 60, shared: 0.75 };
const FITTED = { reach: 3.2, lightness: 195, shared: 0.7 };
const [LIKENESS, NOISE, APART, CANDIDATES, KNOWN, FLAT, SMALLEST, STRIDE] = [6.5, 25, 1 / 8, 1024, 256, 2, 1e-3, 8];

/** Means over cells of STRIDE px; beyond the border its pixels go on. @returns {Float64Array} */
export function cellMeans(data, height, width, channels = 1) {
    const [rows, columns] = [Math.ceil(height / STRIDE), Math.ceil(width / STRIDE)];
    const out = new Float64Array(rows * columns * channels);
    for (let y = 0; y < rows * STRIDE; y++) {
        for (let x = 0; x < columns * STRIDE; x++) {
            const from = (Math.min(y, height - 1) * width + Math.min(x, width - 1)) * channels;
            const to = (Math.floor(y / STRIDE) * columns + Math.floor(x / STRIDE)) * channels;
            for (let c = 0; c < channels; c++) out[to + c] += data[from + c] / STRIDE ** 2;
        }
    }
    return out;
}

/** Every n-th, so that at most `most` are left. */
const thinned = (list, most) => {
    const step = Math.ceil(list.length / most) || 1;
    return list.filter((_, i) => i % step === 0);
};

/** Columns of the covariance of all cells with those at `index`. @returns {Float64Array[]} */
function covarianceOf(probs, L, deviation, index, { reach, lightness, shared }) {
    const { rows, columns, data } = probs;
    const roots = Float32Array.from(data, Math.sqrt);
    return index.map((cell) => {
        const [row, column] = [Math.floor(cell / columns), cell % columns];
        return Float64Array.from({ length: rows * columns }, (_, other) => {
            if (other === cell) return deviation[cell] ** 2;
            let alike = 0;
            for (let i = 0; i < BINS; i++) alike += roots[other * BINS + i] * roots[cell * BINS + i];
            const far = Math.hypot(Math.floor(other / columns) - row, (other % columns) - column) / Math.min(rows, columns);
            const lighter = Math.abs(L[other] - L[cell]);
            return shared * Math.max(alike, 0) ** LIKENESS * Math.exp(-far / reach - lighter / lightness) * deviation[other] * deviation[cell];
        });
    });
}

const removedBy = (column, cell) => column.reduce((sum, value) => sum + value * value, 0) / (column[cell] + NOISE);

function withKnown(covariance, index, known) {
    const chosen = covariance[known];
    const variance = chosen[index[known]] + NOISE;
    return covariance.map((column, m) => {
        const factor = chosen[index[m]] / variance;
        return column.map((value, i) => value - chosen[i] * factor);
    });
}

/** Up to `count` of the allowed cells: {row, column, gain}. */
export function chooseCells(probs, L, deviation, allowed, count) {
    const { rows, columns } = probs;
    const candidates = thinned([...allowed.keys()].filter((cell) => allowed[cell]), CANDIDATES);
    const free = candidates.map(() => true);
    const total = deviation.reduce((sum, value) => sum + value * value, 0);
    const chosen = [];
    let covariance = covarianceOf(probs, L, deviation, candidates, NEAR);
    while (chosen.length < count && free.some(Boolean) && total > SMALLEST * deviation.length) {
        const removed = covariance.map((column, m) => (free[m] ? removedBy(column, candidates[m]) : 0));
        const best = removed.reduce((most, value, m) => (value > removed[most] ? m : most), 0);
        chosen.push(best);
        const [row, column] = [Math.floor(candidates[best] / columns), candidates[best] % columns];
        candidates.forEach((cell, m) => {
            const away = Math.hypot(Math.floor(cell / columns) - row, (cell % columns) - column);
            free[m] &&= away >= Math.max(1, APART * Math.min(rows, columns));
        });
        if (chosen.length < count) covariance = withKnown(covariance, candidates, best);
    }
    const index = chosen.map((m) => candidates[m]);
    covariance = covarianceOf(probs, L, deviation, index, FITTED);
    return index.map((cell, i) => {
        const gain = removedBy(covariance[i], cell) / total;
        covariance = withKnown(covariance, index, i);
        return { row: Math.floor(cell / columns), column: cell % columns, gain };
    });
}

/** The deviation that is left where the colours of some cells are known, of which `probs` does not know yet. */
export function remaining(probs, L, deviation, known) {
    const index = thinned([...known.keys()].filter((cell) => known[cell]), KNOWN);
    if (!index.length) return deviation;
    const covariance = covarianceOf(probs, L, deviation, index, NEAR);
    const among = index.map((cell, i) => Float64Array.from(index, (_, j) => covariance[j][cell] + (i === j ? NOISE : 0)));
    const explained = solved(among, covariance.map((column) => column.slice()));
    return deviation.map((value, cell) => {
        const removed = covariance.reduce((sum, column, m) => sum + column[cell] * explained[m][cell], 0);
        return Math.sqrt(Math.max(value * value - removed, 0));
    });
}

/** In a cell, the corner (row, column, px of the view) whose four pixels look most like all of it, off edges. */
export function flattestPlace({ data, height, width }, row, column) {
    const [top, left] = [row * STRIDE, column * STRIDE];
    const [rows, columns] = [Math.min(STRIDE, height - top), Math.min(STRIDE, width - left)];
    const at = (y, x) => data[(top + y) * width + left + x];
    const cell = Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns)).sort((a, b) => a - b);
    const typical = (cell[(cell.length - 1) >> 1] + cell[cell.length >> 1]) / 2;
    const inner = (size) => (size > 2 ? Array.from({ length: size - 2 }, (_, i) => i + 1) : [size - 1]);
    let best = { unlike: Infinity, row: top, column: left };
    for (const y of inner(rows)) {
        for (const x of inner(columns)) {
            const around = [];
            for (let r = Math.max(0, y - FLAT); r < Math.min(rows, y + FLAT); r++) {
                for (let c = Math.max(0, x - FLAT); c < Math.min(columns, x + FLAT); c++) around.push(at(r, c));
            }
            const mean = around.reduce((a, b) => a + b) / around.length;
            const off = around.reduce((sum, value) => sum + Math.abs(value - typical), 0) / around.length;
            const unlike = off + Math.sqrt(around.reduce((sum, value) => sum + (value - mean) ** 2, 0) / around.length);
            if (unlike < best.unlike) best = { unlike, row: top + y, column: left + x };
        }
    }
    return best;
}
