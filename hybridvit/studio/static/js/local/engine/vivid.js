/** The vivid decode where there are hints, as hybridvit/inference/decode.py and known.py have it. */

export const KNOWN = 8; // ab units: a colour so near to what is shown is no news

/** The mean given hints, made as vivid as without them where they say nothing. */
export function madeVivid(mean, free) {
    const out = new Float32Array(mean.length);
    const [freeMean, vivid] = [free.mean, free.vivid];
    for (let i = 0; i < mean.length; i += 2) {
        const wayA = vivid[i] - freeMean[i];
        const wayB = vivid[i + 1] - freeMean[i + 1];
        const movedA = mean[i] - freeMean[i];
        const movedB = mean[i + 1] - freeMean[i + 1];
        const length = Math.max(wayA * wayA + wayB * wayB, 1e-6);
        const gone = Math.min(Math.max((movedA * wayA + movedB * wayB) / length, 0), 1);
        const asideA = movedA - gone * wayA;
        const asideB = movedB - gone * wayB;
        const share = (1 - gone) * Math.exp(-Math.sqrt(asideA * asideA + asideB * asideB) / KNOWN);
        out[i] = mean[i] + share * wayA;
        out[i + 1] = mean[i + 1] + share * wayB;
    }
    return out;
}

/** Takes from a map of hints what vivid colours add, where that is shown already; and all of it, if nothing is news. */
export function withoutShown(map, free) {
    let most = 0;
    map.mask.forEach((is, i) => {
        if (!is) return;
        const news = Math.hypot(map.ab[2 * i] - free.vivid[2 * i], map.ab[2 * i + 1] - free.vivid[2 * i + 1]);
        most = Math.max(most, news);
        const share = Math.exp(-((news / KNOWN) ** 2));
        for (let c = 2 * i; c < 2 * i + 2; c++) map.ab[c] -= (free.vivid[c] - free.mean[c]) * share;
    });
    if (most <= KNOWN) {
        map.mask.fill(0);
        map.ab.fill(0);
    }
    return map;
}
