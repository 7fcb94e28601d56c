/** A film below the picture: its strip, the shot of the frame that is open, and what its hints make of that shot. */

import { make } from "../dom.js";
import { createRoving } from "../roving.js";
import { createMaking } from "./making.js";
import { createShot } from "./shot.js";
import { createWhole } from "./whole.js";

/**
 * @param {object} parts
 * @param {import("../api.js").Api} parts.api
 * @param {import("../store.js").Store} parts.store
 * @param {import("../viewport.js").Viewport} parts.viewport
 * @param {import("../messages.js").Messages} parts.messages
 * @param {object} parts.photos
 * @param {HTMLElement} parts.element where it is shown
 */
export function createFilm({ api, store, viewport, messages, photos, element }) {
    let film = null; // that is open, as the server tells it
    let asked = new AbortController();
    const open = (id) => photos.open(id);
    const whole = createWhole(api, open);
    const shot = createShot({ api, viewport, store, open });
    const making = createMaking();
    const clock = make("p", { class: "film-clock", data: { testid: "film-clock" } });
    const button = (text, title, by) =>
        make("button", { type: "button", class: "button small", text, title, on: { click: () => step(by) } });
    const strips = make("div", { class: "film-strips" }, whole.element, shot.element);
    const rovings = [whole, shot].map(({ element: list }) => ({ list, roving: createRoving(list, ".cell") }));
    element.append(
        make(
            "div",
            { class: "film-head" },
            button("‹ Frame", "One frame back (,)", -1),
            clock,
            button("Frame ›", "One frame on (.)", 1),
            shot.status,
        ),
        strips,
    );
    strips.addEventListener("keydown", upAndDown, { capture: true });
    shot.addEventListener("shown", () => {
        whole.showShot(shot.now);
        for (const { list, roving } of rovings) {
            const current = list.querySelector("[aria-current]") ?? list.querySelector(".cell");
            if (!list.contains(document.activeElement)) roving.setStop(/** @type {HTMLElement} */ (current));
        }
    });

    /** From one strip to the other, to what is nearest there. */
    function upAndDown(event) {
        if (!["ArrowUp", "ArrowDown"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        const other = event.key === "ArrowUp" ? whole.element : shot.element;
        if (other.contains(event.target)) return;
        const middle = (/** @type {Element} */ one) => {
            const { left, width } = one.getBoundingClientRect();
            return left + width / 2;
        };
        const from = middle(event.target);
        const cells = /** @type {HTMLElement[]} */ ([...other.querySelectorAll(".cell")]);
        cells.sort((one, next) => Math.abs(middle(one) - from) - Math.abs(middle(next) - from))[0]?.focus();
    }

    async function show() {
        const { photo } = store;
        element.hidden = making.element.hidden = !photo.film;
        if (!photo.film) {
            asked.abort();
            shot.leave();
            film = null;
            return;
        }
        clock.textContent = photo.name.slice(photo.name.lastIndexOf(" ") + 1);
        if (film?.id !== photo.film.id) {
            asked.abort();
            asked = new AbortController();
            const found = await messages.guard(api.film(photo.film.id, asked.signal));
            if (!found || store.photo?.film?.id !== found.id) return;
            film = found;
            whole.show(film);
            making.show(film);
        }
        whole.mark(store.photo.film.at);
        await shot.open(film, store.photo.film.at);
    }

    /** @param {1 | -1} by frames */
    function step(by) {
        const next = film && shot.next(by);
        if (next) open(`${film.id}-${next}`);
    }

    store.addEventListener("photo", show);
    shot.addEventListener("hints", async () => {
        const found = film && (await messages.guard(api.film(film.id, asked.signal)));
        if (!found || film?.id !== found.id) return;
        film = found;
        photos.noteHints(film.id, film.hints);
        whole.showHints(film.hinted);
        making.show(film);
    });

    return { step, making: making.element, make: making.ask };
}
