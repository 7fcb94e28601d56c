/** The grid of photographs, of which only the rows in sight are in the document: a thousand scroll as ten do. */

import { make } from "../dom.js";
import { inSight } from "./queue.js";

export const ROW = 160; // px
const NARROWEST = 112; // px, of a column
const CALM_MS = 120; // what is scrolled past is not asked for
const AT_ONCE = 3; // pictures asked for: a browser has six connections, and verdicts and the large picture need some

/**
 * @param {HTMLElement} element
 * @param {{thumbnail: (item: import("./queue.js").Item) => string, choose: (id: string) => void}} options
 */
export function createGrid(element, { thumbnail, choose }) {
    let items = [];
    let chosen = null;
    let calm = 0;
    let coming = 0;
    const tiles = new Map(); // by what is drawn of a tile
    const loaded = new Set(); // addresses
    const space = make("div", { role: "presentation" });
    element.append(space);
    element.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(element);

    const columns = () => Math.max(1, Math.floor(element.clientWidth / NARROWEST));

    function key(item, index, across) {
        return [item.id, index, item.state, item.colored, item.id === chosen, items.length, across].join(" ");
    }

    function tile(item, index, across) {
        const doubt = item.doubt == null ? "" : `${Math.round(100 * item.doubt)} %`;
        const address = thumbnail(item);
        const image = make("img", { alt: "", decoding: "async", data: { src: address } });
        if (loaded.has(address)) image.src = address;
        const option = make(
            "div",
            {
                class: "review-item",
                role: "option",
                id: `option-${item.id}`,
                title: item.name,
                "aria-label": `${item.name}, ${item.state}${doubt && `, doubt ${doubt}`}`,
                "aria-selected": String(item.id === chosen),
                "aria-setsize": items.length,
                "aria-posinset": index + 1,
                data: { testid: "item", id: item.id, state: item.state },
                on: { click: () => choose(item.id) },
            },
            image,
            make("span", { text: item.name }),
            make(
                "span",
                { class: "review-state" },
                make("span", { text: item.colored ? item.state : "not coloured" }),
                make("span", { text: doubt, title: "doubt" }),
            ),
        );
        Object.assign(option.style, {
            top: `${Math.floor(index / across) * ROW}px`,
            left: `${((index % across) * 100) / across}%`,
            width: `${100 / across}%`,
            height: `${ROW}px`,
        });
        return option;
    }

    /** Those in the document alone; each that has come, or cannot, makes room for the next. */
    function load() {
        const ended = () => {
            coming--;
            load();
        };
        for (const image of /** @type {NodeListOf<HTMLImageElement>} */ (space.querySelectorAll("img:not([src])"))) {
            if (coming >= AT_ONCE) return;
            coming++;
            image.addEventListener("load", () => loaded.add(image.dataset.src), { once: true });
            for (const end of ["load", "error"]) image.addEventListener(end, ended, { once: true });
            image.src = image.dataset.src;
        }
    }

    function draw() {
        const across = columns();
        const rows = Math.ceil(items.length / across);
        space.style.height = `${rows * ROW}px`;
        const { first, last } = inSight(element.scrollTop, element.clientHeight, ROW, rows);
        const wanted = new Map();
        for (let index = first * across; index < Math.min(last * across, items.length); index++)
            wanted.set(key(items[index], index, across), index);
        for (const [name, option] of tiles) {
            if (wanted.has(name)) continue;
            option.remove();
            tiles.delete(name);
        }
        for (const [name, index] of wanted) {
            if (tiles.has(name)) continue;
            const option = tile(items[index], index, across);
            tiles.set(name, option);
            space.append(option);
        }
        const there = space.querySelector('[aria-selected="true"]');
        if (there) element.setAttribute("aria-activedescendant", there.id);
        else element.removeAttribute("aria-activedescendant");
        clearTimeout(calm);
        calm = setTimeout(load, CALM_MS);
    }

    return {
        /** How many stand side by side. */
        columns,
        /** Shows these, and brings the chosen one into sight. */
        show(newItems, newChosen) {
            const moved = newChosen !== chosen;
            items = newItems;
            chosen = newChosen;
            const index = items.findIndex((item) => item.id === chosen);
            space.style.height = `${Math.ceil(items.length / columns()) * ROW}px`;
            if (moved && index >= 0) {
                const top = Math.floor(index / columns()) * ROW;
                if (top < element.scrollTop) element.scrollTop = top;
                if (top + ROW > element.scrollTop + element.clientHeight)
                    element.scrollTop = top + ROW - element.clientHeight;
            }
            draw();
        },
    };
}
