/** How light the photograph is where hints are: asked of the server once a place, a few at a time. */

import { colorAb, hexAtLightness } from "./color.js";
import { anchor } from "./shapes.js";

const AT_ONCE = 4;
const MOST_WAITING = 64; // a hint that is dragged leaves many places behind
const MIDDLE = 60; // taken for a colour without a lightness of its own until the place's is known

export class Lightness {
    #api;
    #arrived;
    #known = new Map(); // by photograph and pixel; null while it is on its way
    #waiting = [];
    #flying = 0;

    /** @param {import("./api.js").Api} api @param {() => void} arrived called when one more is known */
    constructor(api, arrived) {
        this.#api = api;
        this.#arrived = arrived;
    }

    /**
     * L, 0..100, at a place of a photograph, or null as long as it is not known.
     * @returns {number | null}
     */
    at(photo, { x, y }) {
        const key = `${photo.id} ${Math.floor(x)} ${Math.floor(y)}`;
        if (!this.#known.has(key)) {
            this.#known.set(key, null);
            this.#waiting.push({ key, id: photo.id, x, y });
            if (this.#waiting.length > MOST_WAITING) this.#known.delete(this.#waiting.shift().key);
            this.#ask();
        }
        return this.#known.get(key) ?? null;
    }

    /**
     * What a hint looks like: its a and b at the lightness of its place.
     * @returns {string} hex
     */
    colorOf(photo, hint) {
        const L = this.at(photo, anchor(hint, photo));
        if (L === null && typeof hint.color === "string") return hint.color;
        return hexAtLightness(L ?? MIDDLE, colorAb(hint.color));
    }

    async #ask() {
        if (this.#flying >= AT_ONCE || !this.#waiting.length) return;
        const { key, id, x, y } = this.#waiting.pop(); // the newest first: it is the one being looked at
        this.#flying++;
        try {
            const { lightness } = await this.#api.gamut(id, x, y);
            this.#known.set(key, lightness);
            this.#arrived();
        } catch {
            this.#known.delete(key); // asked again when the hint is drawn again
        } finally {
            this.#flying--;
        }
        this.#ask();
    }
}
