/** How far a hint reaches, as hybridvit/inference/reach.py: its thing on a grid, and the soft edge of what was drawn. */

import { BINS, CENTRES, chosenCells, probabilities } from "./bins.js";
import { resized, smooth, uniform } from "./planes.js";

const GRID = 64;
export const THING = 1.5; // the distance to which reach 0.5 goes
const [WAY, STEP, FLAT, LIGHTNESS, UNLIKE, SOFT] = [4.1, 0.95 / 20, 1.5, 0.1 / 20, 2.3, 0.35];
const [EDGE, EDGE_LIGHTNESS] = [1 / 100, 8];
const KNOWN = 12;
const [GUIDE, GUIDE_NOISE] = [1 / 64, 4];
const NEIGHBOURS = [[0, 1, 1], [1, 0, 1], [1, 1, Math.SQRT2], [1, -1, Math.SQRT2], [0, -1, 1], [-1, 0, 1], [-1, -1, Math.SQRT2], [-1, 1, Math.SQRT2]];

/** What distances are measured on: the grid's L, and the roots of the model's distributions. */
export function terrain(L, logits) {
    const share = Math.min(1, GRID / Math.min(L.height, L.width));
    const [rows, columns] = [L.height, L.width].map((n) => Math.max(1, evenRound(n * share)));
    const seen = resized(L, rows, columns, "box");
    const { data } = probabilities(logits);
    return { L: seen, roots: { data: Float32Array.from(data, Math.sqrt), rows: logits.rows, columns: logits.columns } };
}

const evenRound = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** Cells of a coarser grid over the view that hold some of the own pixels. */
function cellsOf(own, rows, columns) {
    const cells = new Uint8Array(rows * columns);
    for (const i of own.places) {
        const [y, x] = [Math.floor(i / own.width), i % own.width];
        cells[Math.floor((y * rows) / own.height) * columns + Math.floor((x * columns) / own.width)] = 1;
    }
    return cells;
}

/** From a hint's own pixels to each cell of the grid; infinite beyond all reach. @returns {Float32Array} */
export function distances({ L, roots }, own) {
    const { height: rows, width: columns, data: light } = L;
    const cells = cellsOf(own, rows, columns);
    const far = shortest(L, cells, 2 * (1 + SOFT) * THING);
    const places = cellsOf(own, roots.rows, roots.columns);
    const typical = new Float64Array(BINS);
    let count = 0;
    places.forEach((is, place) => {
        if (!is) return;
        count++;
        for (let i = 0; i < BINS; i++) typical[i] += roots.data[place * BINS + i];
    });
    let length = 0;
    for (let i = 0; i < BINS; i++) length += (typical[i] /= count) ** 2;
    length = Math.max(Math.sqrt(length), 1e-6);
    const alike = new Float32Array(places.length);
    for (let place = 0; place < places.length; place++) {
        let sum = 0;
        for (let i = 0; i < BINS; i++) sum += roots.data[place * BINS + i] * typical[i];
        alike[place] = sum / length;
    }
    const like = resized({ data: alike, height: roots.rows, width: roots.columns }, rows, columns, "bilinear").data;
    let [sum, own_] = [0, 0];
    cells.forEach((is, i) => is && ((sum += light[i]), own_++));
    const level = sum / own_;
    return Float32Array.from(far, (value, i) => value + LIGHTNESS * Math.abs(light[i] - level) + UNLIKE * (1 - Math.min(like[i], 1)));
}

/** Dijkstra's shortest ways from some cells, up to a limit. */
function shortest({ data, height, width }, from, limit) {
    const far = new Float64Array(data.length).fill(Infinity);
    const heap = [];
    const push = (cost, cell) => {
        let i = heap.push([cost, cell]) - 1;
        for (let up; i && heap[(up = (i - 1) >> 1)][0] > cost; i = up) [heap[i], heap[up]] = [heap[up], heap[i]];
    };
    const pop = () => {
        const [top, last] = [heap[0], heap.pop()];
        if (!heap.length) return top;
        heap[0] = last;
        for (let i = 0; ; ) {
            const left = 2 * i + 1;
            if (left >= heap.length) break;
            const least = left + 1 < heap.length && heap[left + 1][0] < heap[left][0] ? left + 1 : left;
            if (heap[least][0] >= heap[i][0]) break;
            [heap[i], heap[least]] = [heap[least], heap[i]];
            i = least;
        }
        return top;
    };
    from.forEach((is, cell) => is && ((far[cell] = 0), push(0, cell)));
    const side = Math.min(height, width);
    while (heap.length) {
        const [cost, cell] = pop();
        if (cost > far[cell]) continue;
        const [y, x] = [Math.floor(cell / width), cell % width];
        for (const [dy, dx, length] of NEIGHBOURS) {
            if (y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width) continue;
            const next = cell + dy * width + dx;
            const way = cost + (length * WAY) / side + STEP * Math.max(Math.abs(data[cell] - data[next]) - FLAT, 0);
            if (way < far[next] && way <= limit) {
                far[next] = way;
                push(way, next);
            }
        }
    }
    return far;
}

