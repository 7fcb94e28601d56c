/**
 * How unsure the model is, as hybridvit/colorize/heat_map.py draws it: from 0, dark blue, by magenta and salmon to 1, pale
 * yellow, in steps that are equal to the eye.
 */

const CELL = 8; // px of the heat map that a cell becomes, along the shorter side
/** Every 15th of the 256 colours of heat_map.py; between them there is hardly a bend. */
const COLORS =
    "04184727184c4117525e17577b195d972262ae3167c2436cd25671df6a78ea8180f2978af6ad95f7c0a1f6d0adf4ddb8f0e9c2ebf5ce".match(/.{6}/g).map((hex) => [0, 2, 4].map((start) => parseInt(hex.slice(start, start + 2), 16)));

/**
 * @param {{doubt: Float32Array, width: number, height: number}} map probabilities, 0..1
 * @param {{width: number, height: number}} picture that it spans
 * @returns {ImageData}
 */
export function heatMap({ doubt, width, height }, picture) {
    const scale = (CELL * Math.min(width, height)) / Math.min(picture.width, picture.height);
    const image = new ImageData(Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale)));
    const columns = between(image.width, width);
    const rows = between(image.height, height);
    let to = 0;
    for (const [above, below, down] of rows) {
        for (const [left, right, across] of columns) {
            const at = (row) => doubt[row * width + left] * (1 - across) + doubt[row * width + right] * across;
            const level = Math.min(Math.max(at(above) * (1 - down) + at(below) * down, 0), 1) * (COLORS.length - 1);
            const first = Math.min(Math.floor(level), COLORS.length - 2);
            for (let c = 0; c < 3; c++) {
                image.data[to++] = COLORS[first][c] + (level - first) * (COLORS[first + 1][c] - COLORS[first][c]);
            }
            image.data[to++] = 255;
        }
    }
    return image;
}

/** For each of `size` pixels over `cells`: the two cells about its middle, and how near it is to the second. */
function between(size, cells) {
    return Array.from({ length: size }, (_, i) => {
        const place = Math.min(Math.max(((i + 0.5) * cells) / size - 0.5, 0), cells - 1);
        const first = Math.floor(place);
        return [first, Math.min(first + 1, cells - 1), place - first];
    });
}
