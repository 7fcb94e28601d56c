/**
 * Hints, protected areas and what is just being drawn, over the picture. It only shows: pointers go through it
 * (tools.js), and screen readers are given the list (hints_list.js).
 *
 * Markers have the same size on the screen at every scale, and a double ring, so that they are seen on light and dark.
 */

import { hasHandles } from "./hit.js";
import { maskData, pathData, setAll, svg } from "./svg.js";
import { anchor, corners } from "./shapes.js";

const RING = 8; // radius of a marker, CSS px
const BEYOND = 14; // CSS px that markers may stick out of the picture
const HATCH = 7; // CSS px from line to line

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 */
export function createHintsLayer(viewport, store) {
    const hatch = svg("pattern", { id: "hatch", width: HATCH, height: HATCH, patternUnits: "userSpaceOnUse" });
    hatch.append(
        svg("path", { class: "hatch-dark", d: `M-1 ${HATCH + 1}L${HATCH + 1} -1M-1 1L1 -1M${HATCH - 1} ${HATCH + 1}l2 -2` }),
        svg("path", { class: "hatch-light", d: `M0 ${HATCH + 2}L${HATCH + 2} 0M0 2L2 0` }),
    );
    const clip = svg("rect");
    const shapes = svg("g", { class: "shapes" });
    const markers = svg("g", { class: "markers" });
    const sketch = svg("g", { class: "sketch" });
    const pointers = svg("g", { class: "pointers" });
    const element = svg(
        "svg",
        { class: "hints-layer", "aria-hidden": "true", "data-testid": "hints-layer" },
        svg("defs", {}, hatch, svg("clipPath", { id: "in-sight" }, clip)),
        svg("g", { "clip-path": "url(#in-sight)" }, shapes, sketch, markers, pointers),
    );
    viewport.element.append(element);

    let placed = []; // [element, x, y]: markers, which follow the picture but not its scale

    function draw() {
        placed = [];
        const { photo, recipe } = store;
        element.toggleAttribute("hidden", !photo);
        if (!photo) return;
        const areas = recipe.protected.map((area, i) => areaOf(area, i === store.selectedArea));
        const drawn = recipe.hints.map((hint, i) => ({ hint, selected: i === store.selected, color: colorOf(hint, i) }));
        shapes.replaceChildren(...areas, ...drawn.filter(({ hint }) => hint.type !== "point").map(shapeOf));
        markers.replaceChildren(
            ...recipe.protected.map((area, i) => shield(anchor(area, photo), i === store.selectedArea)),
            ...drawn.map(({ hint, selected, color }, i) => marker(anchor(hint, photo), color, selected, `${i}`)),
            ...handles(),
        );
        drawSketch();
        place();
    }

    function colorOf(hint, index) {
        const { preview } = store.sketch;
        return (index === store.selected && preview) || store.colorOf(hint);
    }

    function drawSketch() {
        placed = placed.filter(([marked]) => marked.parentNode === markers);
        const { draft, preview, cursor, brush, corner } = store.sketch;
        sketch.replaceChildren();
        pointers.replaceChildren();
        if (!store.photo) return;
        if (draft?.points || draft?.polygon) sketch.append(draftOf(draft, preview));
        for (const [x, y] of draft?.isOpen ? draft.polygon : []) pointers.append(at(svg("circle", { class: "corner", r: 3.5 }), x, y));
        if (draft && !draft.isOpen && draft.isHint) pointers.append(marker(anchor(draft, store.photo), preview, true, "new"));
        if (corner) pointers.append(at(svg("circle", { class: "corner close", r: 6 }), ...corner));
        if (brush) pointers.append(at(svg("circle", { class: "brush-dark" }), brush.x, brush.y, brush), at(svg("circle", { class: "brush-light" }), brush.x, brush.y, brush));
        if (cursor) pointers.append(at(crosshair(), cursor.x, cursor.y));
    }

    /** The element, to be kept at a place of the picture. */
    function at(marked, x, y, brush = null) {
        placed.push([marked, x, y, brush]);
        return marked;
    }

    function marker({ x, y }, color, selected, name) {
        const rings = [
            ...(selected ? [svg("circle", { class: "halo", r: RING + 5 })] : []),
            svg("circle", { class: "ring-dark", r: RING + 1 }),
            svg("circle", { class: "ring-light", r: RING - 0.5 }),
            svg("circle", { class: color ? "fill" : "fill empty", r: RING - 2, ...(color && { fill: color }) }),
        ];
        return at(svg("g", { class: "marker", "data-hint": name }, ...rings), x, y);
    }

    function shield({ x, y }, selected) {
        const outline = "M0 -8L7 -5.5V0.5C7 5 4 7.8 0 9.5C-4 7.8 -7 5 -7 0.5V-5.5Z";
        const parts = [svg("path", { class: "shield", d: outline }), svg("path", { class: "tick", d: "M-3 0.5L-0.8 2.8L3.2 -2" })];
        if (selected) parts.unshift(svg("circle", { class: "halo", r: RING + 5 }));
        return at(svg("g", { class: "marker" }, ...parts), x, y);
    }

    function crosshair() {
        const lines = "M-22 0H-5M5 0H22M0 -22V-5M0 5V22";
        return svg("g", {}, svg("path", { class: "cross-dark", d: lines }), svg("path", { class: "cross-light", d: lines }));
    }

    function handles() {
        const hint = store.recipe.hints[store.selected];
        if (!hint || store.tool !== "point" || !hasHandles(hint)) return [];
        return corners(hint).map(([x, y]) => at(svg("rect", { class: "handle", x: -4, y: -4, width: 8, height: 8 }), x, y));
    }

    function place() {
        if (!store.photo) return;
        const { scale, box } = viewport;
        const origin = viewport.toScreen(0, 0);
        for (const group of [shapes, sketch]) {
            group.setAttribute("transform", `translate(${origin.x} ${origin.y}) scale(${scale})`);
        }
        hatch.setAttribute("patternTransform", `scale(${1 / scale})`);
        for (const [marked, x, y, brush] of placed) {
            if (brush) setAll(marked, { r: Math.max(brush.radius * scale, 1) });
            marked.setAttribute("transform", `translate(${origin.x + x * scale} ${origin.y + y * scale})`);
        }
        const start = viewport.toScreen(box.left, box.top);
        const end = viewport.toScreen(box.right, box.bottom);
        const [left, top] = [start.x - (box.left > 0 ? 0 : BEYOND), start.y - (box.top > 0 ? 0 : BEYOND)];
        const right = end.x + (box.right < store.photo.width ? 0 : BEYOND);
        const bottom = end.y + (box.bottom < store.photo.height ? 0 : BEYOND);
        setAll(clip, { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) });
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

function shapeOf({ hint, selected, color }) {
    const name = selected ? "shape selected" : "shape";
    if (hint.points) {
        const d = pathData(hint.points);
        const broad = svg("path", { class: "stroke-body", d, stroke: color, "stroke-width": hint.width });
        return svg("g", { class: name }, broad, svg("path", { class: "line-dark", d }), svg("path", { class: "line-light", d }));
    }
    const d = hint.mask ? maskData(hint.mask) : pathData(hint.polygon, true);
    const body = svg("path", { class: "region-body", d, fill: color });
    return svg("g", { class: name }, body, svg("path", { class: "line-dark", d }), svg("path", { class: "line-light", d }));
}

function areaOf(area, selected) {
    const d = area.mask ? maskData(area.mask) : pathData(area.polygon, true);
    const body = svg("path", { class: "area-body", d, fill: "url(#hatch)" });
    const lines = [svg("path", { class: "line-dark", d }), svg("path", { class: "line-light dashed", d })];
    return svg("g", { class: selected ? "shape selected" : "shape" }, body, ...lines);
}

function draftOf(draft, preview) {
    const closed = !draft.points && !draft.isOpen;
    const d = pathData(draft.points ?? draft.polygon, closed);
    const parts = [];
    if (draft.points) parts.push(svg("path", { class: "stroke-body", d, "stroke-width": draft.width, stroke: preview ?? "#808080" }));
    else parts.push(svg("path", { class: "region-body", d, fill: draft.isHint ? (preview ?? "#808080") : "url(#hatch)" }));
    return svg("g", { class: "shape" }, ...parts, svg("path", { class: "line-dark", d }), svg("path", { class: "line-light dashed", d }));
}
