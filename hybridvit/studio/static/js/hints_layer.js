/**
 * Hints, protected areas and what is just being drawn, over the picture. It only shows: pointers go through it
 * (pointer.js), and screen readers are given the list (hints_list.js).
 */

import * as figures from "./figures.js";
import { hasHandles } from "./hit.js";
import { anchor, corners } from "./shapes.js";
import { setAll, svg } from "./svg.js";

const BEYOND = 14; // CSS px that markers may stick out of the picture

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 */
export function createHintsLayer(viewport, store) {
    const hatch = figures.hatchPattern();
    const clip = svg("rect");
    const shapes = svg("g", { class: "shapes" });
    const sketch = svg("g");
    const markers = svg("g", { class: "markers" });
    const pointers = svg("g");
    const element = svg(
        "svg",
        { class: "hints-layer", "aria-hidden": "true", "data-testid": "hints-layer" },
        svg("defs", {}, hatch, svg("clipPath", { id: "in-sight" }, clip)),
        svg("g", { "clip-path": "url(#in-sight)" }, shapes, sketch, markers, pointers),
    );
    viewport.element.append(element);
    let placed = []; // [element, x, y]: what follows the picture but not its scale

    /** The element, to be kept at a place of the picture. */
    function at({ x, y }, figure) {
        placed.push([figure, x, y]);
        return figure;
    }

    function draw() {
        placed = [];
        const { photo, recipe, selected, selectedArea } = store;
        element.toggleAttribute("hidden", !photo);
        if (!photo) return;
        const hints = recipe.hints.map((hint, i) => ({ hint, color: colorOf(hint, i), chosen: i === selected }));
        const areas = recipe.protected.map((area, i) => ({ area, chosen: i === selectedArea }));
        shapes.replaceChildren(
            ...areas.map(({ area, chosen }) => figures.areaFigure(area, chosen)),
            ...hints
                .filter(({ hint }) => hint.type !== "point")
                .map(({ hint, color, chosen }) => figures.hintFigure(hint, color, chosen)),
        );
        markers.replaceChildren(
            ...areas.map(({ area, chosen }) => at(anchor(area, photo), figures.shield(chosen))),
            ...hints.map(({ hint, color, chosen }, i) =>
                at(anchor(hint, photo), figures.marker(color, chosen, `${i}`)),
            ),
            ...handles(recipe.hints[selected]),
        );
        drawSketch();
        place();
    }

    function colorOf(hint, index) {
        const { preview } = store.sketch;
        return (index === store.selected && preview) || store.colorOf(hint);
    }

    function handles(hint) {
        if (!hint || store.tool !== "point" || !hasHandles(hint)) return [];
        return corners(hint).map(([x, y]) => at({ x, y }, figures.handle()));
    }

    function drawSketch() {
        placed = placed.filter(([figure]) => figure.parentNode === markers);
        sketch.replaceChildren();
        pointers.replaceChildren();
        if (!store.photo) return;
        const { draft, preview, cursor, brush, corner, outline } = store.sketch;
        if (outline) sketch.append(figures.outlineFigure(outline));
        if (draft && draft.type !== "point") sketch.append(figures.draftFigure(draft, preview));
        const open = draft?.isOpen ? draft.polygon : [];
        const isAsked = draft !== null && draft.isHint && draft.type !== undefined; // its colour
        pointers.append(
            ...open.map(([x, y]) => at({ x, y }, figures.corner(false))),
            ...(isAsked ? [at(anchor(draft, store.photo), figures.marker(preview, true, "new"))] : []),
            ...(corner ? [at({ x: corner[0], y: corner[1] }, figures.corner(true))] : []),
            ...(brush ? [at(brush, figures.brushEdge())] : []),
            ...(cursor ? [at(cursor, figures.crosshair())] : []),
        );
    }

    function place() {
        if (!store.photo) return;
        const { scale, turns } = viewport;
        const origin = viewport.toScreen(0, 0);
        for (const group of [shapes, sketch]) {
            const move = `translate(${origin.x} ${origin.y}) rotate(${90 * turns}) scale(${scale})`;
            group.setAttribute("transform", move);
        }
        hatch.setAttribute("patternTransform", `scale(${1 / scale})`);
        for (const [figure, x, y] of placed) {
            const on = viewport.toScreen(x, y);
            figure.setAttribute("transform", `translate(${on.x} ${on.y})`);
        }
        for (const circle of pointers.querySelectorAll("[class^=brush]")) {
            circle.setAttribute("r", Math.max(store.sketch.brush.radius * scale, 1));
        }
        clipTo(viewport.sight, viewport.edges);
    }

    /** Cuts off what would lie over another pane or beyond, and lets markers stick out of the picture's own edges. */
    function clipTo({ left, top, right, bottom }, edges) {
        const x = left - (left > edges.left ? 0 : BEYOND);
        const y = top - (top > edges.top ? 0 : BEYOND);
        const toX = right + (right < edges.right ? 0 : BEYOND);
        const toY = bottom + (bottom < edges.bottom ? 0 : BEYOND);
        setAll(clip, { x, y, width: Math.max(toX - x, 0), height: Math.max(toY - y, 0) });
    }

    for (const event of ["photo", "recipe", "selection", "tool", "lightness"]) store.addEventListener(event, draw);
    store.addEventListener("sketch", ({ detail }) => {
        if (detail.changed.has("preview")) return draw();
        drawSketch();
        place();
    });
    viewport.addEventListener("move", place);
    viewport.addEventListener("mode", place);
    draw();
}
