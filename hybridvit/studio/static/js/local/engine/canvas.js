/**
 * A photograph opened for colouring, once or again and again: what hints do not change is done once, as in
 * hybridvit/inference/canvas.py, whose order of steps this is.
 */

import { DEFAULT_SETTINGS } from "../../recipe.js";
import { BINS, chosenCells, doubtOf, probabilities, spreadOf } from "./bins.js";
import { findInside, respanned } from "./borders.js";
import { knownBins, lay, MOST } from "./bounded.js";
import { colorAb, lightnessOf } from "./light.js";
import { cellMeans, chooseCells, flattestPlace, remaining } from "./influence.js";
import { Kept } from "./kept.js";
import { inPalette } from "./palette.js";
import { placesOf, resized, spreadEvenly } from "./planes.js";
import { areaOf, atView } from "./rasters.js";
import { agreement, distances, meanAt, terrain } from "./reach.js";
import { withResidual } from "./residual.js";
import { givenCells, withSamples } from "./sampling.js";
import { isShown, isTone, sortHints } from "./sorting.js";
import { binsAt, cellsAbout, likelyColors, shownAt } from "./suggestions.js";
import { viewLightness, viewSize } from "./view.js";
import { KNOWN, madeVivid, withoutShown } from "./vivid.js";

const KEPT = 24; // results: some of a view each
const FACTS = 4096; // results that are numbers
const SHAPES = 512; // of hints: their pixels, and how far is what from them
const [HERE, THING, PICTURE] = [0, 0.5, 1];
const [STRIDE, NEXT_VIEW] = [8, 256]; // px
const DEFAULT_REACH = { point: THING, stroke: HERE, region: HERE };

/** A hint with all that may be left out. */
const complete = (hint) => ({ ...hint, reach: hint.reach ?? DEFAULT_REACH[hint.type], strength: hint.strength ?? 1 });
const atOnce = async () => {};
const viewKey = ({ size, borders }) => `${size} ${borders}`;

export class Canvas {
    #network;
    #photo;
    #inside = null;
    #kept = new Kept(KEPT);
    #facts = new Kept(FACTS);
    #shapes = new Kept(SHAPES);

    /** @param {import("./network.js").Network} network @param {{width: number, height: number, channels: number, pixels: Uint8Array}} photo */
    constructor(network, photo) {
        [this.#network, this.#photo] = [network, photo];
    }

    #once = (key, make) => this.#kept.once(key, make);

    /** The part of the photograph that is coloured by these settings. */
    inside({ borders }) {
        const { width, height } = this.#photo;
        const whole = { top: 0, left: 0, height, width };
        if (borders !== "auto") return whole;
        this.#inside ??= findInside(this.#photo) ?? whole;
        return this.#inside;
    }

    view(settings) {
        const { height, width } = this.inside(settings);
        return viewSize(height, width, settings.size);
    }

    /** L at the view. @returns {import("./planes.js").Plane} */
    L(settings) {
        return this.#once(`L ${viewKey(settings)}`, () => viewLightness(this.#photo, this.inside(settings), this.view(settings)));
    }

    lightness(settings) {
        return this.L(settings).data;
    }

    #map(hints, settings, view = this.view(settings)) {
        return atView(hints, this.#photo.height, this.#photo.width, view, this.inside(settings));
    }

    /** ab in CIE units at the view, of all that a recipe says; `pause`, before each step, may reject: what was done is kept. */
    async chroma(recipe, pause = atOnce) {
        const { hints, palette, settings, protected: areas = [] } = recipe;
        const full = { hints: hints.map(complete), palette, settings, protected: areas };
        return { ab: await this.#once(`chroma ${JSON.stringify(full)}`, () => this.#chroma(full, pause)), ...this.view(settings) };
    }

    #free(settings) {
        return this.#once(`free ${viewKey(settings)}`, () => this.#network.predict(this.L(settings), null));
    }

    async #shown(settings) {
        const free = await this.#free(settings);
        return settings.decode === "vivid" ? free.vivid : free.mean;
    }

