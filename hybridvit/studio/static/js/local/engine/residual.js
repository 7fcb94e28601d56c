/** What a prediction misses at the hints, spread around them by simple kriging (hybridvit/inference/hint_residual.py). */

import { solved, spreadEvenly, rounded } from "./planes.js";

const [REACH, LIGHTNESS, NOISE, CELL, MOST] = [0.25, 20, 0.01, 1 / 64, 256];

const [STEPS, FAR] = [512, 24]; // of a unit of distance, and where nothing is left, in a table of exp(-distance)
const FADED = Float64Array.from({ length: STEPS * FAR + 2 }, (_, i) => Math.exp(-i / STEPS));

/** exp(-distance), within 1e-6: a tenth of the time. */
function faded(distance) {
    if (distance >= FAR) return 0;
    const place = distance * STEPS;
    const before = place | 0;
    return FADED[before] + (place - before) * (FADED[before + 1] - FADED[before]);
}

/** @returns {Float32Array} `ab`, corrected to be the hints' where they are, and nearer to it around */
export function withResidual(L, ab, hints) {
    const own = [];
    for (let i = 0; i < hints.mask.length; i++) if (hints.mask[i]) own.push(i);
    if (own.every((i) => ab[2 * i] === hints.ab[2 * i] && ab[2 * i + 1] === hints.ab[2 * i + 1])) return ab;
    const side = Math.min(L.height, L.width);
    const [light, way] = [1 / LIGHTNESS, 1 / (REACH * side)];
    const cell = Math.max(1, CELL * side);
    const cells = new Map();
    for (const i of own) {
        const [row, column] = [Math.floor(i / L.width), i % L.width];
        const key = Math.floor(row / cell) * 1e6 + Math.floor(column / cell);
        const sums = cells.get(key) ?? [0, 0, 0, 0, 0, 0];
        const values = [L.data[i] * light, row * way, column * way, hints.ab[2 * i] - ab[2 * i], hints.ab[2 * i + 1] - ab[2 * i + 1], 1];
        cells.set(key, sums.map((sum, k) => sum + values[k]));
    }
    const means = [...cells].sort(([one], [other]) => one - other).map(([, sums]) => sums.map((sum) => sum / sums[5]));
    const sites = spreadEvenly(means.length - 1, Math.min(means.length, MOST), rounded).map((i) => means[i]);
    const among = sites.map((one, i) =>
        Float64Array.from(sites, (other, j) => Math.exp(-Math.hypot(one[0] - other[0], one[1] - other[1], one[2] - other[2])) + (i === j ? NOISE : 0)),
    );
    const weights = solved(among, sites.map((site) => Float64Array.of(site[3], site[4])));
    const out = Float32Array.from(ab);
    const lights = L.data;
    sites.forEach(([lightness, row, column], k) => {
        const [weightA, weightB] = weights[k];
        for (let y = 0, i = 0; y < L.height; y++) {
            const down = (y * way - row) * (y * way - row);
            for (let x = 0; x < L.width; x++, i++) {
                const aside = x * way - column;
                const lighter = lights[i] * light - lightness;
                const affinity = faded(Math.sqrt(down + aside * aside + lighter * lighter));
                out[2 * i] += weightA * affinity;
                out[2 * i + 1] += weightB * affinity;
            }
        }
    });
    for (const i of own) [out[2 * i], out[2 * i + 1]] = [hints.ab[2 * i], hints.ab[2 * i + 1]];
    return out;
}
