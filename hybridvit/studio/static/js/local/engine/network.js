/** The model: lightness and hints at its view to the mean and the vivid chroma, and its distributions. */

import { BINS, meansOf, probabilities } from "./bins.js";

const BUCKET = 64; // px: views are padded to multiples of it, as hybridvit/inference/predictor.py does
const STRIDE = 8; // px of the view, a cell of the distribution
const SCALE = 110; // ab units that one unit of the network's chroma stands for
const MOST_THREADS = 4;
const VIVID = { temperature: 0.6, rarity: 0.35, power: 0.65, pivot: 10, most: 2 }; // hybridvit/inference/decode.py

/**
 * @param {URL} base the page's folder @param {(loaded: number, total: number) => void} onProgress bytes
 * @returns {Promise<{name: string, digest: string, predict: Function}>}
 */
export async function loadNetwork(base, onProgress) {
    const about = await (await fetched(new URL("model.json", base))).json();
    const ort = await import(new URL("ort/ort.wasm.min.mjs", base).href);
    ort.env.wasm.wasmPaths = new URL("ort/", base).href;
    ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
    const sizes = about.bytes; // of the files, which a server's headers need not say
    const total = sizes.model + sizes.runtime;
    const loaded = { model: 0, runtime: 0 };
    const load = async (name, path) => {
        const bytes = await withProgress(new URL(path, base), sizes[name], (count) => {
            loaded[name] = count;
            onProgress(loaded.model + loaded.runtime, total);
        });
        return bytes;
    };
    const [runtime, model] = await Promise.all([load("runtime", "ort/ort-wasm-simd-threaded.wasm"), load("model", "model.onnx")]);
    ort.env.wasm.wasmBinary = runtime.buffer;
    const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
    return new Network(ort, session, about);
}

async function fetched(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url.pathname.split("/").at(-1)}: the server answers ${response.status}`);
    return response;
}

async function withProgress(url, size, tell) {
    const { body } = await fetched(url);
    const bytes = new Uint8Array(size);
    let count = 0;
    for (const reader = body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        if (count + value.length > size) throw new Error(`${url.pathname.split("/").at(-1)} is not the file of this page`);
        bytes.set(value, count);
        count += value.length;
        tell(count);
    }
    if (count !== size) throw new Error(`${url.pathname.split("/").at(-1)} is cut off`);
    return bytes;
}

/** Of one session; runs follow one another. */
export class Network {
    #ort;
    #session;
    #rarity;
    #turn = Promise.resolve();

    constructor(ort, session, { name, weights, log_rarity: rarity }) {
        [this.#ort, this.#session, this.#rarity] = [ort, session, rarity];
        [this.name, this.digest] = [name, weights];
    }

    /**
     * @param {import("./planes.js").Plane} L 0..100
     * @param {{ab: Float32Array, mask: Uint8Array} | null} hints at the view, ab in CIE units
     * @returns {Promise<{mean: Float32Array, vivid: Float32Array | null, logits: import("./bins.js").Cells}>}
     */
    async predict(L, hints) {
        const height = Math.ceil(L.height / BUCKET) * BUCKET;
        const width = Math.ceil(L.width / BUCKET) * BUCKET;
        const luma = new Float32Array(height * width);
        const planes = new Float32Array(3 * height * width);
        for (let y = 0; y < height; y++) {
            const from = Math.min(y, L.height - 1) * L.width;
            for (let x = 0; x < width; x++) {
                const [to, at] = [y * width + x, from + Math.min(x, L.width - 1)];
                luma[to] = L.data[at] / 50 - 1;
                if (!hints || y >= L.height || x >= L.width || !hints.mask[at]) continue;
                planes[3 * to] = hints.ab[2 * at] / SCALE;
                planes[3 * to + 1] = hints.ab[2 * at + 1] / SCALE;
                planes[3 * to + 2] = 1;
            }
        }
        const { Tensor } = this.#ort;
        const feeds = { luma: new Tensor("float32", luma, [1, height, width, 1]), hints: new Tensor("float32", planes, [1, height, width, 3]) };
        const run = this.#turn.then(() => this.#session.run(feeds));
        this.#turn = run.catch(() => {});
        const { chroma, bins } = await run;
        const [chromaData, binData] = [chroma.data, bins.data];
        const mean = cropped(chromaData, width, L, (value) => value * SCALE);
        const cells = { data: binData, rows: height / STRIDE, columns: width / STRIDE };
        const vivid = hints ? null : this.#vivid(mean, cells, L);
        return { mean, vivid, logits: croppedCells(cells, Math.ceil(L.height / STRIDE), Math.ceil(L.width / STRIDE)) };
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
