/** The colour of a place of a photograph, read from its tiles. */

import { rgbToHex } from "./color.js";
import { levelFor } from "./pyramid.js";

/**
 * @param {import("./api.js").Api} api
 * @param {object} photo with its pyramid
 * @param {string} picture "original" or a revision
 * @param {{x: number, y: number}} place in the photograph
 * @param {number} scale of the screen: from the level seen there, whose pixels are means, so that grain does not count
 * @returns {Promise<string>} hex
 */
export async function sampleColor(api, photo, picture, { x, y }, scale) {
    const level = levelFor(photo, scale);
    const [column, row] = [x, y].map((at) => Math.floor(at / (photo.tile * 2 ** level)));
    const tile = await api.tile(photo.id, picture, { level, row, column });
    const bitmap = await createImageBitmap(tile, { colorSpaceConversion: "none" });
    const inTile = (at, index, size) => Math.min(Math.floor(at / 2 ** level - index * photo.tile), size - 1);
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, -inTile(x, column, bitmap.width), -inTile(y, row, bitmap.height));
    bitmap.close();
    return rgbToHex([...context.getImageData(0, 0, 1, 1).data.slice(0, 3)].map((value) => value / 255));
}
