/** Hints that keep to their reach, laid over the colours that there are without them (hybridvit/inference/bounded.py). */

import { BINS, CENTRES } from "./bins.js";
import { placesOf } from "./planes.js";
import { distances, softEdge, toView, within } from "./reach.js";

export const MOST = 128; // hints whose things are looked for
const THING = 0.5; // of `reach`
const [NEAR, BIN] = [0.05, 6];

function pull(far) {
    const square = (Math.min(far, 1e3) + NEAR) ** 2;
    return 1 / (square * square); // of the inverse distance, the fourth power
}

/**
 * @param {object} land @param {import("./planes.js").Plane} L
 * @param {[{own: object, ab: number[], reach: number, strength: number}, Float32Array | null][]} hints with their distances
 * @param {Uint8Array} others the own pixels of hints that the model has
 * @returns {{weight: Float32Array, ab: Float32Array}}
 */
export function lay(land, L, hints, others) {
    const { weight, ab } = things(land, L, hints.filter(([, far]) => far), others);
    const size = L.data.length;
    const [strength, colors, mask] = [new Float32Array(size), new Float32Array(2 * size), new Uint8Array(size)];
    for (const [hint] of hints) {
        for (const i of hint.own.places) [strength[i], colors[2 * i], colors[2 * i + 1], mask[i]] = [hint.strength, ...hint.ab, 1];
    }
    const edge = softEdge(L, { ...L, mask });
    const out = { weight: new Float32Array(size), ab: new Float32Array(2 * size) };
    for (let i = 0; i < size; i++) {
        const near = edge.nearest[i];
        const share = edge.weight[i] * strength[near];
        const below = edge.weight[i] > 0 ? weight[i] * (1 - edge.weight[i]) : weight[i];
        const total = share + below;
        for (let c = 0; c < 2; c++) {
            out.ab[2 * i + c] = (share * colors[2 * near + c] + below * ab[2 * i + c]) / Math.max(total, 1e-6);
        }
        out.weight[i] = others[i] ? 0 : total;
    }
    return out;
}

function things(land, L, hints, others) {
    const count = land.L.data.length;
    const [near, a, b, most] = Array.from({ length: 4 }, () => new Float64Array(count));
    for (const [hint, far] of hints) {
        for (let i = 0; i < count; i++) {
            const there = within(far[i], hint.reach);
            const force = there * pull(far[i]);
            most[i] = Math.max(most[i], hint.strength * there);
            near[i] += force;
            a[i] += force * hint.ab[0];
            b[i] += force * hint.ab[1];
        }
    }
    const size = L.data.length;
    const none = { weight: new Float32Array(size), ab: new Float32Array(2 * size) };
    if (!near.some(Boolean)) return none;
    if (others.includes(1)) {
        const far = distances(land, { ...L, places: placesOf(others) });
        for (let i = 0; i < count; i++) most[i] *= near[i] / Math.max(near[i] + within(far[i], THING) * pull(far[i]), 1e-6);
    }
    const grid = { height: land.L.height, width: land.L.width };
    const planes = [most];
    if (hints.length > 1) planes.push(...[a, b].map((sums) => sums.map((sum, i) => (most[i] * sum) / Math.max(near[i], 1e-6))));
    const [weight, ...colors] = toView(planes.map((plane) => Float32Array.from(plane)), grid, L);
    for (let i = 0; i < size; i++) {
        none.weight[i] = Math.min(Math.max(weight[i], 0), 1);
        for (let c = 0; c < 2; c++) none.ab[2 * i + c] = colors.length ? colors[c][i] / Math.max(weight[i], 0.05) : hints[0][0].ab[c];
    }
    return none;
}

/** What a distribution is where a colour is known. @returns {Float64Array} */
export function knownBins(a, b) {
    const away = CENTRES.map(([x, y]) => ((x - a) ** 2 + (y - b) ** 2) / BIN ** 2 / 2);
    const least = Math.min(...away);
    const probs = Float64Array.from({ length: BINS }, (_, i) => Math.exp(least - away[i]));
    const sum = probs.reduce((x, y) => x + y);
    return probs.map((prob) => prob / sum);
}
