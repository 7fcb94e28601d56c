/**
 * A photograph at every scale of a zoom, as hybridvit/studio/pyramid.py has it: level k is shrunk 2^k times by means, and
 * cut into square tiles.
 */

export const TILE = 512; // px

/** @typedef {{top: number, left: number, height: number, width: number}} Box px of a level */

/** How many levels there are. @param {number} width @param {number} height */
export const levelCount = (width, height) => 1 + Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / TILE)));

/**
 * A tile's place at its level.
 * @param {{width: number, height: number}} size of the level @param {number} row @param {number} column
 * @returns {Box | null} null where there is none
 */
export function boxOf({ width, height }, row, column) {
    const [top, left] = [row * TILE, column * TILE];
    if (top >= height || left >= width) return null;
    return { top, left, height: Math.min(TILE, height - top), width: Math.min(TILE, width - left) };
}

/**
 * @param {import("./decoded.js").Pixels} pixels
 * @returns {import("./decoded.js").Pixels[]} of all levels
 */
export function levelsOf(pixels) {
    const levels = [pixels];
    while (levels.length < levelCount(pixels.width, pixels.height)) levels.push(halved(levels.at(-1)));
    return levels;
}

/** Means over squares of 2 x 2 px, and over what is left of them at the right and bottom. */
function halved({ width, height, channels, data }) {
    const small = { width: Math.ceil(width / 2), height: Math.ceil(height / 2), channels, data: null };
    const out = new Uint8Array(small.width * small.height * channels);
    for (let row = 0, to = 0; row < small.height; row++) {
        const above = 2 * row * width * channels;
        const below = 2 * row + 1 < height ? above + width * channels : above; // the row itself counts twice
        for (let column = 0; column < small.width; column++) {
            const left = 2 * column * channels;
            const right = 2 * column + 1 < width ? left + channels : left;
            for (let c = 0; c < channels; c++) {
                const sum = data[above + left + c] + data[above + right + c] + data[below + left + c] + data[below + right + c];
                out[to++] = (sum + 2) >> 2;
            }
        }
    }
    return { ...small, data: out };
}

/**
 * A rectangle of a level as a browser shows it.
 * @param {import("./decoded.js").Pixels} pixels @param {Box} box
 * @returns {ImageData}
 */
export function imageOf({ width, channels, data }, box) {
    const image = new ImageData(box.width, box.height);
    const rgba = new Uint32Array(image.data.buffer); // little-endian, as all that browsers run on
    for (let row = 0, to = 0; row < box.height; row++) {
        let from = ((box.top + row) * width + box.left) * channels;
        for (let column = 0; column < box.width; column++, from += channels) {
            rgba[to++] =
                channels === 1
                    ? 0xff000000 | (data[from] * 0x010101)
                    : 0xff000000 | (data[from + 2] << 16) | (data[from + 1] << 8) | data[from];
        }
    }
    return image;
}
