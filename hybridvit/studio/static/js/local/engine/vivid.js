/** The vivid decode where there are hints, as hybridvit/inference/decode.py and known.py have it. */

export const KNOWN = 8; // ab units: a colour so near to what is shown is no news

/** The mean given hints, made as vivid as without them where they say nothing. */
export function madeVivid(mean, free) {
    const out = new Float32Array(mean.length);
    for (let i = 0; i < mean.length; i += 2) {
        const way = [free.vivid[i] - free.mean[i], free.vivid[i + 1] - free.mean[i + 1]];
        const moved = [mean[i] - free.mean[i], mean[i + 1] - free.mean[i + 1]];
        const length = Math.max(way[0] ** 2 + way[1] ** 2, 1e-6);
        const gone = Math.min(Math.max((moved[0] * way[0] + moved[1] * way[1]) / length, 0), 1);
        const aside = Math.hypot(moved[0] - gone * way[0], moved[1] - gone * way[1]);
        const share = (1 - gone) * Math.exp(-aside / KNOWN);
        out[i] = mean[i] + share * way[0];
        out[i + 1] = mean[i + 1] + share * way[1];
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
