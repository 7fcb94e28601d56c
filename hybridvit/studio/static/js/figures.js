/**
 * What hints look like on the picture. Markers have the same size on the screen at every scale; everything is drawn in
 * two tones, dark and light, so that one of them shows.
 */

import { maskData, pathData, svg } from "./svg.js";

const RING = 8; // radius of a marker, CSS px
const HATCH = 7; // CSS px from line to line
const COLORLESS = "#808080";

const lines = (d, dashed = false) => [
    svg("path", { class: "line-dark", d }),
    svg("path", { class: dashed ? "line-light dashed" : "line-light", d }),
];
const group = (selected, ...parts) => svg("g", { class: selected ? "shape selected" : "shape" }, ...parts);

/** A stroke or region, in the photograph's pixels. */
export function hintFigure(hint, color, selected) {
    if (hint.points) {
        const d = pathData(hint.points);
        const broad = svg("path", { class: "stroke-body", d, stroke: color, "stroke-width": hint.width });
        return group(selected, broad, ...lines(d));
    }
    const d = hint.mask ? maskData(hint.mask) : pathData(hint.polygon, true);
    return group(selected, svg("path", { class: "region-body", d, fill: color }), ...lines(d));
}

/** A protected area. */
export function areaFigure(area, selected) {
    const d = area.mask ? maskData(area.mask) : pathData(area.polygon, true);
    return group(selected, svg("path", { class: "area-body", d, fill: "url(#hatch)" }), ...lines(d, true));
}

/** A shape that has no colour yet, or is being drawn. */
export function draftFigure(draft, color) {
    if (draft.points) {
        const d = pathData(draft.points);
        const stroke = { stroke: color ?? COLORLESS, "stroke-width": draft.width };
        return group(false, svg("path", { class: "stroke-body", d, ...stroke }), ...lines(d, true));
    }
    const fill = draft.isHint ? (color ?? COLORLESS) : "url(#hatch)";
    const body = svg("path", { class: "region-body", d: pathData(draft.polygon, true), fill });
    return group(false, body, ...lines(pathData(draft.polygon, !draft.isOpen), true));
}

/** How far a hint would reach: closed lines. @param {number[][][]} outline */
export function outlineFigure(outline) {
    return group(false, ...lines(outline.map((path) => pathData(path, true)).join(""), true));
}

/** The pattern of protected areas; `patternTransform` keeps its size. */
export function hatchPattern() {
    const h = HATCH;
    return svg(
        "pattern",
        { id: "hatch", width: h, height: h, patternUnits: "userSpaceOnUse" },
        svg("path", { class: "hatch-dark", d: `M-1 ${h + 1}L${h + 1} -1M-1 1L1 -1M${h - 1} ${h + 1}l2 -2` }),
        svg("path", { class: "hatch-light", d: `M0 ${h + 2}L${h + 2} 0M0 2L2 0` }),
    );
}

const halo = (selected) => (selected ? [svg("circle", { class: "halo", r: RING + 5 })] : []);

/** A hint's marker, about its place. @param {string | null} color */
export function marker(color, selected, name) {
    return svg(
        "g",
        { class: "marker", "data-hint": name },
        ...halo(selected),
        svg("circle", { class: "ring-dark", r: RING + 1 }),
        svg("circle", { class: "ring-light", r: RING - 0.5 }),
        svg("circle", { class: color ? "fill" : "fill empty", r: RING - 2, ...(color && { fill: color }) }),
    );
}

/** A protected area's marker. */
export function shield(selected) {
    const d = "M0 -8L7 -5.5V0.5C7 5 4 7.8 0 9.5C-4 7.8 -7 5 -7 0.5V-5.5Z";
    return svg(
        "g",
        { class: "marker" },
        ...halo(selected),
        svg("path", { class: "shield", d }),
        svg("path", { class: "tick", d: "M-3 0.5L-0.8 2.8L3.2 -2" }),
    );
}

/** The keyboard's cursor. */
export function crosshair() {
    const d = "M-22 0H-5M5 0H22M0 -22V-5M0 5V22";
    return svg("g", {}, svg("path", { class: "cross-dark", d }), svg("path", { class: "cross-light", d }));
}

/** The brush's edge; its circles' radius is set when it is placed. */
export function brushEdge() {
    return svg("g", {}, svg("circle", { class: "brush-dark" }), svg("circle", { class: "brush-light" }));
}

/** The corner of a selected hint, and that of an outline being drawn (`closes`: which a click closes). */
export const handle = () => svg("rect", { class: "handle", x: -4, y: -4, width: 8, height: 8 });
export const corner = (closes) => svg("circle", { class: closes ? "corner close" : "corner", r: closes ? 6 : 3.5 });
