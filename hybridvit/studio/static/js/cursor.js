/** The keyboard's place on the picture: a crosshair that the arrow keys move, and a hint that moves with it. */

import { directionIn } from "./frame.js";
import { anchor, clampTo } from "./shapes.js";

const STEP = 2; // CSS px, and a pixel of the photograph at least
const FAST = 10; // times as far with Shift
const SAY_MS = 500; // after the last move

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {import("./store.js").Store} store
 */
export function createCursor(viewport, store) {
    let place = null;
    let holds = null;
    let timer = 0;

    function set(next) {
        const { x, y, width, height } = viewport.crop;
        const within = clampTo({ x: next.x - x, y: next.y - y }, { width, height });
        place = Object.freeze({ x: within.x + x, y: within.y + y });
        store.setSketch({ cursor: place });
    }

    function show() {
        clearTimeout(timer); // what is done here now is more worth saying than where
        if (!place || !store.sketch.cursor) {
            const { left, top, right, bottom } = viewport.box;
            const hint = store.recipe.hints[store.selected];
            const inSight = place && place.x >= left && place.x < right && place.y >= top && place.y < bottom;
            if (hint) set(anchor(hint, store.photo));
            else set(inSight ? place : { x: (left + right) / 2, y: (top + bottom) / 2 });
        }
        return place;
    }

    function follow() {
        const { sight, edges } = viewport;
        const at = viewport.toScreen(place.x, place.y);
        const margin = Math.min(sight.right - sight.left, sight.bottom - sight.top) / 12;
        const beyond = (here, first, last, start, end) => {
            if (here < first + margin && first > start) return here - first - margin;
            return here > last - margin && last < end ? here - last + margin : 0;
        };
        const dx = beyond(at.x, sight.left, sight.right, edges.left, edges.right);
        const dy = beyond(at.y, sight.top, sight.bottom, edges.top, edges.bottom);
        if (dx || dy) viewport.panBy(-dx, -dy);
    }

    function say() {
        clearTimeout(timer);
        timer = setTimeout(() => store.announce(`${Math.floor(place.x)}, ${Math.floor(place.y)}`), SAY_MS);
    }

    store.addEventListener("photo", () => {
        clearTimeout(timer);
        place = holds = null;
    });

    return {
        get isShown() {
            return store.sketch.cursor !== null;
        },
        /** What moves with it: {hint, merge, from, moves}, or null. */
        get holds() {
            return holds;
        },
        /** Shows it: where it was, on the selected hint, or in the middle. Returns its place. */
        show,
        hide: () => store.setSketch({ cursor: null }),
        /** Moves it by steps; returns its place. */
        move(dx, dy, fast) {
            const step = Math.max(1, STEP / viewport.scale) * (fast ? FAST : 1);
            const { x, y } = show();
            const [right, down] = directionIn(store.frame, dx, dy);
            set({ x: x + right * step, y: y + down * step });
            follow();
            say();
            return place;
        },
        /** @param {object} hint @param {string} merge of its moves */
        hold(hint, merge) {
            const from = anchor(hint, store.photo);
            set(from);
            holds = { hint, merge, from, moves: false };
        },
        release() {
            holds = null;
        },
    };
}
