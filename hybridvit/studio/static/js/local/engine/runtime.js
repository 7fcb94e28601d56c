/**
 * What runs the model: onnxruntime-web on the graphics processor by WebGPU, else by WebAssembly. Whatever goes wrong with
 * the graphics processor, then or later, WebAssembly goes on, and it is said why. Only what is used is loaded.
 */

import { whyNoGraphics } from "./graphics.js";

const MOST_THREADS = 4;
const [CELL, MOST_CELLS] = [4, 128]; // px of the view, in which hints are one; hybridvit/models/hint_propagation.py
const [ENCODER, DECODER] = ["encoder.onnx", "decoder.onnx"];
const BUILDS = {
    webgpu: { script: "ort.webgpu.min.mjs", program: "ort/ort-wasm-simd-threaded.asyncify.wasm" },
    wasm: { script: "ort.wasm.min.mjs", program: "ort/ort-wasm-simd-threaded.wasm" },
};
const PROBE = 64; // px: the picture on which a graphics processor shows that it computes as it should
const NEAR = 0.01; // of chroma that is -1..1: about one ab unit

/**
 * @typedef {{how: "webgpu" | "wasm", threads: number, why: string}} Engine why it is not the graphics processor, or ""
 * @param {{base: URL, about: any, onProgress: (loaded: number, total: number) => void, onChange: (engine: Engine) => void}} options
 * @returns {Promise<Runtime>}
 */
export async function startRuntime(options) {
    const why = await whyNoGraphics();
    const runtime = new Runtime(options);
    await runtime.start(why);
    return runtime;
}

export class Runtime {
    #base;
    #about;
    #onProgress;
    #onChange;
    #ort;
    #sessions = {}; // encoder and decoder, or the decoder alone
    #lost = ""; // why the graphics processor is gone
    /** @type {Engine} */ engine;

