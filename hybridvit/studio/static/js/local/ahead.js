/**
 * What a user may choose next, coloured and painted while it is being looked at: then it is there at once. It is left
 * between its steps as soon as anything is asked for, and gone on with when that is answered: its steps are kept.
 */

/** Something else is to be done first. */
export class Left extends Error {}

export class Ahead {
    #photo = null;
    #revision = ""; // of the photograph, on whose hints it builds
    /** @type {object[]} recipes that are not ready yet */ #recipes = [];

    /** These may be chosen for a photograph as it is now; what was likely before is not any more. */
    begin(photo, recipes) {
        [this.#photo, this.#revision, this.#recipes] = [photo, photo.revision, [...recipes]];
        photo.forgetPainted();
    }

    get isLeft() {
        if (this.#recipes.length && this.#photo.revision !== this.#revision) this.#recipes = [];
        return this.#recipes.length > 0;
    }

    /** Goes on until all is ready or `pause` rejects with Left. @param {() => Promise<void>} pause */
    async goOn(pause) {
        try {
            while (this.isLeft) {
                await this.#photo.prepare(this.#recipes[0], pause);
                this.#recipes.shift();
            }
            this.#photo = null;
        } catch (error) {
            if (error instanceof Left) return;
            this.#recipes = [];
            throw error;
        }
    }
}
