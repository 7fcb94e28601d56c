/** Lightness and chroma to pixels and back, as hybridvit/inference/composition.py: the lightness is kept. */

import { inverse } from "../../color.js";

const XYZ_FROM_RGB = [
    [0.412453, 0.35758, 0.180423],
    [0.212671, 0.71516, 0.072169],
    [0.019334, 0.119193, 0.950227],
].map((row) => row.map((value) => value / row.reduce((a, b) => a + b)));
const [WEIGHT_R, WEIGHT_G, WEIGHT_B] = XYZ_FROM_RGB[1];
const [[RX, RY, RZ], [GX, GY, GZ], [BX, BY, BZ]] = inverse(XYZ_FROM_RGB);
const SLACK = 3e-4;
const BISECTIONS = 10;

export const toLinear = (value) => (value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92);
const response = (light) => (light > 0.008856 ? Math.cbrt(light) : 7.787 * light + 16 / 116);
const light = (value) => (value > 0.2068966 ? value * value * value : (value - 16 / 116) / 7.787);

const LINEAR = Float64Array.from({ length: 256 }, (_, value) => toLinear(value / 255));
const GRAY = Float32Array.from(LINEAR, (value) => 116 * response(value) - 16);
const CODES = 1 << 14; // steps of linear light in the table of sRGB's codes; the table holds where each code begins
/** @type {Float64Array} linear light from which a code is rounded to, up to the next one's */
const BEGINS = Float64Array.from({ length: 257 }, (_, code) => (code === 0 ? -1 : toLinear((code - 0.5) / 255)));
const NEAR = Uint8Array.from({ length: CODES + 1 }, (_, step) => {
    const value = step / CODES;
    return Math.round(255 * (value > 0.0031308 ? 1.055 * value ** (1 / 2.4) - 0.055 : 12.92 * value));
});

/** L of a pixel of 8 bits. */
export const lightnessOf = (r, g, b) =>
    r === g && g === b ? GRAY[r] : 116 * response(WEIGHT_R * LINEAR[r] + WEIGHT_G * LINEAR[g] + WEIGHT_B * LINEAR[b]) - 16;

/** L of a gray pixel of 8 bits. */
export const grayLightness = GRAY;

/** L of sRGB values 0..1. */
export function lightness(r, g, b) {
    return 116 * response(WEIGHT_R * toLinear(r) + WEIGHT_G * toLinear(g) + WEIGHT_B * toLinear(b)) - 16;
}

function code(linear) {
    const value = linear < 0 ? 0 : linear > 1 ? 1 : linear;
    let found = NEAR[(value * CODES) | 0];
    while (found < 255 && value >= BEGINS[found + 1]) found++;
    while (value < BEGINS[found]) found--;
    return found;
}

const RGB = new Float64Array(3);

/** Linear light of red, green and blue, into RGB; `middle` is `light(y)`. */
function linearRgb(y, middle, a, b) {
    const x = light(y + a / 500);
    const z = light(y - b / 200);
    RGB[0] = RX * x + RY * middle + RZ * z;
    RGB[1] = GX * x + GY * middle + GZ * z;
    RGB[2] = BX * x + BY * middle + BZ * z;
}

function fits(y, middle, a, b) {
    linearRgb(y, middle, a, b);
    const low = -SLACK * middle;
    const high = 1 - low;
    return RGB[0] >= low && RGB[1] >= low && RGB[2] >= low && RGB[0] <= high && RGB[1] <= high && RGB[2] <= high;
}

/** The share, 0..1, of the chroma that the gamut has room for at this lightness and hue. */
export function shareInGamut(L, a, b) {
    const y = (L + 16) / 116;
    const middle = light(y);
    if (fits(y, middle, a, b)) return 1;
    let share = 0;
    for (let i = 0, step = 0.5; i < BISECTIONS; i++, step /= 2) {
        if (fits(y, middle, (share + step) * a, (share + step) * b)) share += step;
    }
    return share;
}

/** The pixel, a number 0xBBGGRR, with lightness L and the chroma that fits there. */
export function composed(L, a, b) {
    const share = shareInGamut(L, a, b);
    const y = (L + 16) / 116;
    if (share !== 1) linearRgb(y, light(y), share * a, share * b);
    return code(RGB[0]) | (code(RGB[1]) << 8) | (code(RGB[2]) << 16);
}

/** a and b, CIE, of a pixel 0xBBGGRR, with scikit-image's white. */
export function labOf(pixel) {
    const rgb = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255].map((value) => LINEAR[value]);
    const rows = [
        [0.412453, 0.35758, 0.180423, 0.95047],
        [0.212671, 0.71516, 0.072169, 1],
        [0.019334, 0.119193, 0.950227, 1.08883],
    ];
    const [x, y, z] = rows.map(([r, g, b, white]) => response((r * rgb[0] + g * rgb[1] + b * rgb[2]) / white));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** "#rrggbb" of a pixel 0xBBGGRR. */
export const hexOf = (pixel) =>
    `#${[pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255].map((value) => value.toString(16).padStart(2, "0")).join("")}`;

/** The pixel 0xBBGGRR of "#rrggbb". */
export const pixelOf = (hex) =>
    parseInt(hex.slice(1, 3), 16) | (parseInt(hex.slice(3, 5), 16) << 8) | (parseInt(hex.slice(5, 7), 16) << 16);

/** a and b that a hint's colour stands for. @param {string | number[]} color */
export const colorAb = (color) => (typeof color === "string" ? labOf(pixelOf(color)).slice(1) : color);
