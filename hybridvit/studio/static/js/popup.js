/**
 * The small window beside a hint: the likeliest colours there, recent ones, any colour at this lightness, a hex, where
 * the colour is known from. A colour is applied as soon as it is chosen; a new shape becomes a hint by that.
 */

import { colorAb, describeColor, hexAtLightness, parseHex } from "./color.js";
import { createGamutPicker } from "./gamut.js";
import { keepVisible, leavesInSight, placeBeside } from "./placement.js";
import { createWindowHandle } from "./window_handle.js";
import { createPopupView } from "./popup_view.js";
import { recentColors, useColor } from "./recent.js";
import { kindOf, nounOf, withHint, withHintAt, withoutHint } from "./recipe.js";
import { anchor } from "./shapes.js";
import { createReach } from "./reach.js";
import { createSuggestions } from "./suggestions.js";
import { createSwatches } from "./swatches.js";

const MIDDLE = 60; // stands for a lightness that is not known yet
const SETTLED_MS = 800; // after this the last colour of a drag is one that was used

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @param {import("./api.js").Api} api
 *
 * @typedef {ReturnType<typeof createPopup>} Popup
 */
export function createPopup(viewport, store, api) {
    let shape = null; // the hint, or what will be one as soon as it has a colour; null while the window is closed
    let [L, now] = [null, null]; // at its place: the lightness, and the colour when the window was opened
    let adding = null; // the merge of the step that made a hint of it: the same gesture goes on with that step
    let turn = new AbortController();
    let turns = 0;
    let [settling, shifted] = [0, 0];
    let typing = false; // a hex that is not taken yet

    const preview = (color) => store.setSketch({ preview: color });
    const suggestions = createSuggestions(store, api, { choose: (color) => choose(color), preview });
    const recent = createSwatches("Recent colours", { choose: (color) => choose(color), preview });
    const gamut = createGamutPicker((color, gesture) => choose(color, `${turns} ${gesture}`));
    const reach = createReach(store, api, {
        change: (fields, label) =>
            store.change(label, withHintAt(store.recipe, store.selected, { ...shape, ...fields }), { merge: `${turns}` }),
    });
    const view = createPopupView({
        reach: reach.element,
        suggestions: suggestions.element,
        recent: recent.element,
        gamut: gamut.element,
        close: () => close(),
        takeHex,
        takeNote,
        pick: startPicking,
        remove,
    });
    const { element, title, hex, note, problem } = view;
    const handle = createWindowHandle(element, view.head);
    hex.addEventListener("input", () => (typing = true));
    element.addEventListener("keydown", onKey);
    viewport.element.after(element);

    const isOpen = () => shape !== null;
    const isDraft = () => isOpen() && store.sketch.draft === shape;
    const place = () => anchor(shape, store.photo);
    const hexOf = (color) => (typeof color === "string" ? color : hexAtLightness(L ?? MIDDLE, color));
    const name = () => `${kindOf(shape)} ${store.selected + 1}`;

    /** @param {object} opened with its colour if it is a hint, without if it is to become one */
    function open(opened) {
        turn.abort();
        turn = new AbortController();
        turns++;
        shape = opened;
        [L, now, adding, typing] = [null, null, null, false];
        element.hidden = false;
        setProblem("");
        note.value = shape.source ?? "";
        title.textContent = isDraft() ? `New ${nounOf(shape)}: which colour?` : name();
        recent.show(recentColors());
        ask();
        show();
        shifted += keepVisible(element, place(), viewport);
        title.focus({ preventScroll: true });
        store.announce(`${title.textContent} Keys 1 to 5 choose the likeliest colours.`);
    }

    function ask() {
        const ahead = isDraft() && shape.type === "point";
        suggestions.ask(place(), { again: isDraft(), ahead, signal: turn.signal });
        measure(place(), turn.signal);
    }

    async function measure({ x, y }, signal) {
        try {
            const answer = await api.gamut(store.photo.id, x, y, store.revision, signal);
            if (signal.aborted) return;
            [L, now] = [answer.lightness, answer.color ?? null];
            show();
        } catch {
            // what is wrong is said where the likeliest colours would be
        }
    }

    /** What the window says of the shape, when it may have changed. */
    function show() {
        const { x, y } = place();
        const used = shape.color === undefined ? null : hexOf(shape.color);
        const ab = colorAb(shape.color ?? now ?? [0, 0]);
        const lightness = L === null ? "" : ` · lightness ${Math.round(L)}`;
        view.facts.textContent = `${Math.floor(x)}, ${Math.floor(y)}${lightness}`;
        view.ab.textContent = used ? `a ${Math.round(ab[0])}, b ${Math.round(ab[1])}` : "";
        view.swatch.style.background = (used ? store.colorOf(shape) : now) ?? "";
        view.swatch.classList.toggle("is-draft", isDraft());
        view.removal.textContent = isDraft() ? "Cancel" : "Delete";
        view.done.hidden = isDraft();
        reach.show(isDraft() ? null : shape);
        if (!typing && !problem.textContent) hex.value = used ?? "";
        hex.placeholder = now ?? "#2e6b3a";
        if (L !== null) gamut.set(L, ab);
        suggestions.mark(used);
        recent.mark(used);
        position();
    }

    function position() {
        if (!isOpen()) return;
        if (handle.isMoved && leavesInSight(element, place(), viewport)) return;
        handle.reset();
        placeBeside(element, place(), viewport);
    }

    /** Gives the shape a colour; all that comes with the same `merge` is one step. */
    function choose(color, /** @type {boolean | string} */ merge = false) {
        if (!isOpen()) return;
        preview(null);
        setProblem("");
        typing = false;
        if (isDraft()) add(color, merge);
        else {
            const label = merge && merge === adding ? `Add ${nounOf(shape)}` : `Recolour ${nounOf(shape)}`;
            store.change(label, withHintAt(store.recipe, store.selected, { ...shape, color }), { merge });
        }
        clearTimeout(settling);
        if (merge) settling = setTimeout(() => keep(color), SETTLED_MS);
        else keep(color);
        store.announce(`${name()}: ${describeColor(hexOf(color))}`);
    }

    function add(color, merge) {
        const { isHint: _, ...drawn } = shape;
        const source = note.value.trim();
        shape = Object.freeze({ ...drawn, color, ...(source && { source }) });
        adding = merge;
        store.setSketch({ draft: null });
        store.change(`Add ${nounOf(shape)}`, withHint(store.recipe, shape), { merge });
        store.select(store.recipe.hints.length - 1);
        title.textContent = name();
        show();
    }

    /** The colour is one that was used. */
    function keep(color) {
        useColor(color);
        recent.show(recentColors());
        recent.mark(shape && shape.color !== undefined ? hexOf(shape.color) : null);
        if (isOpen()) shifted += keepVisible(element, place(), viewport);
    }

    function takeHex() {
        if (!isOpen()) return;
        typing = false;
        const text = hex.value.trim();
        const color = parseHex(text);
        if (text && !color) return setProblem("Six or three hexadecimal digits, like #2e6b3a or fa0.");
        setProblem("");
        if (color && color !== shape.color) choose(color);
        else show();
    }

    function setProblem(text) {
        problem.textContent = text;
        hex.setAttribute("aria-invalid", text !== "");
    }

    function takeNote() {
        if (!isOpen() || isDraft()) return;
        const { source: _, ...rest } = shape;
        const source = note.value.trim();
        const noted = source ? { ...rest, source } : rest;
        store.change("Note", withHintAt(store.recipe, store.selected, noted), { merge: `note ${turns}` });
    }

    function startPicking() {
        store.setTool("eyedropper");
        viewport.element.focus({ preventScroll: true });
        store.announce("Click in the picture, or in the reference photo, to take its colour.");
    }

    /** The hint is deleted, or the shape that would have become one dropped. */
    function remove() {
        if (!isDraft()) {
            store.announce(`${name()} deleted.`);
            store.change(`Delete ${nounOf(shape)}`, withoutHint(store.recipe, store.selected));
        }
        close();
    }

    function close() {
        if (!isOpen()) return;
        const hadFocus = element.contains(document.activeElement);
        turn.abort();
        if (isDraft()) store.setSketch({ draft: null });
        shape = null;
        preview(null);
        reach.hide();
        element.hidden = true;
        if (shifted) viewport.panBy(0, -shifted); // the picture goes back to where the sheet took it from
        shifted = 0;
        if (hadFocus) viewport.element.focus({ preventScroll: true });
    }

    function openHint(index) {
        if (isDraft()) store.setSketch({ draft: null });
        shape = store.recipe.hints[index];
        store.select(index);
        open(shape);
    }

    function onKey(event) {
        if (event.key === "Escape") {
            event.stopPropagation();
            return close();
        }
        if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
        if (/^[1-5]$/.test(event.key)) suggestions.chooseNth(Number(event.key));
        else if (event.key === "Delete") remove();
        else return;
        event.preventDefault();
        event.stopPropagation();
    }

    store.addEventListener("recipe", () => {
        if (!isOpen() || isDraft() || store.selected === null) return;
        shape = store.recipe.hints[store.selected];
        if (document.activeElement !== note) note.value = shape.source ?? "";
        title.textContent = name();
        show();
    });
    store.addEventListener("selection", () => {
        if (isOpen() && !isDraft() && store.recipe.hints[store.selected] !== shape) close();
    });
    store.addEventListener("color", ({ detail }) => {
        if (!isOpen() && store.selected !== null) openHint(store.selected);
        if (isOpen()) {
            if (detail.source && !note.value.trim()) note.value = detail.source;
            choose(detail.color);
            takeNote();
        } else {
            keep(detail.color);
            store.announce(`${describeColor(detail.color)}, ${detail.color}, is the first of the recent colours.`);
        }
    });
    store.addEventListener("lightness", () => isOpen() && show());
    store.addEventListener("photo", () => {
        turn.abort();
        [shape, shifted] = [null, 0];
        element.hidden = true;
    });
    api.addEventListener("connection", ({ detail }) => !detail.lost && isOpen() && ask());
    viewport.addEventListener("move", position);
    addEventListener("resize", position);

    return {
        get isOpen() {
            return isOpen();
        },
        /** @param {number} index of a hint */
        openHint,
        /** Asks which colour a new shape shall have; a `color` is given to it at once, and nothing is asked. */
        openDraft(draft, color = null) {
            close();
            store.select(null);
            if (color) return store.change(`Add ${nounOf(draft)}`, withHint(store.recipe, { ...draft, color }));
            const sketched = Object.freeze({ ...draft, isHint: true });
            store.setSketch({ draft: sketched, preview: null });
            open(sketched);
        },
        /** Applies the nth of the likeliest colours, 1..5. */
        chooseNth: suggestions.chooseNth,
        remove,
        close,
    };
}
