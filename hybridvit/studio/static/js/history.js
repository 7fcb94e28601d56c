/** What was done to one photograph's recipe, without limit, and where in it we are. */

import { recipeOf, sameRecipe } from "./recipe.js";

const SAME_GESTURE_MS = 1000;

const MOST_KEPT = 100; // steps, for when the page is loaded again

export class History {
    /** @type {{label: string, recipe: object, merge: boolean | string, time: number}[]} */
    #steps;
    #at = 0;

    /** @param {object} recipe the first one, which undo ends at */
    constructor(recipe) {
        this.#steps = [{ label: "", recipe, merge: false, time: -Infinity }];
    }

    get recipe() {
        return this.#steps[this.#at].recipe;
    }

    /** What undo would take back, and redo would do again: a label, or null. */
    get undoLabel() {
        return this.#at > 0 ? this.#steps[this.#at].label : null;
    }

    get redoLabel() {
        return this.#steps[this.#at + 1]?.label ?? null;
    }

    /** The steps' labels, the first one empty, and which of them is where we are. */
    get steps() {
        return { labels: this.#steps.map(({ label }) => label), at: this.#at };
    }

    /** What can be kept as JSON: the latest steps. */
    toJSON() {
        const from = Math.max(0, Math.min(this.#steps.length - MOST_KEPT, this.#at));
        const steps = this.#steps.slice(from).map(({ label, recipe }) => ({ label, recipe }));
        return { steps, at: this.#at - from };
    }

    /**
     * What `toJSON` has made, if it is sound and its present recipe is `recipe`; else null.
     * @param {object} json @param {object} recipe
     */
    static from(json, recipe) {
        try {
            const recipes = json.steps.map((step) => recipeOf(step.recipe));
            if (!sameRecipe(recipes[json.at], recipe)) return null;
            const history = new History(recipes[0]);
            history.#steps = recipes.map((one, i) => ({
                label: String(json.steps[i].label),
                recipe: one,
                merge: false,
                time: -Infinity,
            }));
            history.#at = json.at;
            return history;
        } catch {
            return null;
        }
    }

    /**
     * A new step; what had been undone is forgotten.
     * @param {string} label of the change, as in "Move point"
     * @param {object} recipe
     * @param {boolean | string} [merge] makes one step of it and the latest one, if that has the same label and the
     *     same string here; with true also no more than a second may lie between them
     * @param {number} [time] ms
     */
    change(label, recipe, merge = false, time = Date.now()) {
        const latest = this.#steps[this.#at];
        const merges =
            merge &&
            this.#at === this.#steps.length - 1 &&
            latest.merge === merge &&
            latest.label === label &&
            (merge !== true || time - latest.time < SAME_GESTURE_MS);
        this.#steps.length = this.#at + (merges ? 0 : 1);
        this.#steps.push({ label, recipe, merge, time });
        this.#at = this.#steps.length - 1;
    }

    /** Goes to a step. @param {number} at its index */
    goTo(at) {
        this.#at = Math.min(Math.max(at, 0), this.#steps.length - 1);
    }

    /** One step back; nothing at the beginning. */
    undo() {
        if (this.#at > 0) this.#at--;
    }

    /** One step forth; nothing at the end. */
    redo() {
        if (this.#at + 1 < this.#steps.length) this.#at++;
    }
}
