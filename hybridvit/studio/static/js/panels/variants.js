/** Other possible colourings of the whole picture, to start from. */

import { make } from "../dom.js";
import { shownSize } from "../frame.js";
import { changed, sameItems } from "../recipe.js";
import { panel, whileBusy } from "./panel.js";

const AT_A_TIME = 4;

/** @param {object} parts @returns {HTMLElement} */
export function createVariants({ api, store, messages }) {
    let [first, asked] = [0, null];
    let urls = [];
    let drawnWith = []; // hints
    const grid = make("div", { class: "variants" });
    const stale = make("p", { class: "hint", hidden: true, text: "The hints have changed since." });
    const button = make("button", {
        type: "button",
        class: "button wide",
        text: "Show four possibilities",
        data: { testid: "variants" },
        on: { click: more },
    });

    function clear() {
        asked?.abort();
        urls.forEach(URL.revokeObjectURL);
        urls = [];
        grid.replaceChildren();
        stale.hidden = true;
    }

    async function more() {
        if (!store.photo || !store.revision) return;
        clear();
        asked = new AbortController();
        drawnWith = store.recipe.hints;
        const seeds = Array.from({ length: AT_A_TIME }, (_, i) => first + i);
        first += AT_A_TIME;
        grid.replaceChildren(...seeds.map(tile));
        const { width, height } = shownSize(store.recipe.frame, store.photo);
        grid.style.setProperty("--ratio", `${width} / ${height}`);
        await whileBusy(button, () => Promise.all(seeds.map((seed, i) => load(seed, grid.children[i], asked.signal))));
        button.textContent = "Four others";
    }

    function tile(seed) {
        const label = `Take possibility ${seed + 1}`;
        const take = () => choose(seed);
        const attributes = {
            type: "button",
            class: "variant",
            "aria-label": label,
            "aria-busy": "true",
            data: { testid: "variant", seed },
        };
        return make("button", { ...attributes, disabled: true, on: { click: take } });
    }

    async function load(seed, button, signal) {
        const [id, revision] = [store.photo.id, store.revision];
        const blob = await messages.guard(api.variant(id, seed, revision, signal), "variants");
        button.removeAttribute("aria-busy");
        if (!blob || signal.aborted) return;
        const url = URL.createObjectURL(blob);
        urls.push(url);
        button.append(make("img", { src: url, alt: "" }));
        button.disabled = false;
        mark();
    }

    function choose(seed) {
        const settings = { ...store.recipe.settings, decode: "sample", seed };
        store.change("Choose a possibility", changed(store.recipe, { settings }));
    }

    function mark() {
        const { decode, seed } = store.recipe.settings;
        for (const button of grid.children) {
            button.setAttribute("aria-pressed", decode === "sample" && Number(button.dataset.seed) === seed);
        }
    }
    store.addEventListener("recipe", () => {
        if (grid.children.length) mark();
        stale.hidden = !grid.children.length || sameItems(drawnWith, store.recipe.hints);
    });
    store.addEventListener("photo", () => {
        clear();
        first = 0;
        button.textContent = "Show four possibilities";
    });

    const about = "The model knows many plausible colourings of one photograph. Hints are kept in each.";
    return panel("variants", "Other possibilities", {}, make("p", { class: "hint", text: about }), grid, stale, button);
}
