/**
 * Checks a sidecar as hybridvit/hints/sidecar.py does, and gives its recipe in the page's form: what is wrong with one is
 * a Mistake of one line that names the field. Version 1's hints reach all of the picture.
 */

import { DEFAULT_SETTINGS } from "../recipe.js";
import { Mistake } from "./decoded.js";

const MOST = { hints: 10_000, palette: 256, protected: 256, corners: 10_000, source: 2000 };
const LARGEST = 1e7; // a coordinate, px
const LARGEST_AB = 128;
const LARGEST_WEIGHT = 1e9;
const LARGEST_SEED = 2 ** 31 - 1;
const DECODES = ["vivid", "mean", "sample"];
const SHAPES = { point: ["x", "y"], stroke: ["points", "width"], region: [] };
const RECIPE = ["palette", "settings"];

const wrong = (field, problem) => new Mistake(400, field ? `${field}: ${problem}` : problem);
const shown = (value) => {
    const text = JSON.stringify(value) ?? String(value);
    return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
};
const at = (where, name) => (where ? `${where}.${name}` : name);

function fields(where, data, required, optional = []) {
    if (typeof data !== "object" || data === null || Array.isArray(data)) throw wrong(where, `${shown(data)} is not an object`);
    const known = [...required, ...optional];
    for (const name of Object.keys(data)) {
        if (!known.includes(name)) throw wrong(at(where, name), `no such field, only ${known.join(", ")}`);
    }
    for (const name of required) if (!(name in data)) throw wrong(at(where, name), "it is missing");
}

function number(where, value, least, most) {
    if (typeof value !== "number" || !(value >= least && value <= most)) {
        throw wrong(where, `${shown(value)} is not a number from ${least} to ${most}`);
    }
    return value;
}

function whole(where, value, least, most) {
    if (!Number.isInteger(number(where, value, least, most))) throw wrong(where, `${shown(value)} is not a whole number`);
    return value;
}

function list(where, value, most, check) {
    if (!Array.isArray(value)) throw wrong(where, `${shown(value)} is not a list`);
    if (value.length > most) throw wrong(where, `there are ${value.length}, but at most ${most} are taken`);
    return value.map((item, i) => check(`${where}[${i}]`, item));
}

/**
 * @param {any} data what JSON.parse gave @param {{width: number, height: number}} picture that it is for
 * @returns {object} a recipe, as recipe.js has it
 */
export function checkedRecipe(data, picture) {
    const version = data?.version ?? 2;
    if (![1, 2].includes(version)) throw wrong("version", `${shown(version)} is not known to this hybridvit, only 1 and 2 are`);
    fields("", data, ["version", "picture", "hints"], [...RECIPE, "protected", "frame", "review"]);
    fields("picture", data.picture, ["width", "height"], ["sha256"]);
    const { width, height } = data.picture;
    if (width !== picture.width || height !== picture.height) {
        const has = `this has ${picture.width} x ${picture.height}`;
        throw wrong("picture", `the hints are for one of ${shown(width)} x ${shown(height)} px, but ${has}`);
    }
    const leftOut = version === 1 ? { reach: 1 } : {};
    return {
        ...recipe("", data, picture, leftOut),
        protected: list("protected", data.protected ?? [], MOST.protected, (where, area) => {
            const name = area && typeof area === "object" && "mask" in area ? "mask" : "polygon";
            fields(where, area, [name, "hints"], RECIPE);
            return { [name]: checkedArea(where, area, name, picture), ...recipe(where, area, picture, leftOut) };
        }),
        frame: checkedFrame(data.frame ?? {}, picture),
    };
}

function recipe(where, data, picture, leftOut) {
    const palette = list(at(where, "palette"), data.palette ?? [], MOST.palette, (here, item) => {
        fields(here, item, ["color"], ["weight"]);
        if (!isHex(item.color)) throw wrong(at(here, "color"), `${shown(item.color)} is not an sRGB colour like '#2e6b3a'`);
        const weight = number(at(here, "weight"), item.weight ?? 1, 0, LARGEST_WEIGHT);
        if (weight === 0) throw wrong(at(here, "weight"), "it is 0; give a positive number");
        return { color: item.color.toLowerCase(), weight };
    });
    return {
        hints: list(at(where, "hints"), data.hints, MOST.hints, (here, hint) => checkedHint(here, { ...leftOut, ...hint }, picture)),
        palette,
        settings: checkedSettings(at(where, "settings"), data.settings ?? {}),
    };
}

const isHex = (value) => typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value);

function checkedSettings(where, given) {
    fields(where, given, [], Object.keys(DEFAULT_SETTINGS));
    const settings = { ...DEFAULT_SETTINGS, ...given };
    for (const [name, known] of /** @type {[string, string[]][]} */ ([["decode", DECODES], ["borders", ["auto", "off"]]])) {
        if (!known.includes(settings[name])) throw wrong(at(where, name), `${shown(settings[name])} is none of ${known.join(", ")}`);
    }
    whole(at(where, "size"), settings.size, 16, 4096);
    number(at(where, "strength"), settings.strength, 0, 10);
    whole(at(where, "seed"), settings.seed, 0, LARGEST_SEED);
    return settings;
}

