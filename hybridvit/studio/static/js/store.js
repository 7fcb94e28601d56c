/**
 * What the page knows: the photograph, its recipe and history, the revision to show, selection and tool.
 *
 * Events: "photo", "recipe" (also undo's and redo's state), "revision", "selection", "tool", "color" (detail: {color,
 * source}, one that was picked from a picture), "lightness" (more is known of what hints look like), "sketch" (detail:
 * {changed}, a Set of its fields), "busy", "error" and "announce" (detail: {message}), "conflict" (detail:
 * {reload, keep}: another tab changed the photograph; one of the two functions is to be called).
 */

import { sampleColor } from "./eyedropper.js";
import { keepHistories, restoredHistory } from "./kept_history.js";
import { WHOLE, frameOf } from "./frame.js";
import { History } from "./history.js";
import { Lightness } from "./lightness.js";
import { follow, recipeOf, sameRecipe } from "./recipe.js";
import { Saving } from "./saving.js";

/**
 * What is on the picture and in no recipe: `draft`, a shape that has no colour yet or is being drawn; `preview`, the
 * hex that it, or else the selected hint, is shown with; `cursor`, the keyboard's place; `brush`, where the brush is
 * and its radius; `corner`, the corner that would close the draft; `outline`, closed
 * lines round what a hint would reach.
 */
const EMPTY_SKETCH = Object.freeze({ draft: null, preview: null, cursor: null, brush: null, corner: null, outline: null });

const OF_PHOTOS = ["protect", "crop"]; // what lies in an area of a film moves on

export const TOOLS = Object.freeze(["point", "brush", "lasso", "protect", "eyedropper", "pan", "crop"]);

/**
 * @param {import("./api.js").Api} api
 * @returns {Store}
 */
export function createStore(api) {
    const store = new Store(api);
    addEventListener("pagehide", () => store.leave());
    addEventListener("beforeunload", (event) => store.atRisk && event.preventDefault());
    return store;
}

export class Store extends EventTarget {
    #api;
    #sessions = new Map(); // of the photographs that were opened, by id: histories outlive going to the next one
    #session = null;
    #opening = 0;
    #revisions = new WeakMap(); // of recipes that were saved
    #revision = null;
    #selected = null;
    #selectedArea = null;
    #tool = "point";
    #sketch = EMPTY_SKETCH;
    #lightness;

    constructor(api) {
        super();
        this.#api = api;
        this.#lightness = new Lightness(api, () => this.#emit("lightness"));
    }

    get photo() {
        return this.#session?.photo ?? null;
    }

    get recipe() {
        return this.#session?.history.recipe ?? null;
    }

