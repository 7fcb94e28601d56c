/** A prediction in the colours of a palette (hybridvit/inference/palette.py). */

import { labOf, pixelOf } from "./light.js";
import { rounded } from "./planes.js";

const [LIGHTNESS, CHROMA, NEUTRAL, LEVELS] = [7, 10, 0.03, 101];

/** @param {import("./planes.js").Plane} L @param {Float32Array} ab @param {{color: string, weight: number}[]} palette */
export function inPalette(L, ab, palette) {
    if (!palette.length) return ab;
    const sum = palette.reduce((total, { weight = 1 }) => total + weight, 0);
    const colors = [
        ...palette.map(({ color, weight = 1 }) => ({ lab: labOf(pixelOf(color)), share: (weight / sum) * (1 - 2 * NEUTRAL) })),
        { lab: [0, 0, 0], share: NEUTRAL },
        { lab: [100, 0, 0], share: NEUTRAL },
    ];
    const wanted = byLightness(colors.length, (i) => [colors[i].lab[0], colors[i].lab[1], colors[i].lab[2], colors[i].share]);
    const present = byLightness(L.data.length, (i) => [L.data[i], ab[2 * i], ab[2 * i + 1], 1]);
    const out = new Float32Array(ab.length);
    const affinity = new Float64Array(colors.length);
    for (let i = 0; i < L.data.length; i++) {
        const moved = [0, 1].map((c) => ab[2 * i + c] + interpolated(L.data[i], (level) => wanted[c][level] - present[c][level]));
        let most = -Infinity;
        colors.forEach(({ lab, share }, k) => {
            const far = ((L.data[i] - lab[0]) / LIGHTNESS) ** 2 + ((moved[0] - lab[1]) / CHROMA) ** 2 + ((moved[1] - lab[2]) / CHROMA) ** 2;
            affinity[k] = Math.log(share) - far / 2;
            most = Math.max(most, affinity[k]);
        });
        let [total, a, b] = [0, 0, 0];
        colors.forEach(({ lab }, k) => {
            const weight = Math.exp(affinity[k] - most);
            total += weight;
            a += weight * lab[1];
            b += weight * lab[2];
        });
        [out[2 * i], out[2 * i + 1]] = [a / total, b / total];
    }
    return out;
}

function byLightness(count, colorOf) {
    const sums = [0, 1, 2].map(() => new Float64Array(LEVELS));
    for (let i = 0; i < count; i++) {
        const [L, a, b, share] = colorOf(i);
        const level = Math.min(Math.max(rounded(L), 0), LEVELS - 1);
        sums[0][level] += share;
        sums[1][level] += share * a;
        sums[2][level] += share * b;
    }
    const near = sums.map((sum) =>
        Float64Array.from({ length: LEVELS }, (_, level) => {
            let total = 0;
            for (let k = 0; k < LEVELS; k++) total += sum[k] * Math.exp(-(((level - k) / LIGHTNESS) ** 2) / 2);
            return total;
        }),
    );
    return [1, 2].map((c) => near[c].map((value, level) => value / Math.max(near[0][level], 1e-30)));
}

function interpolated(L, at) {
    const place = Math.min(Math.max(L, 0), LEVELS - 1);
    const first = Math.min(Math.floor(place), LEVELS - 2);
    return at(first) * (1 - place + first) + at(first + 1) * (place - first);
}
