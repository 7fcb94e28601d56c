/**
 * Cropping and turning: a rectangle over the picture whose edges are dragged, or moved by arrow keys; and buttons. It
 * changes the recipe's frame and nothing else.
 */

import { icon, make } from "./dom.js";
import { boxToShown, boxToWhole, cropOf, cropped, frameOf, shownSize, turned } from "./frame.js";
import { changed } from "./recipe.js";

const LEAST = 16; // px of the photograph that a side keeps
const STEP = 2; // CSS px of an arrow key, and a pixel of the photograph at least
const FAST = 10; // times as far with Shift
const EDGES = ["left", "top", "right", "bottom"];
const CORNERS = [
    ["left", "top"],
    ["right", "top"],
    ["right", "bottom"],
    ["left", "bottom"],
];

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 * @returns {{options: HTMLElement, turn: (by: number) => void}}
 */
export function createCrop(viewport, store) {
    let box = null; // what is being dragged, in what is shown of the whole picture
    let drag = null; // {id, x, y, from, edges}

    const handles = Object.fromEntries(EDGES.map((edge) => [edge, slider(edge)]));
    const corners = CORNERS.map((edges) => grip("crop-corner", edges));
    const inside = grip("crop-inside", EDGES);
    const area = make("div", { class: "crop-area" }, inside, ...Object.values(handles), ...corners);
    const bright = make("div", { class: "crop-bright" });
    const dim = make("div", { class: "crop-dim" }, bright);
    const layer = make("div", { class: "crop", hidden: true, data: { testid: "crop" } }, dim, area);
    viewport.element.append(layer);
    const button = (text, label, testid, run, name) =>
        make(
            "button",
            { type: "button", class: `button ${name ? "icon-only" : "small"}`, ...label, data: { testid }, on: { click: run } },
            ...(name ? [icon(name)] : [text]),
        );
    const named = (name, key) => ({ "aria-label": name, title: `${name} (${key})` });
    const all = button("Whole picture", {}, "crop-all", showAll);
    const options = make(
        "div",
        { class: "crop-options", hidden: true },
        button("", named("Turn left", "Shift+R"), "turn-left", () => turn(-1), "turn-left"),
        button("", named("Turn right", "R"), "turn-right", () => turn(1), "turn-right"),
        all,
        button("Done", { title: "Esc or Enter" }, "crop-done", () => store.setTool("point")),
    );

    /** @param {string} edge @returns {HTMLElement} a handle that the keyboard moves too */
    function slider(edge) {
        const handle = grip(`crop-edge crop-${edge}`, [edge]);
        handle.removeAttribute("aria-hidden");
        handle.tabIndex = 0;
        handle.setAttribute("role", "slider");
        handle.setAttribute("aria-label", `${edge[0].toUpperCase()}${edge.slice(1)} edge`);
        handle.setAttribute("aria-orientation", isAcross(edge) ? "horizontal" : "vertical");
        handle.dataset.testid = `crop-${edge}`;
        handle.addEventListener("keydown", (event) => key(edge, event));
        return handle;
    }

    function grip(name, edges) {
        const element = make("div", { class: `crop-grip ${name}`, "aria-hidden": "true" });
        element.addEventListener("pointerdown", (event) => begin(event, element, edges));
        element.addEventListener("pointermove", move);
        element.addEventListener("pointerup", end);
        for (const lost of ["pointercancel", "lostpointercapture"]) element.addEventListener(lost, cancel); // a second finger
        return element;
    }

    const size = () => shownSize(store.frame, store.photo);

    /** The crop in what is shown while one crops. */
    function saved() {
        const { x, y, width, height } = cropOf(store.recipe.frame, store.photo);
        return boxToShown(store.frame, store.photo, { left: x, top: y, right: x + width, bottom: y + height });
    }

    function begin(event, element, edges) {
        if (event.button !== 0 || drag) return;
        event.stopPropagation();
        element.setPointerCapture(event.pointerId);
        drag = { id: event.pointerId, x: event.clientX, y: event.clientY, from: saved(), edges };
    }

    function move(event) {
        if (drag?.id !== event.pointerId) return;
        const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y].map((by) => by / viewport.scale);
        box = drag.edges.length === EDGES.length ? shifted(drag.from, dx, dy) : stretched(drag.from, drag.edges, dx, dy);
        place();
    }

    function end(event) {
        if (drag?.id !== event.pointerId) return;
        const found = box;
        drag = box = null;
        if (found) take(found);
    }

    function cancel(event) {
        if (drag?.id !== event.pointerId) return;
        drag = box = null;
        place();
    }

    function shifted(from, dx, dy) {
        const { width, height } = size();
        const [right, down] = [within(dx, -from.left, width - from.right), within(dy, -from.top, height - from.bottom)];
        return {
            left: from.left + right,
            top: from.top + down,
            right: from.right + right,
            bottom: from.bottom + down,
        };
    }

    function stretched(from, edges, dx, dy) {
        const next = { ...from };
        for (const edge of edges) {
            const [least, most] = range(edge, from);
            next[edge] = within(from[edge] + (isAcross(edge) ? dx : dy), least, most);
        }
        return next;
    }

    /** Where an edge may be. */
    function range(edge, { left, top, right, bottom }) {
        const { width, height } = size();
        const [across, down] = [Math.min(LEAST, width), Math.min(LEAST, height)];
        return {
            left: [0, Math.max(right - across, 0)],
            top: [0, Math.max(bottom - down, 0)],
            right: [Math.min(left + across, width), width],
            bottom: [Math.min(top + down, height), height],
        }[edge];
    }

    function key(edge, event) {
        const signs = isAcross(edge) ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 };
        const now = saved();
        const step = Math.max(1, Math.round(STEP / viewport.scale)) * (event.shiftKey ? FAST : 1);
        const [least, most] = range(edge, now);
        const at = { Home: least, End: most }[event.key] ?? now[edge] + signs[event.key] * step;
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Enter") store.setTool("point");
        else if (Number.isNaN(at)) return;
        else take({ ...now, [edge]: within(at, least, most) }, `crop ${edge}`);
        event.preventDefault();
    }

    /** @param {import("./frame.js").Box} shown @param {boolean | string} merge */
    function take(shown, merge = false) {
        set("Crop", cropped(store.recipe.frame, store.photo, boxToWhole(store.frame, store.photo, shown)), merge);
        place();
    }

    /** @param {string} label @param {object} frame @param {boolean | string} merge */
    function set(label, frame, merge = false) {
        store.change(label, changed(store.recipe, { frame }), { merge });
        const { width, height } = shownSize(store.recipe.frame, store.photo);
        store.announce(`${label}: ${width} by ${height} pixels.`);
    }

    function turn(by) {
        if (store.photo) set("Turn", turned(store.recipe.frame, by));
    }

    function showAll() {
        set("Whole picture", frameOf());
    }

    function place() {
        layer.hidden = store.tool !== "crop" || !store.photo;
        if (layer.hidden) return;
        const { turns, crop } = store.recipe.frame;
        all.disabled = !turns && !crop;
        const { left, top, right, bottom } = viewport.edges;
        Object.assign(layer.style, px({ left, top, width: right - left, height: bottom - top }));
        const shown = box ?? saved();
        const { scale } = viewport;
        const [x, y] = [shown.left * scale, shown.top * scale];
        const [width, height] = [(shown.right - shown.left) * scale, (shown.bottom - shown.top) * scale];
        for (const one of [area, bright]) Object.assign(one.style, px({ left: x, top: y, width, height }));
        for (const edge of EDGES) {
            const [least, most] = range(edge, shown);
            handles[edge].setAttribute("aria-valuemin", String(Math.round(least)));
            handles[edge].setAttribute("aria-valuemax", String(Math.round(most)));
            handles[edge].setAttribute("aria-valuenow", String(Math.round(shown[edge])));
            const from = isAcross(edge) ? "left" : "top";
            handles[edge].setAttribute("aria-valuetext", `${Math.round(shown[edge])} pixels from the ${from}`);
        }
    }

    store.addEventListener("tool", () => {
        drag = box = null;
        place();
        if (!layer.hidden) handles.left.focus({ preventScroll: true });
    });
    for (const event of ["photo", "recipe"]) store.addEventListener(event, place);
    for (const event of ["move", "mode"]) viewport.addEventListener(event, place);

    return { options, turn };
}

const isAcross = (edge) => edge === "left" || edge === "right";
const within = (value, least, most) => Math.min(Math.max(value, least), most);
const px = (lengths) => Object.fromEntries(Object.entries(lengths).map(([name, value]) => [name, `${value}px`]));
