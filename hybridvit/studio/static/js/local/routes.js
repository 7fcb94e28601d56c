/** What the studio's server answers, answered by the page: the addresses of hybridvit/studio/app.py that have a use here. */

import { recipeOf, withHint } from "../recipe.js";
import { Mistake } from "./decoded.js";
import { jpeg, png, preview } from "./encoded.js";
import { framedSize } from "./framed.js";
import { heatMap } from "./heat_map.js";
import { imageOf, TILE } from "./levels.js";
import { outlines } from "./outlines.js";
import { referenceOf } from "./reference.js";
import { checkedHint, checkedRecipe } from "./sidecar.js";

const [THUMBNAIL, PREVIEW] = [256, 384]; // px
const MOST_COLORS = 5;
const LARGEST_VIEW = 2 ** 20; // px of what the model sees at once
const ENDINGS = { jpeg: "jpg", png: "png" };
const references = new Map(); // id -> Blob

/**
 * What answers a method at a path: `handle` takes the library, the path's parts, the query, and {body, ifMatch}.
 * @type {{verb: string, pattern: RegExp, handle: (library: any, parts: any, query: any, rest: any) => any}[]}
 */
export const ROUTES = [
    { verb: "GET", pattern: /^$/, handle: (library) => library.info() },
    { verb: "GET", pattern: /^photos$/, handle: (library) => ({ photos: library.listed() }) },
    { verb: "POST", pattern: /^photos$/, handle: async (library, _, { name }, { body }) => details(await library.add(body, name ?? "photo")) },
    { verb: "GET", pattern: /^photos\/(\w+)$/, handle: async (library, [id]) => details(await library.open(id)) },
    { verb: "DELETE", pattern: /^photos\/(\w+)$/, handle: (library, [id]) => library.remove(id) },
    { verb: "GET", pattern: /^photos\/(\w+)\/thumbnail$/, handle: (library, [id], query) => small(library, id, query, THUMBNAIL) },
    { verb: "GET", pattern: /^photos\/(\w+)\/preview$/, handle: (library, [id], query) => small(library, id, query, PREVIEW) },
    { verb: "POST", pattern: /^photos\/(\w+)\/prepare$/, handle: async (library, [id]) => void (await library.open(id)) },
    { verb: "GET", pattern: /^photos\/(\w+)\/sidecar$/, handle: sidecarFile },
    { verb: "PUT", pattern: /^photos\/(\w+)\/sidecar$/, handle: putSidecar },
    { verb: "GET", pattern: /^photos\/(\w+)\/tiles\/(\w+)\/(\d+)\/(\d+)\/(\d+)$/, handle: tile },
    { verb: "GET", pattern: /^photos\/(\w+)\/uncertainty$/, handle: uncertainty },
    { verb: "GET", pattern: /^photos\/(\w+)\/variants\/(\d+)$/, handle: variant },
    { verb: "GET", pattern: /^photos\/(\w+)\/colors$/, handle: colors },
    { verb: "GET", pattern: /^photos\/(\w+)\/gamut$/, handle: gamut },
    { verb: "GET", pattern: /^photos\/(\w+)\/next$/, handle: next },
    { verb: "POST", pattern: /^photos\/(\w+)\/reach$/, handle: reach },
    { verb: "POST", pattern: /^photos\/(\w+)\/save$/, handle: save },
    { verb: "GET", pattern: /^photos\/(\w+)\/result$/, handle: (library, [id]) => library.takeResult(id) },
    { verb: "POST", pattern: /^references$/, handle: addReference },
    { verb: "GET", pattern: /^references\/(\w+)$/, handle: (_, [id]) => references.get(id) },
];

function details(photo) {
    const [{ width, height, channels }] = photo.levels;
    return {
        id: photo.entry.id,
        name: photo.entry.name,
        source: "upload",
        width,
        height,
        bits: 8,
        gray: channels === 1,
        levels: photo.levels.length,
        tile: TILE,
        sidecar: photo.sidecar,
        revision: photo.revision,
        remarks: photo.remarks,
    };
}

/** The photograph, and the recipe of the query's revision. */
async function photoAndRecipe(library, id, { revision = null }) {
    const photo = await library.open(id);
    const recipe = photo.recipeOf(revision);
    if (!recipe) throw new Mistake(410, "these colours are not known any more: send the sidecar again");
    return { photo, recipe };
}

async function putSidecar(library, [id], _, { body, ifMatch }) {
    const photo = await library.open(id);
    const recipe = recipeOf(checkedRecipe(JSON.parse(body), photo));
    checkView(photo, recipe);
    if (ifMatch && ifMatch !== photo.revision) throw new Mistake(409, "the hints of this photograph were changed elsewhere meanwhile: reload it");
    await photo.colored(recipe);
    const revision = photo.change(recipe);
    library.keep(photo);
    return { revision };
}

function checkView(photo, recipe) {
    for (const { settings } of [recipe, ...recipe.protected.map(recipeOf)]) {
        const { height, width } = photo.canvas.inside(settings);
        const scale = settings.size / Math.min(height, width);
        if (height * scale * width * scale > LARGEST_VIEW) {
            throw new Mistake(400, `settings.size: at ${settings.size} px the model's view is too large for this page: choose a smaller one`);
        }
    }
}

