/** The model: lightness and hints at its view to the mean and the vivid chroma, and its distributions. */

import { BINS, meansOf, probabilities } from "./bins.js";
import { givenTo, startRuntime } from "./runtime.js";

const BUCKET = 64; // px: views are padded to multiples of it, as hybridvit/inference/predictor.py does
const STRIDE = 8; // px of the view, a cell of the distribution
const SCALE = 110; // ab units that one unit of the network's chroma stands for
const VIVID = { temperature: 0.6, rarity: 0.35, power: 0.65, pivot: 10, most: 2 }; // hybridvit/inference/decode.py

/**
 * @param {{base: URL, onProgress: (loaded: number, total: number) => void, onChange: (engine: object) => void}} options
 * the page's folder; bytes; told when something else has to run the model
 * @returns {Promise<Network>}
 */
export async function loadNetwork(options) {
    const response = await fetch(new URL("model.json", options.base));
    if (!response.ok) throw new Error(`model.json: the server answers ${response.status}`);
    const about = await response.json();
    return new Network(await startRuntime({ ...options, about }), about);
}

/** Of one model; runs follow one another. What is seen of a view, whatever its hints, is kept as long as the view is. */
export class Network {
    #runtime;
    #rarity;
    #seen = new WeakMap(); // L -> {luma and what the encoder sees of it, as tensors}
    #turn = Promise.resolve();
    /** @type {string} */ name;
    /** @type {string} SHA-256 of the weights */ digest;

    constructor(runtime, { name, weights, log_rarity: rarity }) {
        [this.#runtime, this.#rarity] = [runtime, rarity];
        [this.name, this.digest] = [name, weights];
    }

    /** @returns {import("./runtime.js").Engine} */
    get engine() {
        return this.#runtime.engine;
    }

    /**
     * @param {import("./planes.js").Plane} L 0..100
     * @param {{ab: Float32Array, mask: Uint8Array} | null} hints at the view, ab in CIE units
     * @returns {Promise<{mean: Float32Array, vivid: Float32Array | null, logits: import("./bins.js").Cells}>}
     */
    async predict(L, hints) {
        const run = this.#turn.then(() => this.#run(L, hints));
        this.#turn = run.catch(() => {});
        const { chroma, bins } = await run;
        const [, height, width] = chroma.dims;
        const [chromaData, binData] = [chroma.data, bins.data];
        const mean = cropped(chromaData, width, L, (value) => value * SCALE);
        const cells = { data: binData, rows: height / STRIDE, columns: width / STRIDE };
        const vivid = hints ? null : this.#vivid(mean, cells, L);
        return { mean, vivid, logits: croppedCells(cells, Math.ceil(L.height / STRIDE), Math.ceil(L.width / STRIDE)) };
    }

    async #run(L, hints) {
        const seen = await this.#see(L);
        const [, height, width] = seen.luma.dims;
        const planes = new Float32Array(3 * height * width);
        for (let i = 0; hints && i < hints.mask.length; i++) {
            if (!hints.mask[i]) continue;
            const to = 3 * (Math.floor(i / L.width) * width + (i % L.width));
            planes[to] = hints.ab[2 * i] / SCALE;
            planes[to + 1] = hints.ab[2 * i + 1] / SCALE;
            planes[to + 2] = 1;
        }
        return this.#runtime.run("decoder", { ...seen, ...givenTo({ data: planes, dims: [1, height, width, 3] }) });
    }

    async #see(L) {
        const known = this.#seen.get(L);
        if (known) return known;
        const [height, width] = [L.height, L.width].map((size) => Math.ceil(size / BUCKET) * BUCKET);
        const data = new Float32Array(height * width);
        for (let y = 0, to = 0; y < height; y++) {
            const from = Math.min(y, L.height - 1) * L.width;
            for (let x = 0; x < width; x++) data[to++] = L.data[from + Math.min(x, L.width - 1)] / 50 - 1;
        }
        const luma = { data, dims: [1, height, width, 1] };
        const seen = { luma, ...(this.#runtime.hasEncoder && (await this.#runtime.run("encoder", { luma }))) };
        this.#seen.set(L, seen);
        return seen;
    }

    #vivid(mean, cells, { height, width }) {
        const raised = Float64Array.from(cells.data, (value, i) => value + VIVID.rarity * this.#rarity[i % BINS]);
        const likely = meansOf(probabilities({ ...cells, data: raised }, VIVID.temperature));
        const plain = meansOf(probabilities(cells));
        const towards = likely.map((value, i) => value - plain[i]);
        const [rows, columns] = [between(height, cells.rows), between(width, cells.columns)];
        const out = new Float32Array(2 * height * width);
        for (let y = 0; y < height; y++) {
            const [above, below, down] = rows[y];
            for (let x = 0; x < width; x++) {
                const [left, right, across] = columns[x];
                const at = 2 * (y * width + x);
                let square = 0;
                for (let c = 0; c < 2; c++) {
                    const upper = towards[2 * (above * cells.columns + left) + c] * (1 - across) + towards[2 * (above * cells.columns + right) + c] * across;
                    const lower = towards[2 * (below * cells.columns + left) + c] * (1 - across) + towards[2 * (below * cells.columns + right) + c] * across;
                    out[at + c] = mean[at + c] + upper * (1 - down) + lower * down;
                    square += out[at + c] ** 2;
                }
                const gain = Math.min((Math.sqrt(square) / VIVID.pivot) ** VIVID.power, VIVID.most);
                out[at] *= gain;
                out[at + 1] *= gain;
            }
        }
        return out;
    }
}

/** For each of `size` pixels: the two cells about its middle, and how near it is to the second. */
function between(size, cells) {
    return Array.from({ length: size }, (_, i) => {
        const place = Math.min(Math.max((i + 0.5) / STRIDE - 0.5, 0), cells - 1);
        const first = Math.floor(place);
        return [first, Math.min(first + 1, cells - 1), place - first];
    });
}

function cropped(data, width, size, of) {
    const out = new Float32Array(2 * size.height * size.width);
    for (let y = 0, to = 0; y < size.height; y++) for (let x = 0; x < 2 * size.width; x++) out[to++] = of(data[2 * y * width + x]);
    return out;
}

function croppedCells({ data, columns: wide }, rows, columns) {
    const out = new Float32Array(rows * columns * BINS);
    for (let row = 0; row < rows; row++) out.set(data.subarray(row * wide * BINS, (row * wide + columns) * BINS), row * columns * BINS);
    return { data: out, rows, columns };
}