    #own(hint, settings) {
        const { color: _, source: __, reach: ___, strength: ____, ...shape } = hint;
        return this.#shapes.once(`own ${JSON.stringify(shape)} ${viewKey(settings)}`, () => {
            const { mask, height, width } = this.#map([{ ...hint, strength: 1 }], settings);
            return { places: placesOf(mask), height, width };
        });
    }

    #known(hint, settings) {
        return { own: this.#own(hint, settings), ab: colorAb(hint.color), reach: hint.reach, strength: hint.strength };
    }

    async #sorted(hints, settings) {
        if (!hints.length) return { given: [], bounded: [], doubted: [], most: 0 };
        const agreements = [];
        const confirming = new Map();
        for (const hint of hints) {
            const key = `${JSON.stringify(hint)} ${settings.decode} ${settings.seed} ${viewKey(settings)}`;
            agreements.push(await this.#facts.once(`agreement ${key}`, () => this.#agreement(hint, settings)));
            confirming.set(hint, await this.#facts.once(`confirms ${key}`, () => this.#confirms(hint, settings)));
        }
        return sortHints(hints, agreements, (hint) => confirming.get(hint));
    }

    async #agreement(hint, settings) {
        if (hint.reach < THING) return -1;
        if (hint.reach >= PICTURE) return Infinity;
        const known = this.#known(hint, settings);
        if (!known.own.places.length) return Infinity; // in the border
        const [free, shown] = [await this.#free(settings), await this.#shown(settings)];
        const [a, b] = meanAt(shown, known.own.places);
        if (Math.hypot(a - known.ab[0], b - known.ab[1]) <= KNOWN) return Infinity; // no news
        return agreement(free.logits, free.mean, known.ab, known.own);
    }

    async #confirms(hint, settings) {
        if (settings.decode === "sample") return false;
        const { own, ab } = this.#known(hint, settings);
        return !own.places.length || isShown(this.lightness(settings), await this.#shown(settings), own.places, ab);
    }

    async #conditioned(hints, settings) {
        if (!hints.length) return this.#free(settings);
        return this.#once(`conditioned ${JSON.stringify(hints)} ${settings.decode} ${viewKey(settings)}`, async () => {
            const given = await this.#modelMap(hints, settings);
            return this.#withMap(given, settings);
        });
    }

    async #withMap(given, settings) {
        return given.mask.includes(1) ? this.#network.predict(this.L(settings), given) : this.#free(settings);
    }

    /** What the model is given: colours of less than full strength are nearer to its own. */
    async #givenMap(hints, settings) {
        const map = this.#map(hints, settings);
        if (!hints.some(({ strength }) => strength < 1) || !map.mask.includes(1)) return map;
        const share = this.#map(hints.map((hint) => ({ ...hint, color: [100 * hint.strength, 0] })), settings);
        const shown = await this.#shown(settings);
        map.mask.forEach((is, i) => {
            const strength = share.ab[2 * i] / 100;
            for (let c = 2 * i; is && c < 2 * i + 2; c++) map.ab[c] = shown[c] * (1 - strength) + map.ab[c] * strength;
        });
        return map;
    }

    /** The same, without what is shown there already. */
    async #modelMap(hints, settings) {
        const map = await this.#givenMap(hints, settings);
        if (settings.decode !== "vivid" || !map.mask.includes(1)) return map;
        return withoutShown(map, await this.#free(settings));
    }

    async #chroma(recipe, pause = atOnce) {
        const { settings } = recipe;
        const hints = await this.#sorted(recipe.hints, settings);
        await pause();
        const key = `spread ${JSON.stringify([hints.given, recipe.palette, settings])}`; // often as before: what contradicts is not in it
        let ab = await this.#once(key, () => this.#spread({ ...recipe, hints: hints.given }));
        await pause();
        if (hints.most > 0) ab = await this.#doubted(ab, recipe, hints);
        if (hints.bounded.length) {
            await pause();
            const laid = await this.#laid(recipe.hints, settings);
            ab = ab.map((value, i) => value + laid.weight[i >> 1] * (laid.ab[i] - value));
        }
        return this.#protect(ab, recipe);
    }

    async #spread(recipe) {
        const { settings, hints } = recipe;
        const L = this.L(settings);
        const given = await this.#givenMap(hints, settings);
        const free = await this.#free(settings);
        let ab;
        if (settings.decode === "sample") {
            const drawn = await withSamples(async (map) => (await this.#withMap(map, settings)).logits, given, settings.seed);
            ab = (await this.#withMap(drawn, settings)).mean;
        } else {
            ab = (await this.#conditioned(hints, settings)).mean;
            if (settings.decode === "vivid" && !recipe.palette.length) ab = hints.length ? madeVivid(ab, free) : free.vivid;
        }
        ab = inPalette(L, ab, recipe.palette).map((value) => value * settings.strength); // a copy
        return given.mask.includes(1) ? withResidual(L, ab, given) : ab;
    }

    /** What those change that contradict the model, where they are not laid over. */
    async #doubted(ab, recipe, order) {
        const { settings } = recipe;
        const withThem = recipe.hints.filter((hint) => order.given.includes(hint) || order.doubted.includes(hint));
        const before = (await this.#conditioned(order.given, settings)).mean;
        const after = (await this.#conditioned(withThem, settings)).mean;
        const { mask } = this.#map(order.given, settings);
        const said = await this.#modelMap(withThem, settings);
        const [change, news] = [after, said.ab].map((values) => values.map((value, i) => value - before[i]));
        const most = order.most / Math.max(1 - isTone(change, news, this.#map(order.doubted, settings).mask), 1e-6);
        const out = Float32Array.from(ab);
        for (let i = 0; i < mask.length; i++) {
            if (mask[i]) continue;
            const length = Math.sqrt(change[2 * i] * change[2 * i] + change[2 * i + 1] * change[2 * i + 1]);
            const share = Math.min(1, most / Math.max(length, 1e-6)) * settings.strength;
            out[2 * i] += change[2 * i] * share;
            out[2 * i + 1] += change[2 * i + 1] * share;
        }
        return out;
    }

    #laid(hints, settings) {
        return this.#once(`laid ${JSON.stringify(hints)} ${settings.decode} ${viewKey(settings)}`, () => this.#lay(hints, settings));
    }

    async #lay(hints, settings) {
        const order = await this.#sorted(hints, settings);
        const L = this.L(settings);
        const knowns = order.bounded.map((hint) => [hint, this.#known(hint, settings)]).filter(([, { own }]) => own.places.length);
        if (!knowns.length) return { weight: new Float32Array(L.data.length), ab: new Float32Array(2 * L.data.length) };
        const far = knowns.filter(([hint]) => hint.reach > HERE);
        const chosen = new Set(spreadEvenly(far.length - 1, Math.min(far.length, MOST)).map((i) => far[i]?.[0]));
        const land = await this.#land(settings);
        /** @type {[any, Float32Array | null][]} */
        const laid = knowns.map(([hint, known]) => [known, chosen.has(hint) ? this.#far(hint, known, land, settings) : null]);
        return lay(land, L, laid, this.#map(order.given, settings).mask);
    }

    async #land(settings) {
        const free = await this.#free(settings);
        return this.#once(`land ${viewKey(settings)}`, () => terrain(this.L(settings), free.logits));
    }

    #far(hint, known, land, settings) {
        const { color: _, source: __, reach: ___, strength: ____, ...shape } = hint;
        return this.#shapes.once(`far ${JSON.stringify(shape)} ${viewKey(settings)}`, () => distances(land, known.own));
    }

    async #protect(ab, recipe) {
        const { settings } = recipe;
        for (const one of (recipe.protected ?? []).toReversed()) {
            const { mask, height, width } = this.#map([{ type: "region", ...areaOf(one), color: [0, 0], strength: 1 }], settings);
            const theirs = { hints: one.hints.map(complete), palette: one.palette ?? [], settings: { ...DEFAULT_SETTINGS, ...one.settings }, protected: [] };
            const view = this.view(theirs.settings);
            const kept = await this.#chroma(theirs);
            const spans = respanned({ data: kept, ...view, channels: 2 }, this.inside(theirs.settings), this.inside(settings));
            const planes = [0, 1].map((c) =>
                resized({ ...spans, data: Float32Array.from({ length: spans.height * spans.width }, (_, i) => spans.data[2 * i + c]) }, height, width, "bilinear"),
            );
            ab = ab.map((value, i) => (mask[i >> 1] ? planes[i % 2].data[i >> 1] : value));
        }
        return ab;
    }

    /** Logarithms of the probabilities of the bins, given the hints: of all cells, or of some, which then lie in a row. */
    async #logits(recipe, some = null) {
        const { settings } = recipe;
        const hints = recipe.hints.map(complete);
        const order = await this.#sorted(hints, settings);
        const all = (await this.#conditioned(order.given, settings)).logits;
        const cells = some ?? [...Array(all.rows * all.columns).keys()];
        const logits = some ? chosenCells(all, some) : all;
        if (!order.bounded.length) return logits;
        const laid = await this.#laid(hints, settings);
        const { height, width } = this.view(settings);
        const weight = cellMeans(laid.weight, height, width);
        const ab = cellMeans(laid.ab.map((value, i) => value * laid.weight[i >> 1]), height, width, 2);
        const probs = probabilities(logits).data;
        const data = new Float32Array(probs.length);
        cells.forEach((cell, to) => {
            const share = weight[cell];
            const known = knownBins(ab[2 * cell] / Math.max(share, 1e-6), ab[2 * cell + 1] / Math.max(share, 1e-6));
            for (let i = to * BINS, bin = 0; bin < BINS; i++, bin++) data[i] = Math.log(Math.max((1 - share) * probs[i] + share * known[bin], 1e-9));
        });
        return { ...logits, data };
    }

    /** Probability that the colour is another one, over the whole photograph; its borders are gray without doubt. */
    async doubt(recipe) {
        const logits = await this.#logits(recipe);
        const { width, height } = this.#photo;
        const spans = respanned(
            { data: doubtOf(logits), height: logits.rows, width: logits.columns, channels: 1 },
            this.inside(recipe.settings),
            { top: 0, left: 0, height, width },
        );
        return { doubt: spans.data, height: spans.height, width: spans.width };
    }

    /** How much of a hint there is where, at the view, were it the only one. */
    async reachOf(given, settings) {
        const hint = complete(given);
        const L = this.L(settings);
        const size = { height: L.height, width: L.width };
        if (hint.reach >= PICTURE) return { weight: new Float32Array(L.data.length).fill(hint.strength), ...size };
        const known = this.#known(hint, settings);
        if (!known.own.places.length) return { weight: new Float32Array(L.data.length), ...size };
        const land = await this.#land(settings);
        const far = hint.reach === HERE ? null : this.#far(hint, known, land, settings);
        return { weight: lay(land, L, [[known, far]], new Uint8Array(L.data.length)).weight, ...size };
    }

    async likelyColors(recipe, x, y, count) {
        const { top, left, height, width } = this.inside(recipe.settings);
        if (!(top <= y && y < top + height && left <= x && x < left + width)) {
            const { channels, pixels } = this.#photo;
            const at = (Math.floor(y) * this.#photo.width + Math.floor(x)) * channels;
            const [r, g, b] = channels === 1 ? [pixels[at], pixels[at], pixels[at]] : pixels.subarray(at, at + 3);
            return [{ color: shownAt(lightnessOf(r, g, b), [0, 0]).color, ab: [0, 0], share: 1 }];
        }
        const L = this.L(recipe.settings);
        const [row, column] = [((y - top) * L.height) / height, ((x - left) * L.width) / width];
        const { cells, low, far } = cellsAbout(L, row, column);
        const probs = probabilities(await this.#logits(recipe, cells));
        const i = Math.floor(row) * L.width + Math.floor(column);
        const { ab } = await this.chroma(recipe);
        return likelyColors(L.data[i], binsAt(probs, low, far), [ab[2 * i], ab[2 * i + 1]], count);
    }

    /** Where a hint would help most. */
    async nextHints(given, count) {
        const settings = { ...given.settings, size: Math.min(given.settings.size, NEXT_VIEW) };
        const recipe = { ...given, settings, hints: given.hints.map(complete) };
        const { top, left, height, width } = this.inside(settings);
        const L = this.L(settings);
        const probs = probabilities(await this.#logits(recipe));
        const { rows, columns } = probs;
        const areas = (recipe.protected ?? []).map((one) => ({ type: "region", ...areaOf(one), color: [0, 0], strength: 1 }));
        const known = cellMeans(Float32Array.from(this.#map(areas, settings).mask), L.height, L.width).map((share) => (share > 0.5 ? 1 : 0));
        const order = await this.#sorted(recipe.hints, settings);
        const laid = givenCells(this.#map(order.bounded, settings), rows, columns);
        const hinted = givenCells(this.#map(recipe.hints, settings), rows, columns);
        const cells = cellMeans(L.data, L.height, L.width);
        const deviation = remaining(probs, cells, spreadOf(probs), laid).map((value, i) => (known[i] ? 0 : value));
        const [across, down] = [width / L.width, height / L.height];
        const { crop } = recipe.frame;
        const holds = (x, y) => !crop || (crop.x <= x && x < crop.x + crop.width && crop.y <= y && y < crop.y + crop.height);
        const allowed = Uint8Array.from({ length: rows * columns }, (_, cell) => {
            const [x, y] = [(cell % columns) + 0.5, Math.floor(cell / columns) + 0.5];
            return !known[cell] && !hinted[cell] && holds(left + x * STRIDE * across, top + y * STRIDE * down) ? 1 : 0;
        });
        const points = [];
        for (const { row, column, gain } of chooseCells(probs, cells, deviation, allowed, count)) {
            const place = flattestPlace(L, row, column);
            const [x, y] = [left + place.column * across, top + place.row * down];
            if (holds(x, y)) points.push({ x, y, gain, color: (await this.likelyColors(given, x, y, 5))[0].color });
        }
        return points;
    }
}