async function sidecarFile(library, [id]) {
    const photo = await library.open(id);
    const text = `${JSON.stringify(photo.sidecar, null, 1)}\n`;
    return { name: `${stem(photo)}.hints.json`, blob: new Blob([text], { type: "application/json" }) };
}

const stem = ({ entry: { name } }) => name.replace(/\.[^.]*$/, "") || name;

async function tile(library, [id, what, level, row, column]) {
    const { photo, recipe } = await photoAndRecipe(library, id, { revision: what === "original" ? null : what });
    const place = [level, row, column].map(Number);
    const found = what === "original" ? photo.originalTile(...place) : await photo.tile(what, recipe, ...place);
    if (!found) throw new Mistake(400, "there is no such tile");
    return found;
}

const image = (colored, level, box) =>
    new ImageData(new Uint8ClampedArray(colored.box(level, box).buffer), box.width, box.height);

async function small(library, id, query, longest) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    return painted(photo, recipe, "revision" in query || "tag" in query, longest);
}

/** The photograph in its frame, from the smallest level that has enough pixels of it. */
async function painted(photo, recipe, inColor, longest) {
    const { frame } = recipe;
    const size = framedSize(frame, photo);
    let level = 0;
    while (level + 1 < photo.levels.length && Math.max(size.width, size.height) / 2 ** (level + 1) >= longest) level++;
    const { width, height } = photo.levels[level];
    const scaled = (value) => Math.floor(value / 2 ** level);
    const crop = frame.crop ?? { x: 0, y: 0, width: photo.width, height: photo.height };
    const box = { top: 0, left: 0, width, height };
    const whole = inColor ? image(await photo.colored(recipe), level, box) : imageOf(photo.levels[level], box);
    const [x, y] = [scaled(crop.x), scaled(crop.y)];
    const part = new ImageData(
        Math.max(1, Math.min(Math.ceil((crop.x + crop.width) / 2 ** level), width) - x),
        Math.max(1, Math.min(Math.ceil((crop.y + crop.height) / 2 ** level), height) - y),
    );
    const [from, to] = [new Uint32Array(whole.data.buffer), new Uint32Array(part.data.buffer)];
    for (let row = 0; row < part.height; row++) {
        const start = (y + row) * width + x;
        to.set(from.subarray(start, start + part.width), row * part.width);
    }
    return preview(part, frame.turns, longest);
}

async function uncertainty(library, [id], query) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    const doubt = await photo.canvas.doubt(recipe);
    if (!doubt) throw new Mistake(404, "this model does not say how sure it is");
    return heatMap(doubt, photo);
}

async function variant(library, [id, seed], query) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    const settings = { ...recipe.settings, decode: "sample", seed: Number(seed) };
    return painted(photo, recipeOf({ ...recipe, settings }), true, PREVIEW);
}

function placeIn(photo, { x, y }) {
    const place = { x: Number(x), y: Number(y) };
    const within = (value, size) => value >= 0 && value < size;
    if (!within(place.x, photo.width) || !within(place.y, photo.height)) throw new Mistake(400, `${x}, ${y} is outside the picture`);
    return place;
}

async function colors(library, [id], query) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    const { x, y } = placeIn(photo, query);
    const found = await photo.canvas.likelyColors(recipe, x, y, MOST_COLORS);
    const points = found.slice(0, Number(query.ahead ?? 0)).map(({ color }) => ({ type: "point", x, y, color }));
    library.ahead.begin(photo, points.map((point) => withHint(photo.recipe, point)));
    return { lightness: photo.lightnessAt(x, y), colors: found };
}

async function gamut(library, [id], query) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    const { x, y } = placeIn(photo, query);
    const lightness = photo.lightnessAt(x, y);
    if (!("revision" in query)) return { lightness };
    return { lightness, color: (await photo.colored(recipe)).pixel(x, y) };
}

async function next(library, [id], query) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    return { points: await photo.canvas.nextHints(recipe, Number(query.count ?? 3)) };
}

async function reach(library, [id], query, { body }) {
    const { photo, recipe } = await photoAndRecipe(library, id, query);
    const hint = checkedHint("hint", JSON.parse(body).hint, photo);
    const map = await photo.canvas.reachOf(hint, recipe.settings);
    const most = (hint.strength ?? 1) / 2;
    const share = map.weight.reduce((count, weight) => count + (weight > most), 0) / map.weight.length;
    return { share, outline: outlines(map, photo.canvas.inside(recipe.settings)) };
}

/** Made now, and taken with GET .../result. */
async function save(library, [id], _, { body }) {
    const began = performance.now();
    const photo = await library.open(id);
    const format = JSON.parse(body).format ?? (/\.png$/i.test(photo.entry.name) ? "png" : "jpeg");
    if (!Object.hasOwn(ENDINGS, format)) throw new Mistake(400, `format: ${format} is none of ${Object.keys(ENDINGS).join(", ")}`);
    const { recipe } = photo;
    const { size, strips } = await photo.framed(recipe);
    const blob = await (format === "png" ? png : jpeg)(size, strips);
    const name = `${stem(photo)}-colorized.${ENDINGS[format]}`;
    library.putResult(id, { name, blob, said: { ...size, fields: library.statement(photo, recipe) } });
    return { file: name, sidecar: null, seconds: (performance.now() - began) / 1000 };
}

async function addReference(library, _, __, { body }) {
    const { id, palette, blob } = await referenceOf(body);
    references.clear(); // one is shown
    references.set(id, blob);
    return { id, palette };
}
