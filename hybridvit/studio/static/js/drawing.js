/** Shapes while they are being drawn: freehand strokes and outlines, and outlines set corner by corner. */

import { polygonArea, roundedPath, simplified } from "./shapes.js";

const TOLERANCE = 0.5; // screen px that a drawn line may be simplified by
const LEAST_AREA = 30; // screen px squared: less is a slip of the hand
const MOST_CORNERS = 10_000; // hybridvit/hints/shapes.py
const CLOSING = 12; // screen px from the first corner at which an outline is closed

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 *
 * @typedef {ReturnType<typeof createDrawing>} Drawing
 */
export function createDrawing(viewport, store) {
    let kind = null; // "stroke" or "outline" while one is drawn
    let path = [];
    let width = 0;
    let isHint = true;
    let byCorners = false;

    function show(loose = null) {
        const drawn = loose ? [...path, [loose.x, loose.y]] : [...path];
        const draft =
            kind === "stroke" ? { points: drawn, width, isHint } : { polygon: drawn, isOpen: byCorners, isHint };
        store.setSketch({ draft: Object.freeze(draft) });
    }

    function stop() {
        kind = null;
        store.setSketch({ draft: null, corner: null });
    }

    function begin(what, { x, y }, hint) {
        kind = what;
        isHint = hint;
        path = [[x, y]];
        byCorners = false;
    }

    const isNearFirst = ({ x, y }) =>
        path.length > 2 && Math.hypot(x - path[0][0], y - path[0][1]) * viewport.scale <= CLOSING;

    return {
        /** Whether something is being drawn. */
        get isActive() {
            return kind !== null;
        },
        /** Whether an outline is being set corner by corner. */
        get isByCorners() {
            return kind !== null && byCorners;
        },
        beginStroke(place, brushWidth) {
            begin("stroke", place, true);
            width = brushWidth;
            show();
        },
        /** @param {boolean} hint whether it will have a colour */
        beginOutline(place, hint) {
            begin("outline", place, hint);
        },
        /** Goes on to a place. */
        add({ x, y }) {
            const [lastX, lastY] = path.at(-1);
            if (x === lastX && y === lastY) return;
            path.push([x, y]);
            if (path.length > MOST_CORNERS / 2) path = simplified(path, TOLERANCE / viewport.scale);
            show();
        },
        /** The outline goes on corner by corner; returns whether this corner closes it. */
        addCorner({ x, y }) {
            byCorners = true;
            if (isNearFirst({ x, y })) return true;
            const [lastX, lastY] = path.at(-1);
            if (x !== lastX || y !== lastY) path.push([x, y]);
            show({ x, y });
            return false;
        },
        /** The corner that has not been set yet follows the pointer. */
        hover(place) {
            show(place);
            store.setSketch({ corner: isNearFirst(place) ? path[0] : null });
        },
        /** Takes the latest corner back. */
        takeBack() {
            path.pop();
            if (path.length) show();
            else stop();
        },
        /**
         * What was drawn, simplified; null if it is too small to be meant.
         * @returns {{type: "stroke", points: number[][], width: number} | {type: "region", polygon: number[][]} | null}
         */
        finish() {
            if (kind === null) return null;
            const drawn = kind;
            stop();
            const simple = roundedPath(byCorners ? path : simplified(path, TOLERANCE / viewport.scale));
            if (drawn === "stroke") return { type: "stroke", points: simple, width: Math.round(width * 100) / 100 };
            const isMeant = simple.length > 2 && polygonArea(simple) * viewport.scale ** 2 > LEAST_AREA;
            return isMeant ? { type: "region", polygon: simple } : null;
        },
        cancel: stop,
    };
}
