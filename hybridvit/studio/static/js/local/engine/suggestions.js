/** The colour that a place has, and the likeliest other ones (hybridvit/inference/suggestions.py). */

import { BINS, CENTRES } from "./bins.js";
import { composed, hexOf, labOf } from "./light.js";

const STRIDE = 8; // px of the view, a cell
const [RADIUS, APART, GRAY, LEAST, BIN, STEP, EDGE, IN_GAMUT, LIKELY, MODE] = [10, 15, 6, 0.002, 10, 5, 2, 1, 0.7, 5];

let lattice = null;

/** Colours, ab, and what each has of each bin: bilinear between the bins' middles. */
function latticeOf() {
    if (lattice) return lattice;
    lattice = [];
    const range = (axis) => {
        const values = CENTRES.map((centre) => centre[axis]);
        return [Math.min(...values) - BIN, Math.max(...values) + BIN];
    };
    const [[a0, a1], [b0, b1]] = [range(0), range(1)];
    for (let a = a0; a <= a1; a += STEP) {
        for (let b = b0; b <= b1; b += STEP) {
            const near = [];
            CENTRES.forEach(([x, y], i) => {
                const share = Math.max(0, 1 - Math.abs(a - x) / BIN) * Math.max(0, 1 - Math.abs(b - y) / BIN);
                if (share > 0) near.push([i, share]);
            });
            if (near.length) lattice.push({ ab: [a, b], near });
        }
    }
    return lattice;
}

/** What is shown of a colour at a lightness. @param {number} L @param {number[]} ab */
export function shownAt(L, [a, b]) {
    const pixel = composed(L, a, b);
    return { color: hexOf(pixel), ab: labOf(pixel).slice(1) };
}

/** @param {number[]} one @param {number[]} other ab */
const distance = ([a, b], [x, y]) => Math.sqrt((a - x) * (a - x) + (b - y) * (b - y)); // hypot takes ten times as long
const standsFor = (far) => Math.min(Math.max((RADIUS + EDGE - far) / (2 * EDGE), 0), 1);

/**
 * @param {number} L of the place @param {Float64Array} bins its probabilities @param {number[]} shown its colour now
 * @returns {{color: string, ab: number[], share: number}[]}
 */
export function likelyColors(L, bins, shown, count) {
    const all = latticeOf();
    const there = all.filter(({ ab }) => (!ab[0] && !ab[1]) || distance(shownAt(L, ab).ab, ab) <= IN_GAMUT);
    const density = there.map(({ near }) => near.reduce((sum, [i, share]) => sum + share * bins[i], 0));
    const total = density.reduce((a, b) => a + b, 0);
    const probs = total > 0 ? density.map((value) => value / total) : there.map(({ ab }) => (ab[0] || ab[1] ? 0 : 1));
    const colors = there.map(({ ab }) => ab);
    const far = colors.map((one) => Float64Array.from(colors, (other) => distance(one, other)));
    const smoothed = far.map((line) => line.reduce((sum, value, i) => sum + Math.exp(-((value / MODE) ** 2) / 2) * probs[i], 0));
    const isMode = far.map((line, i) => smoothed[i] >= LIKELY * line.reduce((most, value, k) => (value <= RADIUS ? Math.max(most, smoothed[k]) : most), 0));
    const allowed = colors.map((ab, i) => Math.hypot(...ab) >= GRAY || isMode[i]);
    const stands = far.map((line) => line.map(standsFor));
    const chosen = [shownAt(L, shown).ab];
    let away = colors.map((ab) => distance(ab, chosen[0]));
    let rest = probs.map((prob, i) => prob * (1 - standsFor(away[i])));
    while (chosen.length < count) {
        const coverage = colors.map((_, i) => (allowed[i] && away[i] >= APART ? stands[i].reduce((sum, value, k) => sum + value * rest[k], 0) : 0));
        const best = coverage.reduce((most, value, i) => (value > coverage[most] ? i : most), 0);
        if (coverage[best] < LEAST) break;
        chosen.push(colors[best]);
        rest = rest.map((value, i) => value * (1 - stands[best][i]));
        away = away.map((value, i) => Math.min(value, far[best][i]));
    }
    const shares = chosen.map(() => 0);
    colors.forEach((ab, i) => {
        const distances = chosen.map((one) => distance(ab, one));
        shares[distances.indexOf(Math.min(...distances))] += probs[i];
    });
    const order = [...chosen.keys()].sort((one, other) => (one === 0 ? -1 : other === 0 ? 1 : shares[other] - shares[one]));
    return order.map((i) => ({ ...shownAt(L, chosen[i]), share: shares[i] }));
}

/** The four cells of a view whose middles are about a place, px of it, and how far that is from the first to the others. */
export function cellsAbout({ height, width }, y, x) {
    const [rows, columns] = [height, width].map((size) => Math.ceil(size / STRIDE));
    const neighbours = (place, size) => {
        const at = Math.min(Math.max(place - 0.5, 0), size - 1);
        const before = Math.floor(at);
        return [before, Math.min(before + 1, size - 1), at - before];
    };
    const [top, bottom, low] = neighbours(y / STRIDE, rows);
    const [left, right, far] = neighbours(x / STRIDE, columns);
    return { cells: [top, bottom].flatMap((row) => [left, right].map((column) => row * columns + column)), low, far };
}

/** Probabilities at a place, bilinearly between those of the four cells about it. @param {import("./bins.js").Cells} probs */
export function binsAt({ data }, low, far) {
    return Float64Array.from({ length: BINS }, (_, i) => {
        const across = (left, right) => data[left * BINS + i] * (1 - far) + data[right * BINS + i] * far;
        return across(0, 1) * (1 - low) + across(2, 3) * low;
    });
}