/**
 * One hint of version 2.
 * @param {string} where it stands, for the message @param {any} hint @param {{width: number, height: number}} picture
 */
export function checkedHint(where, hint, picture) {
    const type = hint?.type;
    if (!Object.hasOwn(SHAPES, type ?? "")) throw wrong(at(where, "type"), `${shown(type)} is not one of ${Object.keys(SHAPES).join(", ")}`);
    const area = "mask" in hint ? "mask" : "polygon";
    const own = type === "region" ? [area] : SHAPES[type];
    fields(where, hint, ["type", "color", ...own], ["source", "reach", "strength"]);
    const checked = { ...hint, color: checkedColor(at(where, "color"), hint.color) };
    if ("source" in hint && (typeof hint.source !== "string" || hint.source.length > MOST.source)) {
        throw wrong(at(where, "source"), `${shown(hint.source)} is not a text of up to ${MOST.source} characters`);
    }
    for (const name of ["reach", "strength"]) if (name in hint) number(at(where, name), hint[name], 0, 1);
    if (type === "point") {
        for (const [name, size] of /** @type {[string, number][]} */ ([["x", picture.width], ["y", picture.height]])) {
            const value = number(at(where, name), hint[name], -LARGEST, LARGEST);
            if (value < 0 || value >= size) throw wrong(at(where, name), `${value} is ${outside(picture)}`);
        }
    } else if (type === "stroke") {
        const width = number(at(where, "width"), hint.width, 0, LARGEST);
        if (width === 0) throw wrong(at(where, "width"), "it is 0; give a positive number");
        checkPath(at(where, "points"), hint.points, 1, width / 2, picture);
    } else checkedArea(where, hint, area, picture);
    return checked;
}

const outside = ({ width, height }) => `outside the picture, which is ${width} x ${height} px`;

function checkedColor(where, color) {
    if (isHex(color)) return color.toLowerCase();
    if (!Array.isArray(color) || color.length !== 2) {
        throw wrong(where, `${shown(color)} is not an sRGB colour like '#2e6b3a', nor CIE a and b`);
    }
    return color.map((value) => number(where, value, -LARGEST_AB, LARGEST_AB));
}

function checkPath(where, path, fewest, radius, { width, height }) {
    list(where, path, MOST.corners, (here, xy) => {
        if (!Array.isArray(xy) || xy.length !== 2) throw wrong(here, `${shown(xy)} is not [x, y]`);
        return xy.map((value) => number(here, value, -LARGEST, LARGEST));
    });
    if (path.length < fewest) throw wrong(where, `there are ${path.length}, but it takes ${fewest} to ${MOST.corners}`);
    const misses = [width, height].some((size, axis) => {
        const values = path.map((xy) => xy[axis]);
        return values.every((value) => value + radius < 0) || values.every((value) => value - radius >= size);
    });
    if (misses) throw wrong(where, `all of it is ${outside({ width, height })}`);
}

function checkedArea(where, data, name, picture) {
    if (name === "polygon") {
        checkPath(at(where, name), data.polygon, 3, 0, picture);
        return data.polygon;
    }
    const { mask } = data;
    const here = at(where, "mask");
    fields(here, mask, ["left", "top", "width", "height", "runs"]);
    for (const [side, least] of /** @type {[string, number][]} */ ([["left", 0], ["top", 0], ["width", 1], ["height", 1]])) {
        whole(at(here, side), mask[side], least, LARGEST);
    }
    const most = mask.width * mask.height;
    const runs = list(at(here, "runs"), mask.runs, most + 2, (place, run) => whole(place, run, 0, most));
    const sum = runs.reduce((total, run) => total + run, 0);
    if (sum !== most) throw wrong(at(here, "runs"), `they add up to ${sum} pixels, but ${mask.width} x ${mask.height} is ${most}`);
    if (!runs.some((run, i) => i % 2 && run)) throw wrong(at(here, "runs"), "no pixel is in the mask");
    if (mask.left + mask.width > picture.width || mask.top + mask.height > picture.height) {
        throw wrong(here, `it is partly ${outside(picture)}`);
    }
    return mask;
}

function checkedFrame(frame, picture) {
    fields("frame", frame, [], ["turns", "crop"]);
    const turns = whole("frame.turns", frame.turns ?? 0, 0, 3);
    if (!("crop" in frame)) return { turns, crop: null };
    const { crop } = frame;
    fields("frame.crop", crop, ["x", "y", "width", "height"]);
    for (const name of ["x", "y"]) whole(`frame.crop.${name}`, crop[name], 0, LARGEST);
    for (const name of ["width", "height"]) whole(`frame.crop.${name}`, crop[name], 1, LARGEST);
    if (crop.x + crop.width > picture.width || crop.y + crop.height > picture.height) {
        throw wrong("frame.crop", `it is partly ${outside(picture)}`);
    }
    return { turns, crop };
}
