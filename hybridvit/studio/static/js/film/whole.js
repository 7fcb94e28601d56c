/**
 * All of a film as frames at equal times. What is not in sight is not asked for: pictures come by pages, and shots are
 * looked for, a little at a time, while nothing else is going on.
 */

import { make } from "../dom.js";
import { clockOf, createCell, scrollToMiddle } from "./cell.js";

const PAGE = 12; // cells, as the server gives them

/** @param {import("../api.js").Api} api @param {(id: string) => void} open */
export function createWhole(api, open) {
    const list = make("ul", { class: "film-list", "aria-label": "The whole film", data: { testid: "film-whole" } });
    let film = null;
    let cells = []; // of the strip
    let frames = []; // by cell, as the server gives them
    let pages = new Map(); // number -> promise
    let asked = new AbortController();
    let looking = false;
    let lookedUntil = new Map(); // start of what was looked through -> its end
    const inSight = new Set(); // numbers of cells

    const observer = new IntersectionObserver(
        (entries) => {
            for (const { target, isIntersecting } of entries) {
                const k = Number(/** @type {HTMLElement} */ (target).dataset.cell);
                if (isIntersecting) {
                    inSight.add(k);
                    load(k);
                } else inSight.delete(k);
            }
            look();
        },
        { root: list, rootMargin: "0px 100px" },
    );

    function show(found) {
        asked.abort();
        asked = new AbortController();
        observer.disconnect();
        inSight.clear();
        [film, frames, pages, lookedUntil] = [found, [], new Map(), new Map()];
        cells = Array.from({ length: film.cells }, (_, k) => createCell(() => choose(k), { cell: String(k) }));
        list.replaceChildren(...cells.map(({ element }) => element));
        cells.forEach((cell, k) => {
            cell.mark({ clock: clockOf(k * film.step) }); // until its frame is known
            observer.observe(cell.button);
        });
        showHints(film.hinted);
    }

    async function choose(k) {
        await load(k);
        if (frames[k]) open(frames[k].id);
    }

    /** The pictures of a cell's page. */
    function load(k) {
        const page = Math.floor(k / PAGE);
        if (!pages.has(page)) {
            const { id } = film;
            const coming = api.filmCells(id, page * PAGE, asked.signal).then(
                (found) => film?.id === id && take(page * PAGE, found),
                () => pages.delete(page), // asked again when it comes into sight
            );
            pages.set(page, coming);
        }
        return pages.get(page);
    }

    function take(first, found) {
        found.forEach((frame, i) => {
            const k = first + i;
            frames[k] = frame;
            cells[k].mark({ clock: frame.clock });
            cells[k].setPicture(api.filmPictureUrl(film.id, frame.at));
            if (frames[k - 1]?.at === frame.at) cells[k].element.remove(); // the film is shorter than it says
        });
        markShot();
    }

    /** Looks for the shots of what is in sight. */
    async function look() {
        if (looking) return;
        looking = true;
        const { id } = film;
        for (let at = unknown(); at !== null && film.id === id; at = unknown()) {
            const found = await api.filmCuts(id, at, asked.signal).catch(() => null);
            if (!found || film.id !== id) break;
            lookedUntil.set(at, found.until);
            for (const cut of found.cuts) {
                const k = cellOf(cut);
                cells[k].mark({ cut: true });
                cells[k].button.style.setProperty("--cut", `${Math.round((100 * cut) / film.step - 100 * k)}%`);
            }
        }
        looking = false;
        if (film.id !== id) look();
    }

    /** A time in sight that was not looked at yet, or null. */
    function unknown() {
        for (const k of [...inSight].sort((one, other) => one - other)) {
            let at = k * film.step;
            while (at < Math.min((k + 1) * film.step, film.length)) {
                const known = [...lookedUntil].find(([start, end]) => start <= at && at < end);
                if (!known) return at;
                at = known[1];
            }
        }
        return null;
    }

    const cellOf = (at) => Math.min(Math.floor(at / film.step), cells.length - 1);

    function showHints(hinted) {
        const some = new Set(hinted.map(cellOf));
        cells.forEach((cell, k) => cell.mark({ hinted: some.has(k) }));
    }

    let shot = null;
    function markShot() {
        const [first, last] = shot ? [cellOf(shot.times[0]), cellOf(shot.times.at(-1))] : [1, 0];
        cells.forEach(({ button }, k) => button.toggleAttribute("data-shot", k >= first && k <= last));
    }

    return {
        element: list,
        show,
        showHints,
        /** Marks the cell that the open frame is in. @param {number} at */
        mark(at) {
            const now = cellOf(at);
            cells.forEach((cell, k) => cell.setCurrent(k === now));
            if (!list.contains(document.activeElement)) scrollToMiddle(list, cells[now].element);
        },
        /** Marks the cells of the shot that the open frame is in. */
        showShot(now) {
            shot = now;
            markShot();
        },
    };
}
