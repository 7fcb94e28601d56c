/** Results by what they are of: what was used longest ago is forgotten. */

export class Kept {
    #most;
    #found = new Map();

    /** @param {number} most results */
    constructor(most) {
        this.#most = most;
    }

    /** What was made for a key, or is made now; a promise that is rejected is forgotten. @param {string} key @param {() => T} make @returns {T} @template T */
    once(key, make) {
        const found = this.#found.has(key) ? this.#found.get(key) : make();
        this.#found.delete(key);
        this.#found.set(key, found);
        if (found instanceof Promise) found.catch(() => this.#found.get(key) === found && this.#found.delete(key));
        if (this.#found.size > this.#most) this.#found.delete(this.#found.keys().next().value);
        return found;
    }
}
