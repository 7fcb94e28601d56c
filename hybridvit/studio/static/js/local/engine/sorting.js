/** Which hints the model is given, and what becomes of the others (hybridvit/inference/sorting.py). */

import { shareInGamut } from "./light.js";
import { spreadEvenly } from "./planes.js";

const TONE = [0.3, 0.4];
const [AGREES, FAINT, CONFIRMS, TRUST, PIXELS] = [0.15, 4.9, 3, 1 / 8, 16];

/** @typedef {{given: object[], bounded: object[], doubted: object[], most: number}} Sorted */

/**
 * @param {object[]} hints @param {number[]} agreements infinite: it is given anyway; -1: it never is
 * @param {(hint: object) => boolean} confirms
 * @returns {Sorted}
 */
export function sortHints(hints, agreements, confirms) {
    const agreeing = agreements.filter((agreement) => agreement >= AGREES).length;
    const least = AGREES / Math.max(1, agreeing) ** 3;
    let given = hints.filter((_, i) => agreements[i] >= least);
    const doubted = hints.filter((_, i) => agreements[i] >= 0 && agreements[i] < least);
    let bounded = hints.filter((_, i) => agreements[i] < least);
    if (given.every(confirms)) {
        given = [];
        bounded = hints.map((hint, i) => (agreements[i] >= least ? { ...hint, reach: 0 } : hint));
    }
    const most = doubted.reduce((sum, hint) => {
        const nearer = 2 * (1 - hint.reach);
        const trust = Math.min(1, agreements[hints.indexOf(hint)] / AGREES) ** TRUST;
        return sum + (FAINT * hint.strength * trust) / Math.max(nearer, 1e-6);
    }, 0);
    return { given, bounded, doubted, most };
}

/**
 * Whether what the model makes of hints is a tone of all of the picture rather than a thing's colour, 0..1.
 * @param {Float32Array} change what it makes of them, ab @param {Float32Array} news how far they were told to change
 * @param {Uint8Array} mask the hints' own pixels
 */
export function isTone(change, news, mask) {
    let [far, told, count] = [0, 0, 0];
    for (let i = 0; i < mask.length; i++) {
        far += Math.sqrt(change[2 * i] * change[2 * i] + change[2 * i + 1] * change[2 * i + 1]);
        if (!mask[i]) continue;
        told += Math.sqrt(news[2 * i] * news[2 * i] + news[2 * i + 1] * news[2 * i + 1]);
        count++;
    }
    if (!count) return 0;
    const ratio = far / mask.length / Math.max(told / count, 1e-6);
    const x = Math.min(Math.max((ratio - TONE[0]) / (TONE[1] - TONE[0]), 0), 1);
    return x * x * (3 - 2 * x);
}

/**
 * Whether half of a hint's own pixels show its colour, by what is shown or what the gamut leaves of that.
 * @param {Float32Array} L @param {Float32Array} shown @param {Int32Array} own the hint's pixels @param {number[]} ab
 */
export function isShown(L, shown, own, [a, b]) {
    const some = spreadEvenly(own.length - 1, PIXELS).map((k) => own[k]);
    const near = some.filter((i) => {
        const share = shareInGamut(L[i], shown[2 * i], shown[2 * i + 1]);
        return [1, share].some((part) => Math.hypot(part * shown[2 * i] - a, part * shown[2 * i + 1] - b) <= CONFIRMS);
    });
    return near.length / PIXELS >= 0.5;
}
