/** Planes of numbers, row by row: {data, height, width}; resampled as Pillow does, averaged as SciPy does. */

/** @typedef {{data: Float32Array, height: number, width: number}} Plane */

/** Whole numbers nearest to x, halves to the even one, as Python rounds. */
export function rounded(x) {
    const floor = Math.floor(x);
    const rest = x - floor;
    return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

/** `count` whole numbers from 0 to `most`, evenly spread, cut off or rounded. */
export const spreadEvenly = (most, count, whole = Math.trunc) =>
    Array.from({ length: count }, (_, i) => whole(count === 1 ? 0 : (i * most) / (count - 1)));

const FILTERS = {
    box: { support: 0.5, of: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
    bilinear: { support: 1, of: (x) => Math.max(0, 1 - Math.abs(x)) },
};

/**
 * @param {Plane} plane @param {number} height @param {number} width @param {"box" | "bilinear"} how
 * @returns {Plane}
 */
export function resized(plane, height, width, how) {
    if (plane.height === height && plane.width === width) return plane;
    const across = weightsOf(plane.width, width, FILTERS[how]);
    const down = weightsOf(plane.height, height, FILTERS[how]);
    const middle = new Float32Array(plane.height * width);
    for (let row = 0; row < plane.height; row++) {
        for (let x = 0; x < width; x++) {
            const { first, weights } = across[x];
            let sum = 0;
            for (let i = 0; i < weights.length; i++) sum += weights[i] * plane.data[row * plane.width + first + i];
            middle[row * width + x] = sum;
        }
    }
    const data = new Float32Array(height * width);
    for (let y = 0; y < height; y++) {
        const { first, weights } = down[y];
        for (let x = 0; x < width; x++) {
            let sum = 0;
            for (let i = 0; i < weights.length; i++) sum += weights[i] * middle[(first + i) * width + x];
            data[y * width + x] = sum;
        }
    }
    return { data, height, width };
}

function weightsOf(size, count, { support, of }) {
    const scale = size / count;
    const wide = Math.max(scale, 1);
    return Array.from({ length: count }, (_, i) => {
        const center = (i + 0.5) * scale;
        const first = Math.max(0, Math.trunc(center - support * wide + 0.5));
        const last = Math.min(size, Math.trunc(center + support * wide + 0.5));
        const raw = Array.from({ length: last - first }, (_, k) => of((k + first - center + 0.5) / wide));
        const sum = raw.reduce((a, b) => a + b, 0);
        return { first, weights: raw.map((weight) => weight / sum) };
    });
}

/** Means over squares of `size` px, odd; beyond the border the plane is mirrored. @param {Plane} plane @returns {Plane} */
export function uniform({ data, height, width }, size) {
    const half = size >> 1;
    const across = new Float32Array(data.length);
    const places = mirrored(width, half);
    const line = new Float64Array(places.length + 1);
    for (let start = 0; start < data.length; start += width) {
        for (let i = 0; i < places.length; i++) line[i] = data[start + places[i]];
        let sum = 0;
        for (let i = 0; i < size; i++) sum += line[i];
        for (let i = 0; i < width; i++) {
            across[start + i] = sum / size;
            sum += line[i + size] - line[i];
        }
    }
    const rows = mirrored(height, half).map((row) => row * width);
    const sums = new Float64Array(width); // of `size` rows
    for (let i = 0; i < size - 1; i++) for (let x = 0; x < width; x++) sums[x] += across[rows[i] + x];
    const out = new Float32Array(data.length);
    for (let y = 0, to = 0; y < height; y++) {
        const [first, last] = [rows[y], rows[y + size - 1]];
        for (let x = 0; x < width; x++, to++) {
            sums[x] += across[last + x];
            out[to] = sums[x] / size;
            sums[x] -= across[first + x];
        }
    }
    return { data: out, height, width };
}

/** The places of 0..length and of `half` more at both ends, mirrored. */
function mirrored(length, half) {
    const period = 2 * length;
    return Int32Array.from({ length: length + 2 * half }, (_, i) => {
        const place = (((i - half) % period) + period) % period;
        return place < length ? place : period - 1 - place;
    });
}

/** Where a mask is not 0. @param {Uint8Array} mask @returns {Int32Array} */
export function placesOf(mask) {
    const places = [];
    for (let i = mask.indexOf(1); i >= 0; i = mask.indexOf(1, i + 1)) places.push(i);
    return Int32Array.from(places);
}

/** From 0 to 1 without corners. */
export function smooth(x) {
    const clipped = Math.min(Math.max(x, 0), 1);
    return clipped * clipped * (3 - 2 * clipped);
}

/** Solves a x = b for x, where b has several columns; `a` and `b` are changed. @param {Float64Array[]} a @param {Float64Array[]} b */
export function solved(a, b) {
    const n = a.length;
    for (let column = 0; column < n; column++) {
        let pivot = column;
        for (let row = column + 1; row < n; row++) if (Math.abs(a[row][column]) > Math.abs(a[pivot][column])) pivot = row;
        [a[column], a[pivot], b[column], b[pivot]] = [a[pivot], a[column], b[pivot], b[column]];
        for (let row = column + 1; row < n; row++) {
            const factor = a[row][column] / a[column][column];
            if (!factor) continue;
            for (let k = column; k < n; k++) a[row][k] -= factor * a[column][k];
            for (let k = 0; k < b[row].length; k++) b[row][k] -= factor * b[column][k];
        }
    }
    for (let row = n - 1; row >= 0; row--) {
        for (let k = 0; k < b[row].length; k++) {
            let sum = b[row][k];
            for (let column = row + 1; column < n; column++) sum -= a[row][column] * b[column][k];
            b[row][k] = sum / a[row][row];
        }
    }
    return b;
}
