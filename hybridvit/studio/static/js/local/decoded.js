/**
 * A photograph's pixels from its file, by the browser: upright (EXIF), in sRGB whatever its profile, gray where it has no
 * colours. It is read from a canvas by strips, so that its pixels are in memory once as the browser has them and once
 * here.
 */

import { blocksOf } from "./containers.js";

export const MOST_BYTES = 2 ** 28; // of a file
export const MOST_PIXELS = 60_000_000;
const ROWS = 256; // that are read at a time

/** What is wrong with a request, and its status. */
export class Mistake extends Error {
    /** @param {number} status @param {string} message */
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

/**
 * @typedef {object} Pixels
 * @property {number} width @property {number} height
 * @property {1 | 3} channels
 * @property {Uint8Array} data row by row
 */

/**
 * @param {Blob} file @param {string} name of it, for people
 * @returns {Promise<Pixels & {remarks: string[]}>}
 */
export async function decoded(file, name) {
    if (file.size > MOST_BYTES) throw new Mistake(413, `${name}: it has more than ${MOST_BYTES / 2 ** 20} MB`);
    let bitmap;
    try {
        bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "default" });
    } catch {
        throw new Mistake(415, `${name}: this browser cannot read it as a picture; save it as JPEG or PNG first`);
    }
    try {
        const { width, height } = bitmap;
        if (width * height > MOST_PIXELS) {
            throw new Mistake(413, `${name}: it has ${width} x ${height} px, and at most ${MOST_PIXELS / 1e6} megapixels are taken`);
        }
        const { bits } = await blocksOf(file);
        const remarks = bits > 8 ? [`A browser reads 8 of its ${bits} bits; the desktop's hybridvit keeps them all.`] : [];
        const { isGray, isOpaque } = looked(bitmap);
        if (!isOpaque) remarks.push("Its transparency is left out.");
        const channels = isGray ? 1 : 3;
        const data = new Uint8Array(width * height * channels);
        for (const { rgba, top, rows } of strips(bitmap)) pack(rgba, data, channels, top * width, rows * width);
        return { width, height, channels, data, remarks };
    } finally {
        bitmap.close();
    }
}

/** The canvas's pixels, strip by strip. */
function* strips(bitmap) {
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(width, Math.min(ROWS, height));
    const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    context.globalCompositeOperation = "copy";
    for (let top = 0; top < height; top += ROWS) {
        const rows = Math.min(ROWS, height - top);
        context.drawImage(bitmap, 0, top, width, rows, 0, 0, width, rows);
        yield { rgba: context.getImageData(0, 0, width, rows).data, top, rows };
    }
}

function looked(bitmap) {
    let [isGray, isOpaque] = [true, true];
    for (const { rgba } of strips(bitmap)) {
        for (let i = 0; i < rgba.length; i += 4) {
            if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) isGray = false;
            if (rgba[i + 3] !== 255) isOpaque = false;
        }
        if (!isGray && !isOpaque) break;
    }
    return { isGray, isOpaque };
}

function pack(rgba, data, channels, start, count) {
    if (channels === 1) {
        for (let i = 0; i < count; i++) data[start + i] = rgba[4 * i];
        return;
    }
    for (let i = 0, to = 3 * start; i < count; i++, to += 3) {
        data[to] = rgba[4 * i];
        data[to + 1] = rgba[4 * i + 1];
        data[to + 2] = rgba[4 * i + 2];
    }
}
