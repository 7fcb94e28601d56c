/**
 * The tiles of a photograph: level 0 is the full resolution, level k is shrunk 2^k times, and every tile has `tile` px
 * a side (less at the right and bottom edge). Places here are full-resolution pixels of the photograph.
 *
 * @typedef {{width: number, height: number, levels: number, tile: number}} Pyramid
 * @typedef {{level: number, row: number, column: number}} Tile
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 */

const MOST_ENLARGED = 1.2; // of a level before the next finer one is taken

/**
 * The level to show.
 * @param {Pyramid} pyramid @param {number} scale device pixels for a pixel of the photograph
 * @returns {number}
 */
export function levelFor({ levels }, scale) {
    const level = Math.floor(Math.log2(MOST_ENLARGED / scale));
    return Math.min(Math.max(level, 0), levels - 1);
}

/**
 * The tiles of a level that show some of a box, those nearest to its middle first.
 * @param {Pyramid} pyramid @param {number} level @param {Box} box
 * @returns {Tile[]}
 */
export function tilesIn({ width, height, tile }, level, { left, top, right, bottom }) {
    const side = tile * 2 ** level;
    const first = (at) => Math.max(Math.floor(at / side), 0);
    const end = (at, size) => Math.ceil(Math.min(at, size) / side);
    const tiles = [];
    for (let row = first(top); row < end(bottom, height); row++) {
        for (let column = first(left); column < end(right, width); column++) tiles.push({ level, row, column });
    }
    const distance = ({ row, column }) =>
        Math.hypot((column + 0.5) * side - (left + right) / 2, (row + 0.5) * side - (top + bottom) / 2);
    return tiles.sort((a, b) => distance(a) - distance(b));
}

/**
 * Where a tile lies.
 * @param {Pyramid} pyramid @param {Tile} tile
 * @returns {Box}
 */
export function boxOf({ width, height, tile }, { level, row, column }) {
    const side = tile * 2 ** level;
    return {
        left: column * side,
        top: row * side,
        right: Math.min((column + 1) * side, width),
        bottom: Math.min((row + 1) * side, height),
    };
}

/**
 * The tile of a coarser level that has a tile in it, and the part of it, as shares of its sides.
 * @param {Pyramid} pyramid @param {Tile} tile @param {number} level
 * @returns {{tile: Tile, part: Box}}
 */
export function within(pyramid, tile, level) {
    const factor = 2 ** (level - tile.level);
    const parent = { level, row: Math.floor(tile.row / factor), column: Math.floor(tile.column / factor) };
    const [inner, outer] = [boxOf(pyramid, tile), boxOf(pyramid, parent)];
    const across = (x) => (x - outer.left) / (outer.right - outer.left);
    const down = (y) => (y - outer.top) / (outer.bottom - outer.top);
    const part = {
        left: across(inner.left),
        top: down(inner.top),
        right: across(inner.right),
        bottom: down(inner.bottom),
    };
    return { tile: parent, part };
}