    constructor({ base, about, onProgress, onChange }) {
        [this.#base, this.#about, this.#onProgress, this.#onChange] = [base, about, onProgress, onChange];
    }

    get hasEncoder() {
        return ENCODER in this.#about.bytes;
    }

    /** @param {string} why not by the graphics processor, or "" */
    async start(why) {
        const how = why ? "wasm" : "webgpu";
        const { script, program } = BUILDS[how];
        const [binary, ...graphs] = await this.#load([program, ...this.#graphs()]);
        const ort = await import(new URL(`ort/${script}`, this.#base).href);
        const threads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS) : 1;
        ort.env.logLevel = "error"; // else it remarks on machines that it does not know
        Object.assign(ort.env.wasm, { wasmPaths: new URL("ort/", this.#base).href, numThreads: threads, wasmBinary: binary.buffer });
        this.#ort = ort;
        this.engine = { how, threads, why };
        if (how === "wasm") return this.#open(graphs, ["wasm"]);
        try {
            await this.#open(graphs, ["webgpu"]);
            const device = await ort.env.webgpu.device;
            device.lost.then(({ message }) => (this.#lost = message || "it was taken away"));
            await this.#check();
        } catch (error) {
            await this.#fallBack(error, graphs);
        }
    }

    /**
     * Runs may not overlap.
     * @param {"encoder" | "decoder"} which @param {Record<string, {data: Float32Array, dims: readonly number[]}>} feeds
     */
    async run(which, feeds) {
        try {
            return await this.#ask(which, feeds);
        } catch (error) {
            if (this.engine.how === "wasm") throw error;
            await this.#fallBack(error);
            this.#onChange(this.engine);
            return this.#ask(which, feeds);
        }
    }

    async #ask(which, feeds) {
        const { Tensor } = this.#ort;
        const tensors = Object.fromEntries(Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor("float32", data, dims)]));
        if (this.engine.how === "wasm") return this.#sessions[which].run(tensors);
        if (this.#lost) throw new Error(this.#lost);
        const found = await this.#sessions[which].run(tensors);
        if (this.#lost) throw new Error(this.#lost);
        if (!Object.values(found).every(({ data }) => data.every(Number.isFinite))) throw new Error("it gives no numbers");
        return found;
    }

    #graphs() {
        return this.hasEncoder ? [DECODER, ENCODER] : [DECODER];
    }

    /** The same runtime, without the graphics processor. */
    async #fallBack(error, graphs = null) {
        await this.#open(graphs ?? (await this.#load(this.#graphs())), ["wasm"]);
        this.engine = { ...this.engine, how: "wasm", why: `the graphics processor failed (${error?.message ?? error})` };
    }

    async #open(graphs, executionProviders) {
        const open = (graph) => this.#ort.InferenceSession.create(graph, { executionProviders, graphOptimizationLevel: "all" });
        const [decoder, encoder = null] = graphs;
        this.#sessions = { decoder: await open(decoder), encoder: encoder && (await open(encoder)) };
    }

    /** A small picture with a hint, whose colours Python wrote down. */
    async #check() {
        const { data, dims } = probeLuma();
        const seen = { luma: { data, dims }, ...(this.hasEncoder && (await this.#ask("encoder", { luma: { data, dims } }))) };
        const { chroma } = await this.#ask("decoder", { ...seen, ...givenTo(probeHints()) });
        if (!isRight(this.#about.probe, chroma.data)) throw new Error("its numbers are others");
    }

    #load(paths) {
        const sizes = this.#about.bytes; // of the files, which a server's headers need not say
        const total = paths.reduce((sum, path) => sum + sizes[path], 0);
        const loaded = paths.map(() => 0);
        return Promise.all(
            paths.map((path, i) =>
                withProgress(new URL(path, this.#base), sizes[path], (count) => {
                    loaded[i] = count;
                    this.#onProgress(loaded.reduce((sum, one) => sum + one), total);
                }),
            ),
        );
    }
}

/** Whether chroma is what Python wrote down. @param {{every: number, values: number[]}} probe @param {ArrayLike<number>} chroma */
export const isRight = ({ every, values }, chroma) => values.every((value, i) => Math.abs(value - chroma[i * every]) <= NEAR);

/**
 * Hints as the decoder takes them, and for how many cells it needs room: the fewer, the less there is to do.
 * @param {{data: Float32Array, dims: readonly number[]}} hints a, b and whether they are known
 */
export function givenTo(hints) {
    const { data, dims: [, height, width] } = hints;
    const cells = new Set();
    for (let y = 0, at = 2; y < height; y++) {
        for (let x = 0; x < width; x++, at += 3) if (data[at]) cells.add(Math.floor(y / CELL) * width + Math.floor(x / CELL));
    }
    const room = Math.min(Math.max(cells.size, 1), MOST_CELLS);
    return { hints, room: { data: new Float32Array(room), dims: [room] } };
}

/** As hybridvit/export/web_model.py makes them. */
function probeLuma() {
    const data = Float32Array.from({ length: PROBE * PROBE }, (_, i) => ((i * 37) % 256) / 256 - 0.5 + (i % PROBE) / PROBE - 0.5);
    return { data, dims: [1, PROBE, PROBE, 1] };
}

function probeHints() {
    const data = new Float32Array(3 * PROBE * PROBE);
    data.set([0.25, -0.125, 1], 3 * ((PROBE / 2) * PROBE + PROBE / 2));
    return { data, dims: [1, PROBE, PROBE, 3] };
}

async function withProgress(url, size, tell) {
    const response = await fetch(url);
    const name = url.pathname.split("/").at(-1);
    if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`);
    const bytes = new Uint8Array(size);
    let count = 0;
    for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        if (count + value.length > size) throw new Error(`${name} is not the file of this page`);
        bytes.set(value, count);
        count += value.length;
        tell(count);
    }
    if (count !== size) throw new Error(`${name} is cut off`);
    return bytes;
}
