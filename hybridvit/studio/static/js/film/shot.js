/**
 * The shot of the frame that is open: some of its frames, those with hints among them, in the colours that the shot's
 * hints give them, as far as these are made.
 */

import { make } from "../dom.js";
import { createCell, scrollToMiddle } from "./cell.js";

const CALM_MS = 500; // after the last change, before its colours are made anew
const ANSWERS = 24; // that tell how far they are

/** Events: "shown", "hints" (those of the film have changed). @param {object} parts */
export function createShot({ api, viewport, store, open }) {
    const events = new EventTarget();
    const list = make("ul", { class: "film-list", "aria-label": "This shot", data: { testid: "film-shot" } });
    const meter = make("progress", { max: 1, value: 0, "aria-label": "Colours of the shot", data: { testid: "film-progress" } });
    const text = make("span", { role: "status", data: { testid: "film-status" } });
    let [film, at, shot, said] = [null, 0, null, ""];
    let cells = new Map(); // by time
    let asked = new AbortController();
    let timer = 0;
    let shownFor = null; // revision of the frame with whose hints the shot is shown

    const emit = (name) => events.dispatchEvent(new CustomEvent(name));

    /** Shows the shot of a frame. */
    async function show(found, time) {
        [film, at, shownFor] = [found, time, store.revision];
        clearTimeout(timer);
        asked.abort();
        asked = new AbortController();
        const { signal } = asked;
        say("Looking for the ends of the shot …");
        meter.hidden = true;
        try {
            const answer = await api.filmShot(film.id, at, signal);
            if (signal.aborted) return;
            place(answer);
            await follow(signal);
        } catch (error) {
            if (error.name !== "AbortError" && !signal.aborted) say(error.message);
        }
    }

    function place(answer) {
        const isOther = shot?.times[0] !== answer.times[0] || shot?.stop !== answer.stop;
        shot = answer;
        const before = isOther ? new Map() : cells;
        cells = new Map(
            shot.picked.map(({ at: time, id, clock }) => {
                const cell = before.get(time) ?? createCell(() => open(id), { at: String(time) });
                cell.mark({ clock, hinted: shot.hinted.includes(time), cut: shot.begins && time === shot.times[0] });
                if (!before.has(time)) cell.setPicture(api.filmPictureUrl(film.id, time));
                cell.setCurrent(time === at);
                return [time, cell];
            }),
        );
        const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
        list.replaceChildren(...[...cells.values()].map(({ element }) => element));
        if (focused) cells.get(Number(focused.dataset.at))?.button.focus({ preventScroll: true });
        else if (cells.has(at)) scrollToMiddle(list, cells.get(at).element);
        emit("shown");
    }

    /** Waits for the colours, and shows them as they come. */
    async function follow(signal) {
        for (let after = 0; ; ) {
            const now = await api.filmSpread(film.id, at, after, signal);
            if (signal.aborted) return;
            tell(now);
            if (now.failure || now.done >= now.total) return;
            after = now.done + Math.ceil(now.total / ANSWERS);
        }
    }

    function tell({ tag, total, done, ready, failure }) {
        const isMaking = tag !== null && !failure && done < total;
        const count = total / 2; // each frame is gone through twice
        for (const [time, cell] of cells) {
            const isReady = ready.includes(time);
            cell.mark({ ready: isReady });
            if (isReady) cell.setPicture(api.filmPictureUrl(film.id, time, tag));
            else if (!tag) cell.setPicture(api.filmPictureUrl(film.id, time));
            cell.setProgress(isMaking ? Math.min(1, done / (count + shot.times.indexOf(time) + 1)) : null);
        }
        meter.hidden = !isMaking;
        meter.max = Math.max(1, total);
        meter.value = done;
        const where = shot.begins && shot.ends ? "this shot" : "the frames around";
        if (failure) say(failure);
        else if (!tag) say(`No hints in ${where}: its colours are the model's own.`);
        else if (isMaking) say(`The hints go along ${where} …`);
        else say(`Hints on ${shot.hinted.length} of ${shot.times.length} frames colour ${where}.`);
    }

    function say(words) {
        if (words === said) return;
        text.textContent = said = words;
    }

    viewport.addEventListener("drawn", again);
    store.addEventListener("busy", () => store.busy || again());

    /** After a change, which is saved. */
    function again() {
        if (!film || store.busy || store.photo?.film?.id !== film.id || store.photo.film.at !== at) return;
        if (store.revision === shownFor) return;
        shownFor = store.revision;
        clearTimeout(timer);
        timer = setTimeout(() => {
            emit("hints");
            show(film, at);
        }, CALM_MS);
    }

    return {
        addEventListener: events.addEventListener.bind(events),
        element: list,
        status: make("div", { class: "film-status" }, meter, text),
        open: show,
        /** The shot as the server told it. */
        get now() {
            return shot;
        },
        /** The time of the next frame, also in the next shot, or null. @param {1 | -1} by */
        next(by) {
            if (!shot) return null;
            const k = shot.times.indexOf(store.photo.film.at) + by;
            return shot.times[k] ?? (by > 0 ? shot.stop : shot.before);
        },
        /** Another photo is shown. */
        leave() {
            clearTimeout(timer);
            asked.abort();
            film = shot = null;
            cells = new Map();
            list.replaceChildren();
        },
    };
}
