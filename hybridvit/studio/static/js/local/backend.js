/**
 * The page as its own back end: a worker (worker.js) holds the photographs and the model, and is asked as a server would
 * be. What needs a document, the statement in saved files, is done here.
 */

import { ready } from "./offline.js";
import { metadataOf, withMetadata } from "./saved_file.js";

/** @returns {import("../api.js").Backend & {addEventListener: Function}} events: "loading" (detail: {loaded, total}), "loaded", "failed", "runson" (detail: an Engine of engine/runtime.js) */
export function inWorker() {
    const events = new EventTarget();
    const waiting = new Map(); // number of a request -> {resolve, reject}
    const metadata = new Map(); // id of a photograph -> what its file says beside the pixels
    let last = 0;
    let dead = null; // why the worker does not answer any more
    const starting = ready().then(start);

    function start() {
        const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
        worker.addEventListener("message", ({ data }) => hear(data));
        worker.addEventListener("error", (event) => {
            event.preventDefault();
            fail(event.message || "its program could not be loaded");
        });
        worker.addEventListener("messageerror", () => fail("an answer could not be read"));
        return worker;
    }

    function hear({ number, loading, runsOn, failed, ...answer }) {
        if (runsOn) events.dispatchEvent(new CustomEvent("runson", { detail: runsOn }));
        else if (loading) events.dispatchEvent(new CustomEvent(loading.done ? "loaded" : "loading", { detail: loading }));
        else if (failed) fail(failed);
        else {
            waiting.get(number)?.resolve(answer);
            waiting.delete(number);
        }
    }

    function fail(reason) {
        dead ??= `The colouring has stopped: ${reason}. Reload the page.`;
        for (const { resolve } of waiting.values()) resolve(refusal());
        waiting.clear();
        events.dispatchEvent(new CustomEvent("failed", { detail: { message: dead } }));
    }

    const refusal = () => ({ status: 500, body: { error: dead } });

    /** @returns {Promise<{status: number, body: any}>} */
    async function ask(path, { method = "GET", headers = {}, body = null, signal = null } = {}) {
        const worker = await starting;
        signal?.throwIfAborted();
        if (dead) return refusal();
        const number = ++last;
        return new Promise((resolve, reject) => {
            waiting.set(number, { resolve, reject });
            signal?.addEventListener("abort", () => {
                if (!waiting.delete(number)) return;
                worker.postMessage({ cancel: number });
                reject(signal.reason);
            });
            worker.postMessage({ number, method, path, ifMatch: headers["If-Match"]?.replaceAll('"', ""), body });
        });
    }

    /** As `fetch`, of what api.js uses of it; a blob may also be anything else that createImageBitmap takes. */
    async function send(path, options = {}) {
        const { status, body } = await ask(path, options);
        if (options.method === "POST" && path.startsWith("photos?") && status < 300) {
            metadata.set(body.id, await metadataOf(options.body));
        }
        return { ok: status < 300, status, statusText: "", json: async () => body, blob: async () => body };
    }

    async function body(path) {
        const answer = await ask(path);
        if (answer.status >= 300) throw new Error(answer.body.error);
        return answer.body;
    }

    async function file(path) {
        const id = decodeURIComponent(path.split("/")[1]);
        const { name, blob, said } = await body(path);
        const whole = said ? await withMetadata(blob, said, metadata.get(id)) : blob;
        return { href: release(URL.createObjectURL(whole)), name };
    }

    return {
        isLocal: true,
        addEventListener: events.addEventListener.bind(events),
        send,
        picture: async (path) => release(URL.createObjectURL(await body(path))),
        file,
    };
}

/** Frees what an address stands for once the browser has surely taken it. */
function release(href) {
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    return href;
}
