/**
 * The picture on the screen: a canvas of tiles that can be zoomed and moved, alone, beside the original, or with a
 * slider between the two. It shows pixels and knows nothing of hints.
 *
 * Events: "move" (the place or scale has changed), "drawn" (detail.revision: all its tiles in sight are on the
 * canvas), "busy" (detail.busy), "mode", "failed" (detail.error, detail.forgotten).
 */

import { createCamera } from "./camera.js";
import { make } from "./dom.js";
import { boxToWhole, cropOf, shownSize, toShown, toWhole, WHOLE } from "./frame.js";
import { levelFor, tilesIn } from "./pyramid.js";
import { createRevisions } from "./revisions.js";
import { createTileCache, isForgotten } from "./tile_cache.js";
import { drawTiles } from "./tile_drawing.js";

const WHILE_MOVING_MS = 50; // what is asked for follows the view this much later
const NO_PHOTO = Object.freeze({ width: 0, height: 0 });
const IDLE_MS = 500; // then what may be wanted next is fetched

export const MODES = ["result", "split", "side", "original"];

/**
 * @param {HTMLElement} element
 * @param {EventTarget & {photo: any, revision: string | null, frame: import("./frame.js").Frame}} store has the events "photo", "revision", "recipe" and "tool"
 * @param {import("./api.js").Api} api
 *
 * @typedef {ReturnType<typeof createViewport>} Viewport
 */
