/**
 * The small window beside a hint: the likeliest colours there, recent ones, any colour at this lightness, a hex, where
 * the colour is known from. A colour is applied as soon as it is chosen; a new shape becomes a hint by that.
 */

import { hexAtLightness, colorAb, describeColor, parseHex } from "./color.js";
import { icon, make } from "./dom.js";
import { createGamutPicker } from "./gamut.js";
import { keepVisible, placeBeside } from "./placement.js";
import { recentColors, useColor } from "./recent.js";
import { kindOf, withHint, withHintAt, withoutHint } from "./recipe.js";
import { anchor } from "./shapes.js";
import { createSuggestions } from "./suggestions.js";
import { createSwatches } from "./swatches.js";

const LONGEST_SOURCE = 2000;

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @param {import("./api.js").Api} api
 * @returns {Popup}
 *
 * @typedef {ReturnType<typeof createPopup>} Popup
 */
export function createPopup(viewport, store, api) {
    let shape = null; // the hint, or what will be one as soon as it has a colour; null while the window is closed
    let [L, now] = [null, null]; // at its place: lightness, and the colour there when it was opened
    let added = null; // the step that made a hint of it: what the same gesture goes on to choose belongs to it
    let turn = new AbortController();
    let session = 0;
    let noting = "";

    const preview = (color) => store.setSketch({ preview: color });
    const suggestions = createSuggestions(api, { choose: (color) => choose(color), preview });
    const recent = createSwatches("Recent colours", { choose: (color) => choose(color), preview });
    const gamut = createGamutPicker((ab, color, gesture) => choose(color, `${session} ${gesture}`));
    const swatch = make("span", { class: "popup-swatch", "aria-hidden": "true" });
    const title = make("h3", { class: "popup-title", id: "popup-title", tabindex: -1 });
    const facts = make("p", { class: "popup-facts", data: { testid: "popup-facts" } });
    const hex = make("input", {
        id: "popup-hex",
        type: "text",
        spellcheck: "false",
        autocomplete: "off",
        autocapitalize: "off",
        maxlength: 9,
        "aria-describedby": "popup-hex-problem",
        on: { change: takeHex, keydown: (event) => event.key === "Enter" && takeHex() },
        data: { testid: "hex" },
    });
    const problem = make("p", { class: "popup-problem", id: "popup-hex-problem", role: "alert" });
    const pick = make(
        "button",
        {
            type: "button",
            class: "button",
            "aria-label": "Take a colour from the picture",
            title: "Take a colour from the picture (I)",
            on: { click: startPicking },
        },
        icon("eyedropper"),
    );
    const note = make("textarea", {
        id: "popup-source",
        rows: 1,
        maxlength: LONGEST_SOURCE,
        placeholder: "Museum catalogue no. 12",
        on: { input: takeNote },
        data: { testid: "source" },
    });
    const remove = make("button", {
        type: "button",
        class: "button small danger",
        text: "Delete",
        on: { click: removeHint },
        data: { testid: "delete-hint" },
    });
    const done = make("button", { type: "button", class: "button small primary", text: "Done", on: { click: () => close() } });
    const element = make(
        "section",
        {
            class: "popup",
            id: "hint-popup",
            role: "dialog",
            "aria-labelledby": "popup-title",
            hidden: true,
            data: { testid: "popup", overlay: "" },
            on: { keydown: onKey },
        },
        make(
            "div",
            { class: "popup-head" },
            swatch,
            make("div", { class: "popup-heading" }, title, facts),
            make(
                "button",
                { type: "button", class: "button icon-only small", "aria-label": "Close", title: "Close (Esc)", on: { click: () => close() } },
                icon("close"),
            ),
        ),
        suggestions.element,
        recent.element,
        make(
            "div",
            { class: "popup-any" },
            gamut.element,
            make(
                "div",
                { class: "popup-fields" },
                make("label", { class: "popup-label", for: "popup-hex", text: "Hex" }),
                make("div", { class: "popup-row" }, hex, pick),
                problem,
                make("p", { class: "popup-note", text: "The lightness stays the photograph's." }),
            ),
        ),
        make(
            "div",
            { class: "popup-source" },
            make("label", { class: "popup-label", for: "popup-source", text: "Where do you know this colour from?" }),
            note,
        ),
        make(
            "div",
            { class: "popup-foot" },
            remove,
            done,
        ),
    );
    viewport.element.after(element);

    const isDraft = () => shape !== null && store.sketch.draft === shape;
    const isOpen = () => shape !== null;

    /** @param {object} opened with its colour if it is a hint, without if it is to become one */
    function open(opened, { focus = true } = {}) {
        shape = opened;
        session++;
        turn.abort();
        turn = new AbortController();
        [L, now, noting] = [null, null, `note ${session}`];
        element.hidden = false;
        problem.textContent = "";
        note.value = shape.source ?? "";
        title.textContent = isDraft() ? `New ${shape.type}: which colour?` : `${kindOf(shape)} ${store.selected + 1}`;
        recent.show(recentColors());
        const place = anchor(shape, store.photo);
        suggestions.ask(store.photo, place, { revision: store.revision, again: isDraft(), signal: turn.signal });
        measure(place, turn.signal);
        show();
        position();
        keepVisible(element, place, viewport);
        if (focus) title.focus({ preventScroll: true });
        store.announce(`${title.textContent}. Keys 1 to 5 choose the likeliest colours.`);
    }

    async function measure({ x, y }, signal) {
        try {
            const answer = await api.gamut(store.photo.id, x, y, store.revision, signal);
            if (signal.aborted) return;
            L = answer.lightness;
            now = answer.color ?? null;
            show();
        } catch (error) {
            if (error.name !== "AbortError") suggestions.fail(error.message);
        }
    }

    /** What the window says of the shape, once it may have changed. */
    function show() {
        const { x, y } = anchor(shape, store.photo);
        const color = shape.color === undefined ? now : store.colorOf(shape);
        facts.textContent = `${Math.floor(x)}, ${Math.floor(y)}${L === null ? "" : ` · lightness ${Math.round(L)}`}`;
        swatch.style.background = color ?? "";
        swatch.classList.toggle("is-draft", isDraft());
        if (document.activeElement !== hex || !problem.textContent) hex.value = shape.color === undefined ? "" : hexOf(shape.color);
        hex.placeholder = now ?? "#2e6b3a";
        remove.textContent = isDraft() ? "Cancel" : "Delete";
        done.hidden = isDraft();
        if (L !== null) gamut.set(L, colorAb(shape.color ?? now ?? [0, 0]));
        const used = shape.color === undefined ? null : hexOf(shape.color);
        suggestions.mark(used);
        recent.mark(used);
    }

    const hexOf = (color) => (typeof color === "string" ? color : hexAtLightness(L ?? 60, color));

    /** Gives the shape a colour; with `merge`, all that comes with the same one is one step. */
    function choose(color, merge = false) {
        if (!isOpen()) return;
        preview(null);
        problem.textContent = "";
        if (isDraft()) {
            const { isHint: _, ...hint } = shape;
            shape = { ...hint, color, ...(note.value.trim() && { source: note.value.trim() }) };
            const label = `Add ${shape.type}`;
            store.setSketch({ draft: null });
            added = { label, merge };
            store.change(label, withHint(store.recipe, shape), { merge });
            store.select(store.recipe.hints.length - 1);
            title.textContent = `${kindOf(shape)} ${store.selected + 1}`;
        } else {
            const isSame = merge && added?.merge === merge;
            const label = isSame ? added.label : `Recolour ${shape.type}`;
            store.change(label, withHintAt(store.recipe, store.selected, { ...shape, color }), { merge });
        }
        if (!merge) keep(color);
        else keepLater(color);
        store.announce(`${title.textContent}: ${describeColor(hexOf(color))}`);
    }

    function keep(color) {
        useColor(color);
        recent.show(recentColors());
        recent.mark(color);
    }

    let later = 0;
    function keepLater(color) {
        clearTimeout(later);
        later = setTimeout(() => keep(color), 800); // the last one of a drag
    }

    function takeHex() {
        if (!isOpen() || !hex.value.trim()) return;
        const color = parseHex(hex.value);
        if (!color) {
            problem.textContent = "Six or three hexadecimal digits, like #2e6b3a or fa0.";
            hex.setAttribute("aria-invalid", "true");
            return;
        }
        hex.removeAttribute("aria-invalid");
        if (color !== shape.color) choose(color);
        hex.value = color;
    }

    function takeNote() {
        if (isDraft() || !isOpen()) return;
        const { source: _, ...rest } = shape;
        const text = note.value.trim();
        const noted = text ? { ...rest, source: text } : rest;
        store.change("Note", withHintAt(store.recipe, store.selected, noted), { merge: noting });
    }

    function startPicking() {
        store.setTool("eyedropper");
        viewport.element.focus({ preventScroll: true });
        store.announce("Click in the picture, or in the reference, to take its colour.");
    }

    function removeHint() {
        if (!isDraft()) store.change(`Delete ${shape.type}`, withoutHint(store.recipe, store.selected));
        close();
    }

    /** Closes the window; a shape that has no colour yet is dropped. */
    function close() {
        if (!isOpen()) return;
        const hadFocus = element.contains(document.activeElement);
        turn.abort();
        if (isDraft()) store.setSketch({ draft: null });
        shape = null;
        preview(null);
        element.hidden = true;
        if (hadFocus) viewport.element.focus({ preventScroll: true });
    }

    function onKey(event) {
        if (event.key === "Escape") {
            event.stopPropagation();
            close();
        }
        const typing = event.target.matches("input, textarea");
        if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
        if (/^[1-5]$/.test(event.key)) {
            event.stopPropagation();
            suggestions.chooseNth(Number(event.key));
        } else if (event.key === "Delete" || event.key === "Backspace") {
            event.preventDefault();
            event.stopPropagation();
            removeHint();
        }
    }

    function position() {
        if (isOpen()) placeBeside(element, anchor(shape, store.photo), viewport);
    }

    store.addEventListener("recipe", () => {
        if (!isOpen() || isDraft()) return;
        if (store.selected === null) return; // it is just being added, or the selection's event comes next
        const hint = store.recipe.hints[store.selected];
        const source = hint.source ?? "";
        if (document.activeElement !== note) note.value = source;
        shape = hint;
        title.textContent = `${kindOf(shape)} ${store.selected + 1}`;
        show();
        position();
    });
    store.addEventListener("selection", () => {
        if (isOpen() && !isDraft() && store.recipe.hints[store.selected] !== shape) close();
    });
    store.addEventListener("color", ({ detail }) => {
        if (!isOpen() && store.selected !== null) openHint(store.selected);
        if (isOpen()) {
            if (!note.value.trim() && detail.source) note.value = detail.source;
            choose(detail.color);
            takeNote();
        } else {
            keep(detail.color);
            store.announce(`${describeColor(detail.color)}, ${detail.color}, is the first of the recent colours.`);
        }
    });
    store.addEventListener("lightness", () => isOpen() && show());
    store.addEventListener("photo", () => {
        [shape, element.hidden] = [null, true];
        turn.abort();
    });
    viewport.addEventListener("move", position);
    addEventListener("resize", position);

    /** @param {number} index of a hint */
    function openHint(index) {
        if (isDraft()) store.setSketch({ draft: null });
        shape = store.recipe.hints[index];
        store.select(index);
        open(shape);
    }

    return {
        element,
        get isOpen() {
            return isOpen();
        },
        openHint,
        /** Asks which colour a new shape shall have; a `color` is given to it at once, and nothing is asked. */
        openDraft(draft, color = null) {
            close();
            store.select(null);
            const sketched = Object.freeze({ ...draft, isHint: true });
            if (color) {
                store.change(`Add ${draft.type}`, withHint(store.recipe, { ...draft, color }));
                return;
            }
            store.setSketch({ draft: sketched, preview: null });
            open(sketched);
        },
        /** Applies the nth of the likeliest colours, 1..5. */
        chooseNth: (n) => suggestions.chooseNth(n),
        remove: removeHint,
        close,
    };
}
