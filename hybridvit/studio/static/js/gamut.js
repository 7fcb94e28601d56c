/**
 * The colours that exist at one lightness, to choose from: a to the right, b upwards, gray where the lines cross. What
 * sRGB does not have there is left neutral. Pointers and arrow keys choose.
 */

import { describeColor, hexAtLightness, inGamut, labToRgb, rgbToHex } from "./color.js";
import { make } from "./dom.js";

const SIDE = 148; // CSS px
const LEAST_REACH = 12; // ab units from the middle to an edge: near black and white there is hardly any colour
const MARGIN = 1.08; // of the reach
const FARTHEST = 140; // ab units: farther from gray there is no colour
const KEY_STEP = 1; // ab units; with Shift ten times as much
const CENTRE_SNAP = 3; // CSS px in which gray itself is meant

/**
 * @param {(color: string, gesture: string) => void} choose called while one chooses; `gesture` is the same for all that
 *     one drag, or one run of keys, chooses
 * @returns {{element: HTMLElement, set: (L: number, ab: number[] | null) => void}}
 */
export function createGamutPicker(choose) {
    const density = Math.min(window.devicePixelRatio || 1, 2);
    const canvas = make("canvas", { class: "gamut-canvas", width: SIDE * density, height: SIDE * density });
    const mark = make("span", { class: "gamut-mark", "aria-hidden": "true" });
    const element = make(
        "div",
        {
            class: "gamut",
            tabindex: 0,
            role: "slider",
            "aria-label": "Any colour at this lightness",
            "aria-roledescription": "colour plane, green to red and blue to yellow",
            "aria-valuenow": 0,
            "aria-valuemin": -128,
            "aria-valuemax": 128,
            data: { testid: "gamut" },
        },
        canvas,
        mark,
    );
    const context = canvas.getContext("2d");
    let [L, ab, painted] = [50, [0, 0], ""];
    let [middle, reach] = [[0, 0], LEAST_REACH]; // of the part of the plane that is shown
    let [gestures, lastKey] = [0, 0];

    const isIn = (a, b) => inGamut(labToRgb([L, a, b]));
    const toPlace = (/** @type {number[]} */ [a, b]) => [((a - middle[0]) / reach + 1) / 2, (1 - (b - middle[1]) / reach) / 2]; // 0..1
    const toAb = (x, y) => [middle[0] + (2 * x - 1) * reach, middle[1] + (1 - 2 * y) * reach];

    function paint() {
        const key = L.toFixed(1);
        if (painted === key) return;
        painted = key;
        frame();
        const side = canvas.width;
        const image = context.createImageData(side, side);
        for (let i = 0; i < side * side; i++) {
            const rgb = labToRgb([L, ...toAb(((i % side) + 0.5) / side, (Math.floor(i / side) + 0.5) / side)]);
            if (!inGamut(rgb)) continue; // transparent
            image.data.set([...rgb.map((value) => 255 * value), 255], 4 * i);
        }
        context.putImageData(image, 0, 0);
        const [x, y] = toPlace([0, 0]).map((share) => Math.round(share * side));
        context.fillStyle = L > 50 ? "#00000059" : "#ffffff59";
        context.fillRect(x, 0, 1, side);
        context.fillRect(0, y, side, 1);
    }

    /** The part of the plane that has all colours of this lightness. */
    function frame() {
        const border = Array.from({ length: 72 }, (_, i) => {
            const hue = (i * Math.PI) / 36;
            return fitted([FARTHEST * Math.cos(hue), FARTHEST * Math.sin(hue)]);
        });
        const axes = [0, 1].map((axis) => border.map((place) => place[axis]));
        middle = axes.map((at) => (Math.min(...at) + Math.max(...at)) / 2);
        reach = Math.max(...axes.map((at) => ((Math.max(...at) - Math.min(...at)) / 2) * MARGIN), LEAST_REACH);
    }

    function show() {
        const inside = fitted(ab);
        const color = rgbToHex(labToRgb([L, ...inside]));
        const [x, y] = toPlace(inside);
        mark.style.left = `${100 * x}%`;
        mark.style.top = `${100 * y}%`;
        mark.style.background = color;
        element.setAttribute("aria-valuenow", Math.round(inside[0]));
        const numbers = `a ${Math.round(inside[0])}, b ${Math.round(inside[1])}`;
        element.setAttribute("aria-valuetext", `${describeColor(color)}, ${numbers}`);
    }

    /** The nearest to gray that the gamut has room for at the hue of ab. */
    function fitted(/** @type {number[]} */ [a, b]) {
        if (isIn(a, b)) return [a, b];
        let [low, high] = [0, 1];
        for (let i = 0; i < 10; i++) {
            const share = (low + high) / 2;
            if (isIn(share * a, share * b)) low = share;
            else high = share;
        }
        return [low * a, low * b];
    }

    function take(wanted) {
        ab = fitted(wanted);
        show();
        choose(hexAtLightness(L, ab), `gamut ${gestures}`);
    }

    function takePointer(event) {
        const rect = canvas.getBoundingClientRect();
        const [x, y] = [(event.clientX - rect.left) / rect.width, (event.clientY - rect.top) / rect.height];
        const [grayX, grayY] = toPlace([0, 0]);
        const isGray = Math.hypot(x - grayX, y - grayY) * SIDE < CENTRE_SNAP;
        take(isGray ? [0, 0] : toAb(x, y));
    }

    element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        gestures++;
        element.setPointerCapture(event.pointerId);
        takePointer(event);
    });
    element.addEventListener("pointermove", (event) => {
        if (element.hasPointerCapture(event.pointerId)) takePointer(event);
    });
    element.addEventListener("keydown", (event) => {
        const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
        const way = ways[event.key];
        if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.timeStamp - lastKey > 1000) gestures++;
        lastKey = event.timeStamp;
        const step = KEY_STEP * (event.shiftKey ? 10 : 1);
        take([ab[0] + step * way[0], ab[1] + step * way[1]]);
    });

    return {
        element,
        /** @param {number} lightness @param {number[]} chosen ab; what is out of the gamut is shown at its border */
        set(lightness, chosen) {
            L = lightness;
            ab = chosen;
            paint();
            show();
        },
    };
}
