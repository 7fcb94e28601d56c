/**
 * Hints as pixels, at full resolution and at the model's view, as hybridvit/hints/raster.py: each in a box of its own.
 * A box is {top, left, height, width, mask}, the mask 1 where the hint is.
 */

import { colorAb } from "./light.js";
import { rounded } from "./planes.js";

const POINT_SHARE = 1 / 128;

/** The hint's pixels in a window of the picture; a box without rows or columns where there are none. */
export function covered(hint, height, width, window = { top: 0, left: 0, height, width }) {
    if (hint.type === "point") {
        const side = Math.max(1, rounded(POINT_SHARE * Math.min(height, width)));
        const [top, left] = [hint.y, hint.x].map((centre) => Math.floor(centre - side / 2 + 0.5));
        const box = clipped(top, left, top + side, left + side, window);
        return { ...box, mask: new Uint8Array(box.height * box.width).fill(1) };
    }
    if (hint.mask) return ofMask(hint.mask, window);
    const path = hint.points ?? hint.polygon;
    const radius = hint.type === "stroke" ? Math.max(hint.width, 1) / 2 : 0;
    const ends = [0, 1].map((axis) => [Math.min(...path.map((xy) => xy[axis])), Math.max(...path.map((xy) => xy[axis]))]);
    const [[left, right], [top, bottom]] = ends.map(([first, last]) => [Math.floor(first - radius), Math.floor(last + radius) + 1]);
    const box = { ...clipped(top, left, bottom, right, window), mask: null };
    box.mask = new Uint8Array(box.height * box.width);
    const within = path.map(([x, y]) => [x - box.left, y - box.top]);
    if (hint.type === "stroke") fillStroke(box, within, radius);
    else fillPolygon(box, within);
    for (const [x, y] of path) {
        const [row, column] = [Math.floor(y) - box.top, Math.floor(x) - box.left];
        if (row >= 0 && row < box.height && column >= 0 && column < box.width) box.mask[row * box.width + column] = 1;
    }
    return box;
}

function ofMask({ left, top, width, height, runs }, window) {
    const box = clipped(top, left, top + height, left + width, window);
    const mask = new Uint8Array(box.height * box.width);
    let at = 0;
    runs.forEach((run, i) => {
        for (let end = at + run; at < end; at++) {
            if (i % 2 === 0) continue;
            const [row, column] = [Math.floor(at / width) + top - box.top, (at % width) + left - box.left];
            if (row >= 0 && row < box.height && column >= 0 && column < box.width) mask[row * box.width + column] = 1;
        }
        if (i % 2 === 0) return;
    });
    return { ...box, mask };
}

function clipped(top, left, bottom, right, window) {
    const [first, begin] = [Math.max(top, window.top), Math.max(left, window.left)];
    return {
        top: first,
        left: begin,
        height: Math.max(first, Math.min(bottom, window.top + window.height)) - first,
        width: Math.max(begin, Math.min(right, window.left + window.width)) - begin,
    };
}

function fillSpan({ mask, width }, row, start, stop) {
    const first = Math.min(Math.max(Math.ceil(start - 0.5), 0), width);
    const last = Math.min(Math.max(Math.ceil(stop - 0.5), 0), width);
    if (last > first) mask.fill(1, row * width + first, row * width + last);
}

function fillStroke(box, path, radius) {
    for (const [x, y] of path) {
        const last = Math.min(box.height, Math.floor(y + radius - 0.5) + 1);
        for (let row = Math.max(0, Math.ceil(y - radius - 0.5)); row < last; row++) {
            const half = Math.sqrt(Math.max(radius ** 2 - (row + 0.5 - y) ** 2, 0));
            fillSpan(box, row, x - half, x + half);
        }
    }
    for (let i = 1; i < path.length; i++) {
        const [[x0, y0], [x1, y1]] = [path[i - 1], path[i]];
        const length = Math.hypot(x1 - x0, y1 - y0);
        if (!length) continue;
        const [dx, dy] = [((y1 - y0) * radius) / length, (-(x1 - x0) * radius) / length];
        fillPolygon(box, [[x0 + dx, y0 + dy], [x1 + dx, y1 + dy], [x1 - dx, y1 - dy], [x0 - dx, y0 - dy]]);
    }
}

/** Adds the pixels whose middles are in the polygon, by the even-odd rule. */
function fillPolygon(box, corners) {
    const crossings = Array.from({ length: box.height }, () => []);
    corners.forEach((corner, i) => {
        const next = corners[(i + 1) % corners.length];
        const [upper, lower] = corner[1] <= next[1] ? [corner, next] : [next, corner];
        const clip = (value) => Math.min(Math.max(Math.ceil(value - 0.5), 0), box.height);
        for (let row = clip(upper[1]); row < clip(lower[1]); row++) {
            const way = (row + 0.5 - upper[1]) / (lower[1] - upper[1]);
            crossings[row].push(upper[0] + way * (lower[0] - upper[0]));
        }
    });
    crossings.forEach((line, row) => {
        line.sort((one, other) => one - other);
        for (let i = 0; i + 1 < line.length; i += 2) fillSpan(box, row, line[i], line[i + 1]);
    });
}

/**
 * What the model is given of hints at a view that spans the window: their ab, and where they are.
 * @returns {{ab: Float32Array, mask: Uint8Array, height: number, width: number}}
 */
