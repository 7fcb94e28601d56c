/**
 * An open photograph: its pixels at all levels, what is said of its colours, and their painting. What decides colours is
 * kept by revision, so that what was asked for before can be asked for again.
 */

import { rgbToHex, rgbToLab } from "../color.js";
import { recipeToJson } from "../recipe.js";
import { boxOf, imageOf, levelsOf, TILE } from "./levels.js";
import { createPainter, guideMaps } from "./engine.js";
import { framedSize, framedStrips } from "./framed.js";

const VERSION = 2; // of sidecars
const MOST_REVISIONS = 200;
const MOST_COLORED = 4; // whose colours at the view are kept
const MOST_IN_SIGHT = 6; // tiles; a screen shows about as many

export class LocalPhoto {
    #canvas;
    #revisions = new Map(); // canonical recipe -> revision
    #recipes = new Map(); // revision -> recipe
    #colored = new Map(); // revision -> {colors, painters by level}
    #count = 0;
    #seen = { revision: "", places: new Map() }; // level, row and column of the tiles that were asked for last, by key
    #painted = new Map(); // tiles that nobody has asked for yet, by revision and key

    /**
     * @param {object} engine @param {{id: string, name: string, file: Blob}} entry
     * @param {import("./decoded.js").Pixels & {remarks: string[]}} pixels @param {object} recipe
     */
    constructor(engine, entry, pixels, recipe) {
        this.entry = entry;
        this.levels = levelsOf(pixels);
        this.remarks = pixels.remarks;
        this.#canvas = engine.open({ ...pixels, pixels: pixels.data });
        this.recipe = recipe;
        this.revision = this.revisionOf(recipe);
    }

    get width() {
        return this.levels[0].width;
    }

    get height() {
        return this.levels[0].height;
    }

    /** Bytes of its pixels. */
    get bytes() {
        return this.levels.reduce((sum, { data }) => sum + data.length, 0);
    }

    get canvas() {
        return this.#canvas;
    }

    /** What decides its colours, as it is written down; without a digest, as browsers decode JPEG as they like. */
    get sidecar() {
        return {
            version: VERSION,
            picture: { width: this.width, height: this.height },
            ...recipeToJson(this.recipe),
        };
    }

    /** A name for the picture in these colours, 16 hexadecimal digits: the same recipe has the same. */
    revisionOf(recipe) {
        const said = JSON.stringify(recipeToJson(recipe));
        let revision = this.#revisions.get(said);
        if (!revision) {
            revision = (++this.#count).toString(16).padStart(16, "0");
            this.#revisions.set(said, revision);
        }
        this.#recipes.delete(revision);
        this.#recipes.set(revision, recipe);
        if (this.#recipes.size > MOST_REVISIONS) this.#recipes.delete(this.#recipes.keys().next().value);
        return revision;
    }

    /** @param {string | null} revision @returns {object | undefined} its recipe, if it is still known */
    recipeOf(revision) {
        return revision === null || revision === this.revision ? this.recipe : this.#recipes.get(revision);
    }

    /** Another recipe, which was checked. @returns {string} its revision */
    change(recipe) {
        this.recipe = recipe;
        this.revision = this.revisionOf(recipe);
        return this.revision;
    }

    /** The colours of a recipe, computed once; `pause` as for the canvas. @returns {Promise<{box: Function, pixel: Function}>} */
    async colored(recipe, pause = undefined) {
        const revision = this.revisionOf(recipe);
        let found = this.#colored.get(revision);
        if (!found) {
            const canvas = this.#canvas;
            const { ab, height, width } = await canvas.chroma(recipe, pause);
            const L = await canvas.lightness(recipe.settings);
            found = this.#paints(recipe, { ab, L, height, width }, canvas.inside(recipe.settings));
        }
        this.#colored.delete(revision);
        this.#colored.set(revision, found);
        if (this.#colored.size > MOST_COLORED) this.#colored.delete(this.#colored.keys().next().value);
        return found;
    }

    /** A tile as it was photographed, RGBA, or null where there is none. */
    originalTile(level, row, column) {
        const pixels = this.levels[level];
        const box = pixels && boxOf(pixels, row, column);
        return box ? imageOf(pixels, box) : null;
    }

    /** A tile in the colours of a revision, RGBA, or null where there is none. */
    async tile(revision, recipe, level, row, column) {
        const key = `${level} ${row} ${column}`;
        const box = level < this.levels.length ? boxOf(this.levels[level], row, column) : null;
        if (!box) return null;
        if (revision !== this.#seen.revision) this.#seen = { revision, places: new Map() };
        if (this.#seen.places.size < MOST_IN_SIGHT) this.#seen.places.set(key, [level, row, column]);
        return this.#painted.get(`${revision} ${key}`) ?? this.#image(await this.colored(recipe), level, box);
    }

    #image = (colored, level, box) => new ImageData(new Uint8ClampedArray(colored.box(level, box).buffer), box.width, box.height);

    /** Colours it by another recipe, and paints what is in sight. @param {() => Promise<void>} pause before each step; may reject */
    async prepare(recipe, pause) {
        await pause();
        const colored = await this.colored(recipe, pause);
        const revision = this.revisionOf(recipe);
        for (const [key, [level, row, column]] of this.#seen.places) {
            await pause();
            const name = `${revision} ${key}`;
            if (!this.#painted.has(name)) this.#painted.set(name, this.#image(colored, level, boxOf(this.levels[level], row, column)));
        }
    }

    /** Frees what was painted, but not asked for. */
    forgetPainted() {
        this.#painted.clear();
    }

    #paints(recipe, view, inside) {
        const painters = new Map(); // by level
        const maps = guideMaps(view.ab, view.L, view.height, view.width);
        const painter = (level) => {
            if (!painters.has(level)) painters.set(level, createPainter(this.levels, level, recipe, view, inside, maps));
            return painters.get(level);
        };
        return {
            /** RGBA of a box of a level that begins at multiples of TILE. */
            box: (level, { top, left, height, width }) => painter(level).tile(top, left, height, width),
            /** The colour of a pixel of the photograph, as "#2e6b3a". */
            pixel(x, y) {
                const [row, column] = [Math.floor(y), Math.floor(x)];
                const [top, left] = [row - (row % TILE), column - (column % TILE)];
                const rgba = painter(0).tile(top, left, row - top + 1, column - left + 1);
                return rgbToHex([...rgba.slice(-4, -1)].map((value) => value / 255));
            },
        };
    }

    /** L, 0..100, of the pixel at a place. */
    lightnessAt(x, y) {
        const [{ width, channels, data }] = this.levels;
        const at = (Math.floor(y) * width + Math.floor(x)) * channels;
        const rgb = channels === 1 ? [data[at], data[at], data[at]] : [...data.subarray(at, at + 3)];
        return Math.max(0, rgbToLab(rgb.map((value) => value / 255))[0]);
    }

    /** The picture as it is saved, in its frame. */
    async framed(recipe) {
        const colored = await this.colored(recipe);
        const [whole] = this.levels;
        return {
            size: framedSize(recipe.frame, whole),
            strips: framedStrips(whole, recipe.frame, (box) => colored.box(0, box)),
        };
    }
}
