/** A colour photograph to take colours from: its palette, and a picture of it. */

import { rgbToHex } from "../color.js";
import { decoded, Mistake } from "./decoded.js";

const COLORS = 16; // hybridvit/inference/palette.py
const [SIZE, LONGEST] = [256, 1024]; // px: what colours are counted in, and what is shown
const ROUNDS = 8;

/** @param {Blob} file @returns {Promise<{id: string, palette: {color: string, weight: number}[], blob: Blob}>} */
export async function referenceOf(file) {
    const { width, height, channels } = await decoded(file, "the reference");
    if (channels === 1) throw new Mistake(415, "the reference: a gray picture has no colours to take");
    const bitmap = await createImageBitmap(file);
    const shrunk = (longest) => {
        const scale = Math.min(1, longest / Math.max(width, height));
        const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
        const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb" });
        context.imageSmoothingQuality = "high";
        context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        return { canvas, context };
    };
    const { canvas, context } = shrunk(SIZE);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const blob = await shrunk(LONGEST).canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
    bitmap.close();
    const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { id, palette: paletteOf(data), blob };
}

/**
 * Up to COLORS colours, the most frequent first: median cut (Heckbert 1982), then k-means.
 * @param {Uint8ClampedArray} rgba
 */
export function paletteOf(rgba) {
    const pixels = Array.from({ length: rgba.length / 4 }, (_, i) => [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]]);
    const boxes = [pixels];
    while (boxes.length < COLORS) {
        const widest = boxes.map(spread).reduce((best, one, i) => (one.size > best.size ? { ...one, i } : best), { size: 0, axis: 0, i: -1 });
        if (widest.i < 0) break; // each box is of one colour
        const sorted = boxes[widest.i].toSorted((one, other) => one[widest.axis] - other[widest.axis]);
        const middle = sorted.length >> 1;
        let cut = middle; // equal colours stay together
        while (cut < sorted.length && sorted[cut][widest.axis] === sorted[middle - 1][widest.axis]) cut++;
        if (cut === sorted.length) cut = sorted.findIndex((pixel) => pixel[widest.axis] === sorted[middle][widest.axis]);
        boxes.splice(widest.i, 1, sorted.slice(0, cut), sorted.slice(cut));
    }
    let centers = boxes.map(mean);
    let groups = boxes;
    for (let round = 0; round < ROUNDS; round++) {
        groups = centers.map(() => []);
        for (const pixel of pixels) groups[nearest(centers, pixel)].push(pixel);
        groups = groups.filter(({ length }) => length);
        centers = groups.map(mean);
    }
    return groups
        .map((group, i) => ({ color: rgbToHex(centers[i].map((value) => value / 255)), weight: group.length / pixels.length }))
        .sort((one, other) => other.weight - one.weight);
}

function spread(pixels) {
    const sizes = [0, 1, 2].map((axis) => {
        let [least, most] = [255, 0];
        for (const pixel of pixels) [least, most] = [Math.min(least, pixel[axis]), Math.max(most, pixel[axis])];
        return most - least;
    });
    const axis = sizes.indexOf(Math.max(...sizes));
    return { axis, size: sizes[axis] };
}

const mean = (pixels) => [0, 1, 2].map((axis) => pixels.reduce((sum, pixel) => sum + pixel[axis], 0) / pixels.length);

/** @param {number[][]} centers @param {number[]} color */
function nearest(centers, [r, g, b]) {
    let [best, least] = [0, Infinity];
    centers.forEach(([cr, cg, cb], i) => {
        const far = (r - cr) ** 2 + (g - cg) ** 2 + (b - cb) ** 2;
        if (far < least) [best, least] = [i, far];
    });
    return best;
}
