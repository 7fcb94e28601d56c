/** The list of photographs, of which only the rows in sight are in the document: a thousand scroll as ten do. */

import { make } from "../dom.js";
import { inSight } from "./queue.js";

export const ROW = 84; // px

/**
 * @param {HTMLElement} element
 * @param {{thumbnail: (item: import("./queue.js").Item) => string, choose: (id: string) => void}} options
 */
export function createList(element, { thumbnail, choose }) {
    let items = [];
    let chosen = null;
    const rows = new Map();
    const space = make("div", { role: "presentation" });
    element.append(space);
    element.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(element);

    function key(item, index) {
        return [item.id, index, item.state, item.colored, item.id === chosen, items.length].join(" ");
    }

    function row(item, index) {
        const name = make("span", { text: item.name });
        const state = make("span", { class: "review-state", text: item.state });
        const option = make(
            "div",
            {
                class: "review-item",
                role: "option",
                id: `option-${item.id}`,
                "aria-selected": String(item.id === chosen),
                "aria-setsize": items.length,
                "aria-posinset": index + 1,
                data: { testid: "item", id: item.id, state: item.state },
                on: { click: () => choose(item.id) },
            },
            make("img", { src: thumbnail(item), alt: "", loading: "lazy" }),
            make("span", {}, name, make("br"), state),
        );
        option.style.top = `${index * ROW}px`;
        option.style.height = `${ROW}px`;
        return option;
    }

    function draw() {
        space.style.height = `${items.length * ROW}px`;
        const { first, last } = inSight(element.scrollTop, element.clientHeight, ROW, items.length);
        const wanted = new Map();
        for (let index = first; index < last; index++) wanted.set(key(items[index], index), index);
        for (const [name, option] of rows) {
            if (wanted.has(name)) continue;
            option.remove();
            rows.delete(name);
        }
        for (const [name, index] of wanted) {
            if (rows.has(name)) continue;
            const option = row(items[index], index);
            rows.set(name, option);
            space.append(option);
        }
        const there = items.some((item, index) => item.id === chosen && index >= first && index < last);
        if (there) element.setAttribute("aria-activedescendant", `option-${chosen}`);
        else element.removeAttribute("aria-activedescendant");
    }

    return {
        /** Shows these, and brings the chosen one into sight. */
        show(newItems, newChosen) {
            const moved = newChosen !== chosen;
            items = newItems;
            chosen = newChosen;
            const index = items.findIndex((item) => item.id === chosen);
            space.style.height = `${items.length * ROW}px`;
            if (moved && index >= 0) {
                const top = index * ROW;
                if (top < element.scrollTop) element.scrollTop = top;
                if (top + ROW > element.scrollTop + element.clientHeight)
                    element.scrollTop = top + ROW - element.clientHeight;
            }
            draw();
        },
    };
}