    /** What of the photograph is shown now: while it is being cropped, all of it. @returns {import("./frame.js").Frame} */
    get frame() {
        const { turns, crop } = this.recipe?.frame ?? WHOLE;
        return frameOf({ turns, crop: this.#tool === "crop" ? null : crop });
    }

    /** The sidecar as the server gave it with the photograph: its picture's size and digest. */
    get sidecar() {
        return this.photo?.sidecar ?? null;
    }

    /** The revision whose tiles are to be shown: that of the latest recipe that the server knows. */
    get revision() {
        return this.#revision;
    }

    /** Whether the newest recipe is not saved yet, and so not shown. */
    get busy() {
        return this.#session?.saving.pending ?? false;
    }

    get selected() {
        return this.#selected;
    }

    /** The index of the protected area that is selected, or null. */
    get selectedArea() {
        return this.#selectedArea;
    }

    get tool() {
        return this.#tool;
    }

    get sketch() {
        return this.#sketch;
    }

    /** Changes some of the sketch's fields. */
    setSketch(fields) {
        const changed = new Set(Object.keys(fields).filter((name) => fields[name] !== this.#sketch[name]));
        if (!changed.size) return;
        this.#sketch = Object.freeze({ ...this.#sketch, ...fields });
        this.#emit("sketch", { changed });
    }

    /** What a hint looks like where it is: a hex. */
    colorOf(hint) {
        return this.#lightness.colorOf(this.photo, hint);
    }

    get undoLabel() {
        return this.#session?.history.undoLabel ?? null;
    }

    get redoLabel() {
        return this.#session?.history.redoLabel ?? null;
    }

    /** The steps that were made: their labels, and where among them we are. */
    get steps() {
        return this.#session?.history.steps ?? { labels: [], at: 0 };
    }

    /** Whether leaving the page now could lose something. */
    get atRisk() {
        return [...this.#sessions.values()].some(({ saving }) => saving.atRisk);
    }

    /**
     * Opens a photograph; its history goes on if it was open before. Of several calls the last one counts.
     * @param {string} id
     * @returns {Promise<boolean>} whether it is the one that is open now
     */
    async open(id) {
        const turn = ++this.#opening;
        const photo = await this.#api.photo(id);
        if (turn !== this.#opening) return false;
        const session = this.#sessionOf(photo);
        this.#session = session;
        this.#revisions.set(session.history.recipe, photo.revision);
        this.#revision = photo.revision;
        this.#selected = this.#selectedArea = null;
        this.#sketch = EMPTY_SKETCH;
        for (const event of ["photo", "recipe", "revision", "selection", "busy"]) this.#emit(event);
        if (photo.film && OF_PHOTOS.includes(this.#tool)) this.setTool("point");
        return true;
    }

    #sessionOf(photo) {
        const earlier = this.#sessions.get(photo.id);
        const theirs = recipeOf(photo.sidecar);
        if (earlier?.saving.pending) return earlier;
        const history = earlier?.history ?? restoredHistory(photo.id, theirs) ?? new History(theirs);
        if (!sameRecipe(history.recipe, theirs)) history.change("Changes made elsewhere", theirs);
        const session = { photo, history, saving: null };
        session.saving = new Saving(this.#api, photo, {
            pending: () => this.#ifCurrent(session, () => this.#emit("busy")),
            saved: (recipe, revision) => {
                this.#revisions.set(recipe, revision);
                this.#ifCurrent(session, () => this.#show(revision));
            },
            failed: (message) =>
                this.#emit("error", { message: `${photo.name} is not saved yet, nothing is lost: ${message}` }),
            changedElsewhere: (recipe) => this.#emit("conflict", this.#choices(session, recipe)),
        });
        this.#sessions.set(photo.id, session);
        return session;
    }

    #choices({ photo, history, saving }, theirs) {
        const keep = () => saving.resolve(history.recipe);
        const reload = () => {
            this.#step(() => history.change("Changes made elsewhere", theirs));
            saving.resolve(theirs);
        };
        return { name: photo.name, reload, keep };
    }

    #ifCurrent(session, action) {
        if (session === this.#session) action();
    }

    #show(revision) {
        if (revision !== this.#revision) {
            this.#revision = revision;
            this.#emit("revision");
        }
        this.#emit("busy");
    }

    /**
     * Makes `recipe` the photograph's, shows and saves it.
     * @param {string} label of the change, as in "Move point", for undo
     * @param {object} recipe see recipe.js
     * @param {{merge?: boolean | string}} [options] see History.change: a drag is one step
     */
    change(label, recipe, { merge = false } = {}) {
        if (!this.#session || sameRecipe(recipe, this.recipe)) return;
        this.#step((history) => history.change(label, recipe, merge));
        this.#session.saving.save(this.recipe);
    }

    undo() {
        this.#travel(this.undoLabel, "Undone", (history) => history.undo());
    }

    redo() {
        this.#travel(this.redoLabel, "Done again", (history) => history.redo());
    }

    /** Goes to a step of `steps`. @param {number} at */
    goTo(at) {
        const { labels, at: now } = this.steps;
        if (at !== now && at in labels) this.#travel(labels[at] || "as opened", "Back at", (history) => history.goTo(at));
    }

    #travel(label, word, step) {
        if (label === null) return;
        this.#step(step);
        const revision = this.#revisions.get(this.recipe);
        if (revision) this.#show(revision); // its tiles are there already
        this.#session.saving.save(this.recipe);
        this.announce(`${word}: ${label}`);
    }

    /** Changes the history; what was selected stays selected, wherever in its list it is now. */
    #step(change) {
        const before = this.recipe;
        change(this.#session.history);
        const hint = follow(this.#selected, before.hints, this.recipe.hints);
        const area = follow(this.#selectedArea, before.protected, this.recipe.protected);
        const selects = hint !== this.#selected || area !== this.#selectedArea;
        [this.#selected, this.#selectedArea] = [hint, area];
        this.#emit("recipe");
        if (selects) this.#emit("selection");
    }

    /** The server does not know the revision any more (410): tells it the recipe again; resolves when it knows. */
    async renew() {
        this.#session.saving.save(this.recipe);
        const told = new AbortController();
        await new Promise((resolve) => {
            const check = () => this.busy || resolve();
            this.addEventListener("busy", check, { signal: told.signal });
        });
        told.abort();
    }

    /** @param {number | null} index of a hint */
    select(index) {
        this.#selectBoth(index, null);
    }

    /** @param {number | null} index of a protected area */
    selectArea(index) {
        this.#selectBoth(null, index);
    }

    #selectBoth(hint, area) {
        if (hint === this.#selected && area === this.#selectedArea) return;
        this.#selected = hint;
        this.#selectedArea = area;
        this.#emit("selection");
    }

    /** @param {string} name one of TOOLS */
    setTool(name) {
        if (name === this.#tool || (this.photo?.film && OF_PHOTOS.includes(name))) return;
        this.#tool = name;
        this.#emit("tool");
    }

    /**
     * A colour was picked from a picture: it goes to the hint that is open or selected.
     * @param {string} color hex
     * @param {string} [source] where it is from, for the hint's note
     */
    pickColor(color, source) {
        this.#emit("color", { color, source });
    }

    /**
     * Picks the colour of a place of the photograph, averaged over about a pixel of the screen.
     * @param {"original" | "result"} what @param {{x: number, y: number}} place @param {number} scale of the screen
     */
    async pickAt(what, place, scale) {
        try {
            const picture = what === "result" ? this.revision : what;
            this.pickColor(await sampleColor(this.#api, this.photo, picture, place, scale));
        } catch (error) {
            this.#emit("error", { message: error.message });
        }
    }

    /** Says something to users of screen readers. */
    announce(message) {
        this.#emit("announce", { message });
    }

    /** The page is being left: sends what was not sent yet. */
    leave() {
        for (const { saving } of this.#sessions.values()) saving.leave();
        keepHistories(this.#sessions);
    }

    #emit(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
}
