/** All hints and protected areas as a list: the way to them for keyboards and screen readers, and an overview. */

import { describeColor } from "./color.js";
import { icon, make } from "./dom.js";
import { panel } from "./panels/panel.js";
import { kindOf, nounOf, withoutHint, withoutProtected } from "./recipe.js";
import { anchor } from "./shapes.js";

/**
 * @param {import("./store.js").Store} store
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./popup.js").Popup} popup
 * @returns {HTMLElement} a panel
 */
export function createHintsList(store, viewport, popup) {
    const list = make("ol", {
        class: "hints-list",
        id: "hints-list",
        "aria-label": "Hints",
        data: { testid: "hints-list" },
    });
    const areas = make("ol", { class: "hints-list", "aria-label": "Protected areas", data: { testid: "areas-list" } });
    const areasTitle = make("h3", { class: "list-title", text: "Protected areas" });
    const none = make("p", { class: "hint", text: "None yet. Click in the picture where you know the colour." });
    const element = panel("hints", "Hints", { open: true }, none, list, areasTitle, areas);

    function show() {
        if (!store.photo) return;
        const focused = document.activeElement?.dataset?.row;
        const { hints, protected: protectedAreas } = store.recipe;
        list.replaceChildren(...hints.map(hintRow));
        areas.replaceChildren(...protectedAreas.map(areaRow));
        none.hidden = hints.length > 0;
        areasTitle.hidden = areas.hidden = !protectedAreas.length;
        if (focused) refocus(focused);
    }

    /** The same button of the same row, or, if that is gone, of the last one. */
    function refocus(row) {
        const [group, index, part] = row.split(" ");
        const rows = [...element.querySelectorAll(`[data-row^="${group} "][data-row$=" ${part}"]`)];
        (rows[Math.min(Number(index), rows.length - 1)] ?? element.querySelector("summary")).focus({
            preventScroll: true,
        });
    }

    function hintRow(hint, i) {
        const color = store.colorOf(hint);
        const { x, y } = anchor(hint, store.photo);
        const name = `${kindOf(hint)} ${i + 1}`;
        const dot = make("span", { class: "swatch" });
        dot.style.background = color;
        const text = make(
            "span",
            { class: "row-text" },
            make("span", { class: "row-name", text: `${name}, ${describeColor(color)}` }),
            make("span", { class: "row-note", text: hint.source ?? `${Math.floor(x)}, ${Math.floor(y)}` }),
        );
        const open = {
            type: "button",
            class: "row-open",
            "aria-pressed": i === store.selected,
            data: { row: `hint ${i} open`, testid: "hint-row" },
            on: { click: () => openHint(i, { x, y }) },
        };
        return make(
            "li",
            {},
            make("button", open, dot, text),
            deleteButton(`hint ${i} delete`, `Delete ${name}`, () => {
                store.change(`Delete ${nounOf(hint)}`, withoutHint(store.recipe, i));
                store.announce(`${name} deleted.`);
            }),
        );
    }

    function areaRow(area, i) {
        const name = `Protected area ${i + 1}`;
        const { x, y } = anchor(area, store.photo);
        const count = area.hints.length;
        const note = `as with ${count} ${count === 1 ? "hint" : "hints"}`;
        const text = make(
            "span",
            { class: "row-text" },
            make("span", { class: "row-name", text: name }),
            make("span", { class: "row-note", text: note }),
        );
        const open = {
            type: "button",
            class: "row-open",
            "aria-pressed": i === store.selectedArea,
            data: { row: `area ${i} open`, testid: "area-row" },
            on: { click: () => openArea(i, { x, y }) },
        };
        return make(
            "li",
            {},
            make("button", open, icon("protect"), text),
            deleteButton(`area ${i} delete`, `Remove ${name}`, () => {
                store.change("Unprotect an area", withoutProtected(store.recipe, i));
                store.announce(`${name} removed.`);
            }),
        );
    }

    function deleteButton(row, label, click) {
        const properties = { type: "button", class: "button icon-only small", "aria-label": label, title: label };
        return make("button", { ...properties, data: { row }, on: { click } }, icon("close"));
    }

    function bringIntoSight({ x, y }) {
        const { left, top, right, bottom } = viewport.box;
        if (x < left || x > right || y < top || y > bottom) viewport.centerOn(x, y);
    }

    function openHint(i, place) {
        bringIntoSight(place);
        popup.openHint(i);
    }

    function openArea(i, place) {
        bringIntoSight(place);
        popup.close();
        store.selectArea(i);
    }

    let frame = 0;
    function later() {
        frame ||= requestAnimationFrame(() => {
            frame = 0;
            show();
        });
    }
    for (const event of ["photo", "recipe", "selection", "lightness"]) store.addEventListener(event, later);
    return element;
}