export function createViewport(element, store, api) {
    const events = new EventTarget();
    const canvas = make("canvas", { class: "viewport-canvas" });
    const context = canvas.getContext("2d");
    const camera = createCamera();
    const revisions = createRevisions();
    const cache = createTileCache(api, (error) => emit("failed", { error, forgotten: isForgotten(error) }));
    let photo = null;
    let view = WHOLE; // the frame
    let [width, height, density] = [1, 1, 1]; // CSS px, CSS px, device px for one
    let [mode, split, held] = ["result", 0.5, false];
    let overlay = null;
    let [frame, moved, timer, idle] = [0, false, 0, 0];
    let [complete, busy] = [false, false];
    element.prepend(canvas);
    cache.onArrival(() => {
        want();
        schedule();
    });

    const emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }));
    const shownMode = () => (held ? "original" : mode);

    /** The panes, in CSS px; the result's is the last, and hints are placed in it. */
    function panes() {
        const whole = { left: 0, top: 0, width, height };
        if (shownMode() !== "side") return [whole];
        const stacked = height > width;
        const [w, h] = stacked ? [width, Math.floor(height / 2)] : [Math.floor(width / 2), height];
        const second = stacked ? { top: height - h, left: 0 } : { top: 0, left: width - w };
        return [
            { ...whole, width: w, height: h },
            { ...second, width: w, height: h },
        ];
    }

    function setPanes() {
        camera.setPane(panes()[0]);
        element.toggleAttribute("data-stacked", height > width);
    }

    const wholeBox = () => boxToWhole(view, photo ?? NO_PHOTO, camera.box);
    const sight = () => tilesIn(photo, levelFor(photo, camera.scale * density), wholeBox());
    const isHere = (what, tiles) => tiles.every((tile) => cache.has(photo.id, what, tile));

    function want() {
        if (!photo) return;
        const tiles = sight();
        const isRefused = (what) => tiles.some((tile) => cache.isRefused(photo.id, what, tile));
        if (revisions.settle((what) => isHere(what, tiles), isRefused)) schedule();
        const all = (what, wanted = tiles) => wanted.map((tile) => ({ id: photo.id, what, tile }));
        const whole = tilesIn(photo, photo.levels - 1, { left: 0, top: 0, right: photo.width, bottom: photo.height });
        const result = revisions.target === null ? [] : all(revisions.target);
        const original = shownMode() === "result" && revisions.shown ? [] : all("original");
        cache.want([...result, ...original]);
        clearTimeout(idle);
        if (!cache.waiting) {
            // what is seen at once when one zooms out or compares
            const later = [...all(revisions.shown ?? "original", whole), ...all("original", whole), ...all("original")];
            idle = setTimeout(() => cache.waiting || cache.want(later), IDLE_MS);
        }
        setBusy(result.length > 0 && !isHere(revisions.target, tiles));
    }

    function setBusy(value) {
        if (busy === value) return;
        busy = value;
        emit("busy", { busy });
    }

    function schedule() {
        frame ||= requestAnimationFrame(draw);
    }

    function changed() {
        moved = true;
        timer ||= setTimeout(() => {
            timer = 0;
            want();
        }, WHILE_MOVING_MS);
        schedule();
    }

    function draw() {
        frame = 0;
        if (moved) {
            moved = false;
            emit("move", {});
        }
        context.clearRect(0, 0, canvas.width, canvas.height);
        if (!photo) return;
        const tiles = sight();
        const [first, second] = panes();
        if (shownMode() === "original") drawPane(first, tiles, ["original"]);
        else if (second) {
            drawPane(first, tiles, ["original"]);
            drawPane(second, tiles, revisions.pictures);
        } else {
            drawPane(first, tiles, revisions.pictures);
            if (mode === "split") drawPane({ ...first, width: split * width }, tiles, ["original"]);
        }
        announce(tiles);
    }

    function drawPane(pane, tiles, pictures) {
        const [left, top] = [Math.round(pane.left * density), Math.round(pane.top * density)];
        context.save();
        context.beginPath();
        context.rect(left, top, Math.round(pane.width * density), Math.round(pane.height * density));
        context.clip();
        const place = turnTo({ x: left + camera.x * density, y: top + camera.y * density }, camera.scale * density);
        drawTiles(context, { photo, tiles, pictures, place }, cache);
        if (overlay && pictures[0] !== "original") drawOverlay(place);
        context.restore();
    }

    /**
     * Clips and turns the canvas as the frame says; returns the photograph's scale and corner on what was turned.
     * @param {{x: number, y: number}} corner of what is shown, device px
     */
    function turnTo({ x, y }, scale) {
        const size = shownSize(view, photo);
        if (view.crop) {
            const [left, top] = [Math.round(x), Math.round(y)];
            context.beginPath();
            context.rect(left, top, Math.round(x + size.width * scale) - left, Math.round(y + size.height * scale) - top);
            context.clip();
        }
        const origin = toShown(view, photo, { x: 0, y: 0 });
        const [atX, atY] = [x + origin.x * scale, y + origin.y * scale];
        const [cos, sin] = [
            [1, 0],
            [0, 1],
            [-1, 0],
            [0, -1],
        ][view.turns];
        context.transform(cos, sin, -sin, cos, 0, 0);
        return { scale, x: cos * atX + sin * atY, y: cos * atY - sin * atX };
    }

    function drawOverlay({ scale, x, y }) {
        context.globalAlpha = overlay.opacity;
        context.imageSmoothingEnabled = true;
        context.drawImage(overlay.bitmap, x, y, photo.width * scale, photo.height * scale);
        context.globalAlpha = 1;
    }

    /** Says once that all is on the canvas, for each revision, and each time after something was missing. */
    function announce(tiles) {
        const was = complete;
        const { shown } = revisions;
        const compared = shownMode() === "result" || isHere("original", tiles);
        complete = shown !== null && isHere(shown, tiles) && compared;
        if (!complete || (was && element.dataset.revision === shown)) return;
        element.dataset.revision = shown;
        emit("drawn", { revision: shown });
        // for those who watch from outside
        element.dispatchEvent(new CustomEvent("drawn", { detail: { revision: shown } }));
    }

    function setPhoto() {
        const isSame = photo !== null && store.photo?.id === photo.id;
        photo = store.photo;
        if (isSame) return setRevision(); // it was opened again, for another sidecar
        view = store.frame;
        revisions.set(null);
        overlay = null;
        complete = false;
        delete element.dataset.revision;
        if (photo) camera.setPhoto(shownSize(view, photo));
        canvas.hidden = !photo;
        setRevision();
        changed();
    }

    function setFrame() {
        const { frame: next } = store;
        if (!photo || store.photo?.id !== photo.id || JSON.stringify(next) === JSON.stringify(view)) return;
        view = next;
        camera.setPhoto(shownSize(view, photo));
        want();
        changed();
    }

    function setRevision() {
        if (!photo || store.photo?.id !== photo.id || !store.revision) return;
        revisions.set(store.revision);
        want();
    }

    function resize() {
        [width, height, density] = [element.clientWidth, element.clientHeight, window.devicePixelRatio];
        canvas.width = Math.max(Math.round(width * density), 1);
        canvas.height = Math.max(Math.round(height * density), 1);
        setPanes();
        // now, not in the next frame: setting its size has emptied the canvas
        moved = true;
        cancelAnimationFrame(frame);
        draw();
        want();
    }

    function setMode(value) {
        mode = value;
        element.dataset.mode = mode;
        setPanes();
        emit("mode", { mode });
        want();
        changed();
    }

    /** A box of what is shown in the result's pane, in CSS px. */
    function onScreen({ left, top, right, bottom }) {
        const pane = panes().at(-1);
        const across = (x) => pane.left + camera.x + x * camera.scale;
        const down = (y) => pane.top + camera.y + y * camera.scale;
        return { left: across(left), top: down(top), right: across(right), bottom: down(bottom) };
    }

    /** The pane at a place within the element: the first, where there are two and it is in neither. */
    const paneAt = (x, y) => panes().findLast((pane) => x >= pane.left && y >= pane.top) ?? panes()[0];

    store.addEventListener("photo", setPhoto);
    store.addEventListener("revision", setRevision);
    for (const event of ["recipe", "tool"]) store.addEventListener(event, setFrame);
    api.addEventListener("connection", ({ detail }) => detail.lost || want());
    new ResizeObserver(resize).observe(element);
    element.dataset.mode = mode;

    return {
        element,
        addEventListener: events.addEventListener.bind(events),
        removeEventListener: events.removeEventListener.bind(events),
        /** CSS pixels for a pixel of the photograph. */
        get scale() {
            return camera.scale;
        },
        /** The part of the photograph in sight. @returns {import("./pyramid.js").Box} */
        get box() {
            return wholeBox();
        },
        /** The part of the photograph that its frame shows. @returns {import("./frame.js").Crop} */
        get crop() {
            return cropOf(view, photo ?? NO_PHOTO);
        },
        /** How it is turned, quarter turns clockwise. */
        get turns() {
            return view.turns;
        },
        /** Where what is shown ends, in sight or not: CSS px of the element; of two panes, in the result's. */
        get edges() {
            const size = shownSize(view, photo ?? NO_PHOTO);
            return onScreen({ left: 0, top: 0, right: size.width, bottom: size.height });
        },
        /** The same of the part in sight. */
        get sight() {
            return onScreen(camera.box);
        },
        get mode() {
            return mode;
        },
        setMode,
        /** Where the slider is, 0..1 of the width. */
        get split() {
            return split;
        },
        set split(value) {
            split = Math.min(Math.max(value, 0), 1);
            schedule();
        },
        /** Shows the original as long as it is held. @param {boolean} value */
        hold(value) {
            if (held === value) return;
            held = value;
            element.toggleAttribute("data-held", held);
            setPanes();
            want();
            changed();
        },
        /** Lays a picture over the coloured one. @param {{bitmap: ImageBitmap, opacity: number}|null} value */
        setOverlay(value) {
            overlay = value;
            schedule();
        },
        /** The place in the photograph, in its pixels, of a place on the screen. */
        toImage(clientX, clientY) {
            const rect = element.getBoundingClientRect();
            const [x, y] = [clientX - rect.left, clientY - rect.top];
            const pane = paneAt(x, y);
            const [shownX, shownY] = [x - pane.left - camera.x, y - pane.top - camera.y];
            return toWhole(view, photo ?? NO_PHOTO, { x: shownX / camera.scale, y: shownY / camera.scale });
        },
        /** Where a place of the photograph is in the element, in CSS pixels; of two panes, in the result's. */
        toScreen(x, y) {
            const { left, top } = panes().at(-1);
            const shown = toShown(view, photo ?? NO_PHOTO, { x, y });
            return { x: left + camera.x + shown.x * camera.scale, y: top + camera.y + shown.y * camera.scale };
        },
        /** Shows all of the photograph. */
        fit() {
            camera.fit();
            changed();
        },
        /** Zooms; the place (x, y) of the photograph, else the middle, stays where it is. */
        zoomTo(scale, x, y) {
            const shown = x === undefined || !photo ? null : toShown(view, photo, { x, y });
            if (!shown) camera.zoomAt(scale);
            else camera.zoomAt(scale, camera.x + shown.x * camera.scale, camera.y + shown.y * camera.scale);
            changed();
        },
        /** Moves the photograph by CSS pixels. */
        panBy(dx, dy) {
            camera.panBy(dx, dy);
            changed();
        },
        /** Brings a place of the photograph into the middle. */
        centerOn(x, y) {
            const shown = toShown(view, photo ?? NO_PHOTO, { x, y });
            camera.centerOn(shown.x, shown.y);
            changed();
        },
        /** Asks again for tiles that could not be had. */
        retry() {
            cache.forget();
            want();
        },
    };
}
