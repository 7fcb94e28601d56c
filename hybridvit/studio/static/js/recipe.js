/**
 * Recipes as the page keeps them: frozen {hints, palette, settings, protected, frame}, each in the sidecar's JSON, with every
 * setting filled in. A change makes a new recipe; nothing in an old one is ever altered, so undo is going back to it.
 */

import { WHOLE, frameOf, frameToJson } from "./frame.js";

/** What a setting is where a sidecar leaves it out (hybridvit/hints/settings.py). */
export const DEFAULT_SETTINGS = Object.freeze({ size: 256, strength: 1, decode: "vivid", seed: 0, borders: "auto" });

/**
 * The recipe in a sidecar (or in a part of one that has the recipe's fields).
 * @param {{hints: object[], palette?: object[], settings?: object, protected?: object[], frame?: object}} sidecar
 */
export function recipeOf(sidecar) {
    return Object.freeze({
        hints: Object.freeze([...sidecar.hints]),
        palette: Object.freeze([...(sidecar.palette ?? [])]),
        settings: Object.freeze({ ...DEFAULT_SETTINGS, ...sidecar.settings }),
        protected: Object.freeze([...(sidecar.protected ?? [])]),
        frame: frameOf(sidecar.frame),
    });
}

/**
 * The recipe's fields of a sidecar; what is as without them is left out, as the server writes them.
 * @returns {object} for JSON.stringify
 */
export function recipeToJson(recipe) {
    const json = { hints: recipe.hints };
    if (recipe.palette.length) json.palette = recipe.palette;
    if (Object.keys(DEFAULT_SETTINGS).some((name) => recipe.settings[name] !== DEFAULT_SETTINGS[name])) {
        json.settings = recipe.settings;
    }
    if (recipe.protected.length) json.protected = recipe.protected;
    const frame = frameToJson(recipe.frame);
    if (frame) json.frame = frame;
    return json;
}

/** Whether two recipes say the same, whatever the order of their fields and the way numbers are written. */
export function sameRecipe(one, other) {
    return (
        ["hints", "palette", "protected"].every((name) => sameItems(one[name], other[name])) &&
        canonical(one.settings) === canonical(other.settings) &&
        canonical(one.frame) === canonical(other.frame)
    );
}

/** Whether two lists of hints, or of other items of a recipe, say the same. */
export function sameItems(some, others) {
    return (
        some.length === others.length &&
        some.every((item, i) => item === others[i] || canonical(item) === canonical(others[i]))
    );
}

function canonical(value) {
    const sorted = (part) => Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    const isObject = (part) => part && typeof part === "object" && !Array.isArray(part);
    return JSON.stringify(value, (_, part) => (isObject(part) ? sorted(part) : part));
}

/** The recipe with some of its fields replaced: changed(recipe, {settings: {...}}). */
export function changed(recipe, fields) {
    return recipeOf({ ...recipe, ...fields });
}

/** With one hint more, which counts before the others where they overlap. */
export function withHint(recipe, hint) {
    return changed(recipe, { hints: [...recipe.hints, hint] });
}

/** With another hint in the place of one. */
export function withHintAt(recipe, index, hint) {
    return changed(recipe, { hints: recipe.hints.map((old, i) => (i === index ? hint : old)) });
}

export function withoutHint(recipe, index) {
    return changed(recipe, { hints: recipe.hints.filter((_, i) => i !== index) });
}

/**
 * With an area whose colours stay as this recipe makes them; those protected earlier
 * count before it where they overlap, so that there too nothing changes.
 * @param {{polygon: number[][]} | {mask: object}} area
 */
export function withProtected(recipe, area) {
    const kept = recipeToJson({ ...recipe, protected: [], frame: WHOLE });
    return changed(recipe, { protected: [...recipe.protected, { ...area, ...kept }] });
}

export function withoutProtected(recipe, index) {
    return changed(recipe, { protected: recipe.protected.filter((_, i) => i !== index) });
}

const KINDS = { point: "Point", stroke: "Stroke", region: "Area" };

/** What a hint is called on the page: "Point", "Stroke" or "Area", as its tool. */
export function kindOf(hint) {
    return KINDS[hint.type];
}

/** The same within a sentence: "Add area". */
export function nounOf(hint) {
    return kindOf(hint).toLowerCase();
}

/** Where the item that was at `index` is now: null if it is gone; it is still there if one was put in its place. */
export function follow(index, before, now) {
    if (index === null) return null;
    const found = now.indexOf(before[index]);
    if (found >= 0) return found;
    return now.length === before.length ? index : null;
}
