/**
 * The page's own back end: one request after the other, those first for which somebody waits; then what is likely asked
 * next. A request is {number, method, path, body, ifMatch}, an answer {number, status, body}; {cancel: number} gives one up.
 */

import { Left } from "./ahead.js";
import { Mistake } from "./decoded.js";
import { createEngine } from "./engine.js";
import { Library } from "./library.js";
import { ROUTES } from "./routes.js";

const FOLDER = new URL("../../", import.meta.url); // of the page
const LATER = /\/(thumbnail|variants|prepare|next|uncertainty)/; // after what is drawn at once

let waiting = []; // requests
let isWorking = false;
const heard = new MessageChannel(); // a timer would take 4 ms
const coming = load();
const library = new Library(coming);

async function load() {
    const { version } = await (await fetch(new URL("web.json", FOLDER))).json();
    const tell = (loaded, total, done = false) => postMessage({ loading: { loaded, total, done } });
    const engine = await createEngine({ base: FOLDER, onProgress: tell, onChange: (runsOn) => postMessage({ runsOn }) });
    tell(0, 0, true);
    postMessage({ runsOn: engine.runsOn });
    return { engine, version };
}

addEventListener("message", ({ data }) => {
    if ("cancel" in data) waiting = waiting.filter(({ number }) => number !== data.cancel);
    else waiting.push(data);
    work();
});

async function work() {
    if (isWorking) return;
    isWorking = true;
    while (waiting.length || library.ahead.isLeft) {
        if (!waiting.length) {
            await library.ahead.goOn(pause).catch(console.error); // nobody waits for it
            continue;
        }
        const at = Math.max(waiting.findIndex(({ path }) => !LATER.test(path)), 0);
        const [request] = waiting.splice(at, 1);
        const { number } = request;
        try {
            postMessage({ number, status: 200, body: await answer(request) });
        } catch (error) {
            if (!(error instanceof Mistake)) console.error(error);
            const status = error instanceof Mistake ? error.status : 500;
            postMessage({ number, status, body: { error: error instanceof Mistake ? error.message : `this cannot be done here (${error.message})` } });
        }
        await hear(); // what was given up meanwhile
    }
    isWorking = false;
}

/** Lets messages arrive. */
async function hear() {
    await new Promise((resolve) => {
        heard.port1.onmessage = resolve;
        heard.port2.postMessage(null);
    });
}

async function pause() {
    await hear();
    if (waiting.length) throw new Left();
}

async function answer({ method, path, body, ifMatch }) {
    const [place, query = ""] = path.split("?");
    for (const { verb, pattern, handle } of ROUTES) {
        const found = verb === method ? pattern.exec(place) : null;
        if (found) return handle(library, found.slice(1), Object.fromEntries(new URLSearchParams(query)), { body, ifMatch });
    }
    throw new Mistake(404, `${method} ${place}: only the desktop's studio does that`);
}

coming.catch((error) => postMessage({ failed: `the model could not be loaded (${error.message})` }));
