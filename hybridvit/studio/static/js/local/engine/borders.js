/**
 * Where a photograph lies inside its file: borders, mounts and captions around it, found as hybridvit/photo/borders.py
 * finds them. Tones are sRGB's of the gray picture, 0..255.
 */

import { rounded, spreadEvenly } from "./planes.js";

const [LONGEST, SAMPLES, SMALLEST, LAYERS, ROUNDS] = [512, 4, 16, 3, 3];
const [LEAST, MOST, MARKED, INKED] = [0.008, 0.45, 0.04, 0.35];
const TOLERANCES = [2, 5, 10, 18];
const [STRAIGHT, STRAIGHT_PAIR, EXTREME] = [0.55, 0.75, 40];
const SLOPES = Array.from({ length: 33 }, (_, i) => -0.04 + (0.08 * i) / 32).sort((one, other) => Math.abs(one) - Math.abs(other));
const [BLOCK, WORSE, BESIDE, ALIKE] = [8, 0.03, 1.5, 24];

/** @typedef {{height: number, width: number, at: (row: number, column: number) => number}} View of tones, a side above */

/**
 * @param {{width: number, height: number, channels: number, pixels: Uint8Array}} photo
 * @returns {import("../levels.js").Box | null} the photograph within its borders; null where there are none
 */
export function findInside({ width, height, channels, pixels }) {
    const tone = (row, column) => {
        const at = (row * width + column) * channels;
        return channels === 1 ? pixels[at] : 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    };
    const inside = { top: 0, left: 0, height, width };
    for (let layer = 0; layer < LAYERS; layer++) {
        const { top, left } = inside;
        const widths = borderWidths({ height: inside.height, width: inside.width, at: (row, column) => tone(top + row, left + column) });
        if (!widths.some(Boolean)) break;
        const [up, down, before, after] = widths;
        Object.assign(inside, { top: top + up, left: left + before, height: inside.height - up - down, width: inside.width - before - after });
    }
    return inside.height === height && inside.width === width ? null : inside;
}

/** Values over the rectangle `span` of a picture as values, about as dense, over another; 0 where it juts out. */
export function respanned({ data, height, width, channels }, span, other) {
    if (["top", "left", "height", "width"].every((side) => span[side] === other[side])) return { data, height, width };
    const places = (count, begin, size, start, length) => {
        const cells = Math.max(1, rounded((count * length) / size));
        return Array.from({ length: cells }, (_, i) => {
            const place = ((start + ((i + 0.5) * length) / cells - begin) * count) / size - 0.5;
            const clipped = Math.min(Math.max(place, 0), count - 1);
            const before = Math.trunc(clipped);
            return { before, after: Math.min(before + 1, count - 1), share: clipped - before, within: place >= -0.5 && place <= count - 0.5 };
        });
    };
    const rows = places(height, span.top, span.height, other.top, other.height);
    const columns = places(width, span.left, span.width, other.left, other.width);
    const out = new Float32Array(rows.length * columns.length * channels);
    let to = 0;
    for (const row of rows) {
        for (const column of columns) {
            for (let c = 0; c < channels; c++) {
                const at = (y, x) => data[(y * width + x) * channels + c];
                const along = (y) => at(y, column.before) * (1 - column.share) + at(y, column.after) * column.share;
                out[to++] = row.within && column.within ? along(row.before) * (1 - row.share) + along(row.after) * row.share : 0;
            }
        }
    }
    return { data: out, height: rows.length, width: columns.length };
}

/** With each of its sides above: the upper one, the lower, the left, the right. @param {View} view */
const turned = ({ height, width, at }) => [
    { height, width, at },
    { height, width, at: (row, column) => at(height - 1 - row, column) },
    { height: width, width: height, at: (row, column) => at(column, row) },
    { height: width, width: height, at: (row, column) => at(column, width - 1 - row) },
];

function borderWidths(view) {
    const step = Math.ceil(Math.max(view.height, view.width) / LONGEST);
    const tones = reduced(view, step);
    if (Math.min(tones.height, tones.width) < SMALLEST) return [0, 0, 0, 0];
    const { sides, along } = findSides(tones);
    const widths = turned(view).map((side, i) => {
        if (!sides[i]) return 0;
        const [first, last] = along[i >> 1];
        return step === 1 ? sides[i].rows : refined(side, sides[i], first * step, last * step, step);
    });
    const [above, below, left, right] = widths;
    return Math.min(view.height - above - below, view.width - left - right) >= SMALLEST ? widths : [0, 0, 0, 0];
}

/** Cells of `step` px, averaged over some of their pixels. */
function reduced({ height, width, at }, step) {
    const few = Math.min(step, SAMPLES);
    const places = (size) =>
        Array.from({ length: Math.ceil(size / step) }, (_, cell) =>
            Array.from({ length: few }, (_, k) => Math.min(cell * step + Math.floor((k * step) / few), size - 1)),
        );
    const [rows, columns] = [places(height), places(width)];
    const data = new Float32Array(rows.length * columns.length);
    let to = 0;
    for (const some of rows) {
        for (const others of columns) {
            let sum = 0;
            for (const row of some) for (const column of others) sum += at(row, column);
            data[to++] = sum / few ** 2;
        }
    }
    return { height: rows.length, width: columns.length, at: (row, column) => data[row * columns.length + column] };
}