export function atView(hints, height, width, view, window) {
    const cells = view.height * view.width;
    const taken = hints.length > 1 ? new Uint8Array(window.height * window.width) : null;
    const [a, b, count, known] = [new Float64Array(cells), new Float64Array(cells), new Float64Array(cells), new Uint8Array(cells)];
    for (const hint of hints.toReversed()) {
        const box = covered(hint, height, width, window);
        if (!box.height || !box.width) continue;
        const [top, left] = [box.top - window.top, box.left - window.left];
        if (taken) take(box, taken, top, left, window.width);
        const rows = pooling(top, box.height, window.height, view.height);
        const columns = pooling(left, box.width, window.width, view.width);
        const [hintA, hintB] = colorAb(hint.color);
        const sums = new Float64Array(rows.length * columns.length);
        let most = 0;
        rows.forEach((row, i) => {
            columns.forEach((column, j) => {
                let sum = 0;
                for (let y = row.begin; y < row.end; y++) {
                    for (let x = column.begin; x < column.end; x++) sum += box.mask[y * box.width + x];
                }
                sums[i * columns.length + j] = sum;
                most = Math.max(most, sum / (row.size * column.size));
            });
        });
        rows.forEach((row, i) => {
            columns.forEach((column, j) => {
                const sum = sums[i * columns.length + j];
                if (!sum) return;
                const cell = row.cell * view.width + column.cell;
                a[cell] += sum * hintA;
                b[cell] += sum * hintB;
                count[cell] += sum;
                if (sum / (row.size * column.size) >= Math.min(0.5, most / 2)) known[cell] = 1;
            });
        });
    }
    const ab = new Float32Array(2 * cells);
    for (let cell = 0; cell < cells; cell++) {
        if (!known[cell]) continue;
        ab[2 * cell] = a[cell] / count[cell];
        ab[2 * cell + 1] = b[cell] / count[cell];
    }
    return { ab, mask: known, ...view };
}

/** Later hints have their pixels first. */
function take(box, taken, top, left, width) {
    for (let y = 0; y < box.height; y++) {
        for (let x = 0; x < box.width; x++) {
            const place = (top + y) * width + left + x;
            if (taken[place]) box.mask[y * box.width + x] = 0;
            else taken[place] = box.mask[y * box.width + x];
        }
    }
}

/** The cells that an extent of pixels lies in: of each the pixels of the extent in it, and how many it has. */
function pooling(start, length, size, cells) {
    const found = [];
    if (cells > size) {
        for (let cell = 0; cell < cells; cell++) {
            const source = Math.trunc(((cell + 0.5) * size) / cells);
            if (source >= start && source < start + length) found.push({ cell, begin: source - start, end: source - start + 1, size: 1 });
        }
        return found;
    }
    const edge = (cell) => Math.floor((cell * size) / cells + 0.5);
    for (let cell = 0; cell < cells; cell++) {
        const [first, last] = [edge(cell), edge(cell + 1)];
        if (last <= start || first >= start + length) continue;
        found.push({ cell, begin: Math.max(first - start, 0), end: Math.min(last - start, length), size: last - first });
    }
    return found;
}

/** The pixels of each hint of a recipe in a window, in order; in protected areas those that were protected, alone. */
export function* ofRecipe(recipe, height, width, window) {
    if (!recipe.protected?.length) {
        yield* ofHints(recipe.hints, height, width, window);
        return;
    }
    const taken = new Uint8Array(window.height * window.width);
    const cut = function* (hints, isIn) {
        for (const box of ofHints(hints, height, width, window)) {
            forEach(box, window, (i, place) => (box.mask[i] &= isIn(place)));
            yield box;
        }
    };
    for (const one of recipe.protected) {
        const area = new Uint8Array(taken.length);
        const box = covered({ type: "region", ...areaOf(one) }, height, width, window);
        forEach(box, window, (i, place) => (area[place] = box.mask[i] & (taken[place] ^ 1)));
        area.forEach((value, place) => (taken[place] |= value));
        yield* cut(one.hints, (place) => area[place]);
    }
    yield* cut(recipe.hints, (place) => taken[place] ^ 1);
}

export const areaOf = ({ polygon, mask }) => (mask ? { mask } : { polygon });

function forEach(box, window, act) {
    for (let y = 0, i = 0; y < box.height; y++) {
        let place = (box.top - window.top + y) * window.width + box.left - window.left;
        for (let x = 0; x < box.width; x++, i++, place++) act(i, place);
    }
}

/** Each hint of full strength, less what weaker, later ones take of it. */
function* ofHints(hints, height, width, window) {
    for (const [index, hint] of hints.entries()) {
        if ((hint.strength ?? 1) < 1) continue;
        const box = covered(hint, height, width, window);
        if (!box.height || !box.width) continue;
        for (const other of hints.slice(index + 1)) {
            if ((other.strength ?? 1) === 1) continue;
            const cut = covered(other, height, width, window);
            for (let y = 0; y < cut.height; y++) {
                for (let x = 0; x < cut.width; x++) {
                    const [row, column] = [cut.top + y - box.top, cut.left + x - box.left];
                    const inside = row >= 0 && row < box.height && column >= 0 && column < box.width;
                    if (inside && cut.mask[y * cut.width + x]) box.mask[row * box.width + column] = 0;
                }
            }
        }
        yield { ...box, ab: colorAb(hint.color) };
    }
}
