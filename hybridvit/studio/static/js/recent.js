/** The colours used lately, kept by the browser where it keeps anything for the page. */

import { parseHex } from "./color.js";

const KEY = "hybridvit.recent-colors";
const MOST = 12;

let colors = load();

/** @returns {string[]} hexes, the latest first */
export function recentColors() {
    return [...colors];
}

/** @param {string} color hex */
export function useColor(color) {
    colors = [color, ...colors.filter((other) => other !== color)].slice(0, MOST);
    try {
        localStorage.setItem(KEY, JSON.stringify(colors));
    } catch {
        // a browser in privacy mode keeps nothing: then they last as long as the page
    }
}

function load() {
    try {
        const kept = JSON.parse(localStorage.getItem(KEY));
        return Array.isArray(kept) ? kept.filter((color) => parseHex(`${color}`) === color).slice(0, MOST) : [];
    } catch {
        return [];
    }
}
