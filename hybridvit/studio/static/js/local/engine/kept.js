/** Results by what they are of: what was used longest ago is forgotten. */

export class Kept {
    #most;
    #found = new Map();

    /** @param {number} most results */
    constructor(most) {
        this.#most = most;
    }

    /** What was made for a key, or is made now. @param {string} key @param {() => T} make @returns {T} @template T */
    once(key, make) {
        const found = this.#found.has(key) ? this.#found.get(key) : make();
        this.#found.delete(key);
        this.#found.set(key, found);
        if (this.#found.size > this.#most) this.#found.delete(this.#found.keys().next().value);
        return found;
    }
}
