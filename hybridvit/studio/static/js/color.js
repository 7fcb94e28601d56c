/**
 * sRGB and CIE Lab (D65, 2 degree observer), as hybridvit/color/lab.py; what the page needs to show and pick colours.
 *
 * A hex is "#rrggbb"; rgb is [r, g, b], 0..1; lab is [L, a, b], L 0..100, a and b in CIE units.
 */

const XYZ_FROM_RGB = [
    [0.412453, 0.35758, 0.180423],
    [0.212671, 0.71516, 0.072169],
    [0.019334, 0.119193, 0.950227],
];
const RGB_FROM_XYZ = inverse(XYZ_FROM_RGB);
const WHITE = [0.95047, 1.0, 1.08883];
const DARK = 6 / 29; // below, the response to light is linear
const SLACK = 1 / 510; // half a step of 8 bits counts as within the gamut
const BISECTIONS = 12;

/**
 * A colour as typed, "#2e6b3a", "2e6b3a" or "fa0", as "#2e6b3a"; null if it is none.
 * @param {string} text
 * @returns {string | null}
 */
export function parseHex(text) {
    const digits = text.trim().replace(/^#/, "").toLowerCase();
    if (/^[0-9a-f]{6}$/.test(digits)) return `#${digits}`;
    if (/^[0-9a-f]{3}$/.test(digits)) return `#${[...digits].map((digit) => digit + digit).join("")}`;
    return null;
}

/** @param {string} hex @returns {number[]} rgb */
export function hexToRgb(hex) {
    return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16) / 255);
}

/** @param {number[]} rgb clipped to 0..1 @returns {string} hex */
export function rgbToHex(rgb) {
    const bytes = rgb.map((value) => Math.round(255 * Math.min(Math.max(value, 0), 1)));
    return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** @param {number[]} rgb @returns {number[]} lab */
export function rgbToLab(rgb) {
    const [x, y, z] = product(XYZ_FROM_RGB, rgb.map(toLinear)).map((value, i) => response(value / WHITE[i]));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** @param {number[]} lab @returns {number[]} rgb, beyond 0..1 if the colour is out of the gamut */
export function labToRgb([L, a, b]) {
    const y = (L + 16) / 116;
    const xyz = [y + a / 500, y, y - b / 200].map((value, i) => light(value) * WHITE[i]);
    return product(RGB_FROM_XYZ, xyz).map(toSrgb);
}

/** @param {string} hex @returns {number[]} lab */
export function hexToLab(hex) {
    return rgbToLab(hexToRgb(hex));
}

/** @param {number[]} rgb @returns {boolean} */
export function inGamut(rgb) {
    return rgb.every((value) => value >= -SLACK && value <= 1 + SLACK);
}

/**
 * The colour with the lightness L and as much of the chroma (a, b), at its hue, as sRGB has room for there: what a
 * hint looks like at a place of this lightness.
 * @param {number} L
 * @param {number[]} ab
 * @returns {string} hex
 */
export function hexAtLightness(L, [a, b]) {
    let fitting = labToRgb([L, a, b]);
    if (!inGamut(fitting)) {
        let [low, high] = [0, 1];
        for (let i = 0; i < BISECTIONS; i++) {
            const share = (low + high) / 2;
            if (inGamut(labToRgb([L, share * a, share * b]))) low = share;
            else high = share;
        }
        fitting = labToRgb([L, low * a, low * b]);
    }
    return rgbToHex(fitting);
}

/**
 * The a and b that a hint's colour stands for.
 * @param {string | number[]} color hex, or [a, b]
 * @returns {number[]} [a, b]
 */
export function colorAb(color) {
    return typeof color === "string" ? hexToLab(color).slice(1) : [...color];
}

/** @type {[number, string][]} up to so many degrees */
const HUES = [
    [18, "pink"],
    [52, "red"],
    [82, "orange"],
    [108, "yellow"],
    [170, "green"],
    [215, "teal"],
    [312, "blue"],
    [342, "violet"],
    [360, "pink"],
]; // up to so many degrees of the ab plane

/**
 * A few words for a colour, for those who do not see it: "dark dull green".
 * @param {string} hex
 * @returns {string}
 */
export function describeColor(hex) {
    const [L, a, b] = hexToLab(hex);
    const chroma = Math.hypot(a, b);
    const depth = L < 20 ? "very dark" : L < 42 ? "dark" : L < 68 ? "" : L < 88 ? "light" : "very light";
    if (chroma < 4) return L < 4 ? "black" : L > 97 ? "white" : `${depth} gray`.trim();
    const degrees = ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
    const isBrown = L < 58 && chroma < 62 && degrees > 45 && degrees < 92;
    const hue = isBrown ? "brown" : HUES.find(([end]) => degrees <= end)[1];
    const vividness = chroma < 16 ? "grayish" : chroma > 55 ? "vivid" : "";
    return [depth, vividness, hue].filter(Boolean).join(" ");
}

function toLinear(value) {
    return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
}

function toSrgb(value) {
    return value > 0.0031308 ? 1.055 * value ** (1 / 2.4) - 0.055 : 12.92 * value;
}

function response(value) {
    return value > DARK ** 3 ? Math.cbrt(value) : value / (3 * DARK ** 2) + 4 / 29;
}

function light(value) {
    return value > DARK ? value ** 3 : 3 * DARK ** 2 * (value - 4 / 29);
}

/** @param {number[][]} matrix @param {number[]} vector @returns {number[]} */
function product(matrix, [x, y, z]) {
    return matrix.map((row) => row[0] * x + row[1] * y + row[2] * z);
}

/** @param {number[][]} matrix 3 x 3 @returns {number[][]} */
export function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
    const cofactors = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ];
    const determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0];
    return cofactors.map((row) => row.map((value) => value / determinant));
}
