/** Drawing tiles on a canvas. What is missing is filled from coarser tiles, and from older pictures. */

import { boxOf, within } from "./pyramid.js";

const NEAREST_ABOVE = 2; // device pixels for a pixel of the photograph: then its pixels are what one wants to see

/**
 * @param {CanvasRenderingContext2D} context
 * @param {object} scene
 * @param {object} scene.photo the photograph: its id and pyramid
 * @param {import("./pyramid.js").Tile[]} scene.tiles to fill
 * @param {string[]} scene.pictures what to show there: the first that has a tile, or a coarser one with it in
 * @param {{scale: number, x: number, y: number}} scene.place device pixels for a pixel, and of the photograph's corner
 * @param {ReturnType<typeof import("./tile_cache.js").createTileCache>} cache
 */
export function drawTiles(context, { photo, tiles, pictures, place }, cache) {
    context.imageSmoothingQuality = "high";
    for (const tile of tiles) {
        const found = find(photo, tile, pictures, cache);
        if (!found) continue;
        const { bitmap, part, coarser } = found;
        context.imageSmoothingEnabled = coarser || place.scale <= NEAREST_ABOVE;
        const box = boxOf(photo, tile);
        // whole device pixels, so that no seam shows between tiles
        const [left, right] = [box.left, box.right].map((x) => Math.round(place.x + x * place.scale));
        const [top, bottom] = [box.top, box.bottom].map((y) => Math.round(place.y + y * place.scale));
        context.drawImage(
            bitmap,
            part.left * bitmap.width,
            part.top * bitmap.height,
            (part.right - part.left) * bitmap.width,
            (part.bottom - part.top) * bitmap.height,
            left,
            top,
            right - left,
            bottom - top,
        );
    }
}

function find(photo, tile, pictures, cache) {
    for (const what of pictures) {
        for (let level = tile.level; level < photo.levels; level++) {
            const { tile: parent, part } = within(photo, tile, level);
            const bitmap = cache.get(photo.id, what, parent);
            if (bitmap) return { bitmap, part, coarser: level > tile.level };
        }
    }
    return null;
}
