/**
 * Saves the recipes of one photograph on the server as they come: one request at a time, and of those that came during
 * it only the latest. What could not be saved is kept and tried again, sooner when the connection is back.
 */

import { recipeOf, recipeToJson, sameRecipe } from "./recipe.js";

const VERSION = 2; // of the sidecar, hybridvit/hints/schema.json
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const KEEPALIVE_BYTES = 60_000; // browsers take 64 KiB from a page that is being left

export class Saving {
    #api;
    #photo;
    #tell;
    #known; // revision of what the server has, as far as we know
    #saved; // and that recipe
    #latest = null; // the recipe that is to be saved, until it is
    #sent = []; // the recipes of the requests since the last answer
    #flying = false;
    #conflict = false;
    #failures = 0;
    #timer = 0;

    /**
     * @param {import("./api.js").Api} api
     * @param {object} photo as GET photos/{id} answers
     * @param {{saved: (recipe, revision: string) => void, pending: () => void, failed: (message: string) => void,
     *     changedElsewhere: (theirs) => void}} tell
     */
    constructor(api, photo, tell) {
        this.#api = api;
        this.#photo = photo;
        this.#tell = tell;
        this.#known = photo.revision;
        this.#saved = recipeOf(photo.sidecar);
        api.addEventListener("connection", () => !api.lost && this.#again());
    }

    /** Whether something is still to be saved. */
    get pending() {
        return this.#latest !== null;
    }

    /** Whether leaving the page now could lose something. */
    get atRisk() {
        return this.pending && (this.#failures > 0 || this.#conflict || !this.#isSmall(this.#latest));
    }

    save(recipe) {
        this.#latest = recipe;
        this.#tell.pending();
        if (this.#failures === 0) this.#send();
        else this.#again();
    }

    /** The page is being left: what has not been sent yet goes now, with no waiting for what is on its way. */
    leave() {
        const underway = this.#flying && this.#sent.at(-1) === this.#latest;
        if (!this.pending || this.#conflict || underway || !this.#isSmall(this.#latest)) return;
        const options = { keepalive: true, ifMatch: this.#flying ? undefined : this.#known };
        this.#api.putSidecar(this.#photo.id, this.#sidecar(this.#latest), options).catch(() => {});
    }

    /** After a conflict: the recipe, ours or theirs, that counts from now on. */
    resolve(recipe) {
        this.#conflict = false;
        this.save(recipe);
    }

    #again() {
        clearTimeout(this.#timer);
        this.#send();
    }

    async #send() {
        if (this.#flying || this.#conflict || !this.pending) return;
        clearTimeout(this.#timer);
        this.#flying = true;
        const recipe = this.#latest;
        this.#sent.push(recipe);
        try {
            const options = { ifMatch: this.#known, keepalive: this.#isSmall(recipe) };
            const { revision } = await this.#api.putSidecar(this.#photo.id, this.#sidecar(recipe), options);
            [this.#known, this.#saved] = [revision, recipe];
            this.#failures = 0;
            this.#sent = [];
            if (this.#latest === recipe) this.#latest = null;
            this.#tell.saved(recipe, revision);
        } catch (error) {
            if (error.status === 409) await this.#compare();
            else this.#retryAfter(error);
        } finally {
            this.#flying = false;
        }
        if (this.#failures === 0) this.#send();
    }

    /**
     * The server's revision is not the one we know of: its recipe is one of ours whose answer was lost, or still the
     * same, which a server with other weights calls otherwise; or it is somebody else's.
     */
    async #compare() {
        try {
            const { sidecar, revision } = await this.#api.photo(this.#photo.id);
            const theirs = recipeOf(sidecar);
            this.#known = revision;
            this.#failures = 0;
            const ours = [this.#saved, ...this.#sent].some((recipe) => sameRecipe(recipe, theirs));
            this.#saved = theirs;
            this.#sent = [];
            if (ours) return;
            this.#conflict = true;
            this.#tell.changedElsewhere(theirs);
        } catch (error) {
            this.#retryAfter(error);
        }
    }

    #retryAfter(error) {
        this.#failures++;
        const refused = error.status >= 400 && error.status < 500 && ![408, 425, 429].includes(error.status);
        if (this.#failures === 1 || refused) this.#tell.failed(error.message);
        if (refused) return; // it would be refused again: the next change, or undo, is tried
        const wait = Math.min(FIRST_RETRY_MS * 2 ** (this.#failures - 1), LAST_RETRY_MS);
        this.#timer = setTimeout(() => this.#send(), wait);
    }

    #sidecar(recipe) {
        return { version: VERSION, picture: this.#photo.sidecar.picture, ...recipeToJson(recipe) };
    }

    #isSmall(recipe) {
        return JSON.stringify(recipe).length * 2 < KEEPALIVE_BYTES;
    }
}
