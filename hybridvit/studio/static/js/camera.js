/**
 * Where the photograph is in a pane: its scale, CSS pixels for a pixel of the photograph, and the place of its upper
 * left corner, CSS pixels from the pane's.
 */

const LARGEST_SCALE = 32;
const LARGEST_FIT = 2; // a small photo is not blown up until its pixels show
const MARGIN = 16;
const LEAST_IN_SIGHT = 48; // of the photo, however far it is moved away

/** @typedef {{width: number, height: number}} Size */

/** @typedef {ReturnType<typeof createCamera>} Camera */
export function createCamera() {
    let photo = { width: 1, height: 1 };
    let pane = { width: 1, height: 1 };
    let [scale, x, y] = [1, 0, 0];
    let fitted = true; // until the user moves it

    function fitScale() {
        const margin = Math.min(MARGIN, pane.width / 16, pane.height / 16);
        const across = (pane.width - 2 * margin) / photo.width;
        const down = (pane.height - 2 * margin) / photo.height;
        return Math.min(across, down, LARGEST_FIT);
    }

    function keepInSight() {
        const hold = (at, size, space) => {
            const seen = Math.min(LEAST_IN_SIGHT, size * scale);
            return Math.min(Math.max(at, seen - size * scale), space - seen);
        };
        x = hold(x, photo.width, pane.width);
        y = hold(y, photo.height, pane.height);
    }

    function fit() {
        scale = Math.max(fitScale(), 1e-4);
        x = (pane.width - photo.width * scale) / 2;
        y = (pane.height - photo.height * scale) / 2;
        fitted = true;
    }

    return {
        get scale() {
            return scale;
        },
        get x() {
            return x;
        },
        get y() {
            return y;
        },
        get fitted() {
            return fitted;
        },
        fit,
        /** Another photograph: all of it is shown. @param {Size} size */
        setPhoto({ width, height }) {
            photo = { width, height };
            fit();
        },
        /** Another size of the pane; what was in its middle stays there. @param {Size} size */
        setPane({ width, height }) {
            const middle = { x: (pane.width / 2 - x) / scale, y: (pane.height / 2 - y) / scale };
            pane = { width: Math.max(width, 1), height: Math.max(height, 1) };
            if (fitted) return fit();
            x = pane.width / 2 - middle.x * scale;
            y = pane.height / 2 - middle.y * scale;
            keepInSight();
        },
        /** @param {number} dx @param {number} dy CSS px */
        panBy(dx, dy) {
            x += dx;
            y += dy;
            fitted = false;
            keepInSight();
        },
        /** Zooms, and leaves what is at (px, py) of the pane where it is. */
        zoomAt(wanted, px = pane.width / 2, py = pane.height / 2) {
            const least = Math.min(fitScale(), 1) / 2;
            const next = Math.min(Math.max(wanted, least), LARGEST_SCALE);
            x = px - ((px - x) / scale) * next;
            y = py - ((py - y) / scale) * next;
            scale = next;
            fitted = false;
            keepInSight();
        },
        /** Brings a place of the photograph into the middle. */
        centerOn(atX, atY) {
            x = pane.width / 2 - atX * scale;
            y = pane.height / 2 - atY * scale;
            fitted = false;
            keepInSight();
        },
        /** The part of the photograph that the pane shows. @returns {import("./pyramid.js").Box} */
        get box() {
            return {
                left: Math.max(-x / scale, 0),
                top: Math.max(-y / scale, 0),
                right: Math.min((pane.width - x) / scale, photo.width),
                bottom: Math.min((pane.height - y) / scale, photo.height),
            };
        },
    };
}
