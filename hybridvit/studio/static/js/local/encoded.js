/** Pictures as files: PNG by strips, whose pixels are those that were painted; JPEG by the browser. */

import { chunk } from "./containers.js";
import { Mistake } from "./decoded.js";

const JPEG_QUALITY = 1; // browsers halve the resolution of the colours below it
const PREVIEW_QUALITY = 0.92;
const UP = 2; // PNG's filter: less the pixel above

/** @typedef {Iterable<{rgba: Uint8ClampedArray<ArrayBuffer>, top: number, width: number, rows: number}>} Strips */

/**
 * @param {{width: number, height: number}} size @param {Strips} strips
 * @returns {Promise<Blob>} RGB, 8 bits, said to be sRGB
 */
export async function png({ width, height }, strips) {
    const deflate = new CompressionStream("deflate");
    const packed = new Response(deflate.readable).blob();
    const writer = deflate.writable.getWriter();
    let above = new Uint8Array(3 * width);
    for (const { rgba, rows } of strips) {
        const lines = new Uint8Array(rows * (1 + 3 * width));
        for (let row = 0, to = 0, from = 0; row < rows; row++) {
            const line = new Uint8Array(3 * width);
            lines[to++] = UP;
            for (let i = 0; i < line.length; from += 4) {
                for (let c = 0; c < 3; c++, i++) {
                    line[i] = rgba[from + c];
                    lines[to++] = line[i] - above[i];
                }
            }
            above = line;
        }
        await writer.write(lines);
    }
    await writer.close();
    const head = new Uint8Array(13);
    const view = new DataView(head.buffer);
    view.setUint32(0, width);
    view.setUint32(4, height);
    head.set([8, 2], 8); // bits, RGB
    const data = await packed;
    /** @type {BlobPart[]} */
    const parts = [Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...chunk("IHDR", [head]), ...chunk("sRGB", [Uint8Array.of(1)])];
    // In chunks, for their checksums to need no more than a part in memory
    for (let at = 0; at < data.size; at += 2 ** 20) {
        parts.push(new Blob(chunk("IDAT", [new Uint8Array(await data.slice(at, at + 2 ** 20).arrayBuffer())])));
    }
    return new Blob([...parts, ...chunk("IEND", [])], { type: "image/png" });
}

/** @param {{width: number, height: number}} size @param {Strips} strips @returns {Promise<Blob>} */
export async function jpeg({ width, height }, strips) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false, colorSpace: "srgb", willReadFrequently: true });
    if (!context) throw new Mistake(409, `this browser makes no JPEG of ${width} x ${height} px: choose PNG`);
    for (const { rgba, top, rows } of strips) context.putImageData(new ImageData(rgba, width, rows), 0, top);
    return canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
}

/**
 * A small picture in a frame's turns.
 * @param {ImageData} image @param {number} turns clockwise quarter turns @param {number} longest px
 * @returns {Promise<Blob>} a JPEG
 */
export async function preview(image, turns, longest) {
    const source = new OffscreenCanvas(image.width, image.height);
    source.getContext("2d").putImageData(image, 0, 0);
    const scale = Math.min(1, longest / Math.max(image.width, image.height));
    const [width, height] = [image.width, image.height].map((size) => Math.max(1, Math.round(size * scale)));
    const sideways = turns % 2 === 1;
    const canvas = new OffscreenCanvas(sideways ? height : width, sideways ? width : height);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.translate(canvas.width / 2, canvas.height / 2);
    context.rotate((turns * Math.PI) / 2);
    context.drawImage(source, -width / 2, -height / 2, width, height);
    return canvas.convertToBlob({ type: "image/jpeg", quality: PREVIEW_QUALITY });
}