/** How much of a hint of this reach there is at a distance, 0..1. */
export function within(distance, reach) {
    const end = 2 * reach * THING;
    return end === 0 ? 0 : smooth(((1 + SOFT) * end - distance) / (2 * SOFT * end));
}

function times(one, other) {
    const data = new Float32Array(one.data.length);
    for (let i = 0; i < data.length; i++) data[i] = one.data[i] * other.data[i];
    return { ...one, data };
}

const guides = new WeakMap(); // L -> its means and variances

function guideOf(L, size) {
    let guide = guides.get(L);
    if (!guide) {
        const mean = uniform(L, size).data;
        guide = { mean, variance: uniform(times(L, L), size).data.map((value, i) => value - mean[i] ** 2) };
        guides.set(L, guide);
    }
    return guide;
}

/** Planes of the grid at the view, their edges on those of the lightness. @returns {Float32Array[]} */
export function toView(planes, grid, L) {
    const size = 2 * Math.max(1, evenRound(GUIDE * Math.min(L.height, L.width))) + 1;
    const { mean, variance } = guideOf(L, size);
    const of = (data) => uniform({ ...L, data }, size).data;
    return planes.map((data) => {
        const x = resized({ data, ...grid }, L.height, L.width, "bilinear");
        const middle = of(x.data);
        const gain = of(times(L, x).data);
        const offset = new Float32Array(gain.length);
        for (let i = 0; i < gain.length; i++) {
            gain[i] = (gain[i] - mean[i] * middle[i]) / (variance[i] + GUIDE_NOISE);
            offset[i] = middle[i] - gain[i] * mean[i];
        }
        const [slope, out] = [of(gain), of(offset)];
        for (let i = 0; i < out.length; i++) out[i] += slope[i] * L.data[i];
        return out;
    });
}

/** Around the own pixels: how much of their colour there is, and the index of whose colour it is. */
export function softEdge(L, own) {
    const span = EDGE * Math.min(L.height, L.width) + 1;
    const weight = new Float32Array(own.mask.length);
    const nearest = new Int32Array(own.mask.length);
    const radius = Math.ceil(span);
    const around = [];
    for (let dx = -radius; dx <= radius; dx++) for (let dy = -radius; dy <= radius; dy++) around.push([dy * dy + dx * dx, dy, dx]);
    around.sort(([one], [other]) => one - other); // of equally near ones SciPy takes the leftmost, then the uppermost
    const seen = new Uint8Array(own.mask.length); // only what is about the own pixels is looked at
    for (let y = 0, i = 0; y < L.height; y++) {
        for (let x = 0; x < L.width; x++, i++) {
            if (!own.mask[i]) continue;
            for (let row = Math.max(0, y - radius); row <= Math.min(L.height - 1, y + radius); row++) {
                seen.fill(1, row * L.width + Math.max(0, x - radius), row * L.width + Math.min(L.width - 1, x + radius) + 1);
            }
        }
    }
    for (let y = 0, i = 0; y < L.height; y++) {
        for (let x = 0; x < L.width; x++, i++) {
            nearest[i] = i;
            if (!seen[i]) continue;
            for (const [square, dy, dx] of around) {
                if (y + dy < 0 || y + dy >= L.height || x + dx < 0 || x + dx >= L.width) continue;
                const there = i + dy * L.width + dx;
                if (!own.mask[there]) continue;
                nearest[i] = there;
                const steps = own.mask[i] ? 0 : Math.abs(L.data[i] - L.data[there]);
                weight[i] = smooth(1 - Math.sqrt(square) / span - steps / EDGE_LIGHTNESS);
                break;
            }
        }
    }
    return { weight, nearest };
}

/**
 * How likely the model holds a colour at a hint's own pixels, relative to the colour that it would give them.
 * @param {import("./bins.js").Cells} logits @param {Float32Array} mean @param {number[]} ab
 */
export function agreement(logits, mean, [a, b], own) {
    const cells = cellsOf(own, logits.rows, logits.columns);
    const chosen = [...cells.keys()].filter((cell) => cells[cell]);
    const { data } = probabilities(chosenCells(logits, chosen));
    const free = meanAt(mean, own.places);
    let [hinted, its] = [0, 0];
    CENTRES.forEach(([x, y], i) => {
        let prob = 0;
        for (let cell = 0; cell < chosen.length; cell++) prob += data[cell * BINS + i] / chosen.length;
        hinted += prob * Math.exp(-((x - a) ** 2 + (y - b) ** 2) / KNOWN ** 2 / 2);
        its += prob * Math.exp(-((x - free[0]) ** 2 + (y - free[1]) ** 2) / KNOWN ** 2 / 2);
    });
    return hinted / Math.max(its, 1e-9);
}

/** Mean a and b of some pixels. */
export function meanAt(ab, places) {
    let [a, b] = [0, 0];
    for (const i of places) {
        a += ab[2 * i];
        b += ab[2 * i + 1];
    }
    return [a / places.length, b / places.length];
}