function findSides(tones) {
    const views = turned(tones);
    let extent = views.map(blankRows);
    let sides = [];
    let along = [];
    for (let round = 0; round < ROUNDS; round++) {
        along = [[extent[2], tones.width - extent[3]], [extent[0], tones.height - extent[1]]];
        sides = views.map((view, i) => findSide(view, ...along[i >> 1]));
        extent = extent.map((rows, i) => sides[i]?.rows ?? rows);
    }
    const none = { sides: [null, null, null, null], along };
    let found = sides.filter(Boolean);
    if (!found.length) return none;
    const tone = median(found.map((side) => side.tone));
    sides = sides.map((side) => (side && Math.abs(side.tone - tone) <= ALIKE ? side : null));
    found = sides.filter(Boolean);
    const isSure = (side) => side.straight >= STRAIGHT_PAIR && Math.min(side.tone, 255 - side.tone) <= EXTREME;
    if (found.length < 2 || (found.length === 2 && !found.every(isSure))) return none;
    if (found.length === 3) {
        const missing = sides.indexOf(null);
        sides[missing] = likeTheOthers(views[missing], found);
    }
    return { sides, along };
}

function median(values) {
    const sorted = [...values].sort((one, other) => one - other);
    return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Rows of the upper side's tone before the first that is not. */
function blankRows(view) {
    const { tone } = toneOf(view);
    for (let row = 0; row < view.height; row++) if (differing(view, row, tone, TOLERANCES[1]) > MARKED) return row;
    return 0;
}

/** The share of a row that differs. */
function differing({ width, at }, row, tone, tolerance) {
    let count = 0;
    for (let column = 0; column < width; column++) if (Math.abs(at(row, column) - tone) > tolerance) count++;
    return count / width;
}

function toneOf({ height, width, at }) {
    const rows = Math.max(2, rounded(LEAST * height));
    const strip = [];
    for (let row = 0; row < Math.min(rows, height); row++) for (let column = 0; column < width; column++) strip.push(at(row, column));
    const tone = median(strip);
    return { tone, noise: 1.4826 * median(strip.map((value) => Math.abs(value - tone))) };
}

function findSide(view, first, last) {
    const { tone, noise } = toneOf(view);
    const width = last - first;
    const away = new Float32Array(view.height * Math.max(width, 0));
    for (let row = 0, i = 0; row < view.height; row++) for (let column = first; column < last; column++) away[i++] = Math.abs(view.at(row, column) - tone);
    let best = null;
    for (const tolerance of TOLERANCES) {
        if (tolerance < 2.5 * noise || width < SMALLEST) continue;
        const side = findEdge(Uint8Array.from(away, (value) => (value > tolerance ? 1 : 0)), view.height, width, tone, tolerance);
        if (side && (!best || (side.rows - best.rows <= BLOCK && side.straight >= best.straight - WORSE))) best = side;
    }
    return best;
}

function findEdge(differs, size, width, tone, tolerance) {
    const counts = Array.from({ length: size }, (_, row) => {
        let count = 0;
        for (let column = 0; column < width; column++) count += differs[row * width + column];
        return count;
    });
    const blank = counts.map((count) => count / width <= MARKED);
    for (let start = size - 1; start >= 2; start--) {
        if (blank[start] || !blank[start - 1] || !blank[start - 2] || start < LEAST * size || start > MOST * size) continue;
        let inked = 0;
        for (let row = 0; row < start; row++) inked += counts[row];
        if (inked / (start * width) > INKED) continue;
        const [rows, straight] = edgeOf(differs.subarray((start - 2) * width), size - start + 2, width);
        if (straight >= STRAIGHT) return { rows: start - 2 + rows, straight, tone, tolerance };
    }
    return null;
}

/** The first row of the line on which most columns begin to differ, and the share of them that do. */
function edgeOf(differs, height, width) {
    const reach = Math.min(height, 3 + rounded(0.04 * width));
    const begins = Array.from({ length: width }, (_, column) => {
        for (let row = 0; row < reach; row++) if (differs[row * width + column]) return row;
        return Infinity;
    });
    let best = [0, 0];
    for (const slope of SLOPES) {
        const offset = begins.map((begin, column) => begin - slope * column).sort((one, other) => one - other);
        let [most, at] = [0, 0];
        for (let i = 0, end = 0; i < width && Number.isFinite(offset[i]); i++) {
            while (end < width && offset[end] <= offset[i] + 2 * BESIDE) end++;
            if (end - i > most) [most, at] = [end - i, i];
        }
        const share = most / width;
        if (share > best[1] + 0.02) {
            const middle = median(offset.slice(at, at + most));
            best = [Math.max(0, rounded(middle + Math.min(0, slope * width))), share];
        }
    }
    return best;
}

function likeTheOthers(view, found) {
    const tone = found.reduce((sum, side) => sum + side.tone, 0) / found.length;
    const tolerance = Math.max(...found.map((side) => side.tolerance));
    let first = 0;
    while (first < view.height && differing(view, first, tone, tolerance) <= MARKED) first++;
    const rows = Math.min(first === view.height ? 0 : first, Math.max(...found.map((side) => side.rows)));
    return rows >= Math.max(2, LEAST * view.height) ? { rows, straight: 0, tone, tolerance } : null;
}

/** The border's rows at full size: to the first of those around the edge where much of it differs. */
function refined(view, side, first, last, step) {
    const [begin, end] = [Math.max(0, (side.rows - 2) * step), Math.min(view.height, (side.rows + 2) * step)];
    const columns = spreadEvenly(Math.min(last, view.width) - 1 - first, LONGEST).map((column) => first + column);
    const shares = Array.from({ length: end - begin }, (_, i) => columns.filter((column) => Math.abs(view.at(begin + i, column) - side.tone) > side.tolerance).length);
    const most = Math.max(...shares);
    return begin + shares.findIndex((share) => share >= 0.3 * most);
}
