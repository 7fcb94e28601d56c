/** What colours in the page: the model and all that hybridvit/inference makes of what it says, in JavaScript. */

import { Canvas } from "./engine/canvas.js";
import { loadNetwork } from "./engine/network.js";

export { createPainter, guideMaps } from "./engine/painter.js";

/** @param {Parameters<typeof loadNetwork>[0]} options */
export async function createEngine(options) {
    const network = await loadNetwork(options);
    return {
        /** What runs the model, which may change. */
        get runsOn() {
            return network.engine;
        },
        name: network.name,
        digest: network.digest,
        /** @param {{width: number, height: number, channels: number, pixels: Uint8Array}} photo */
        open: (photo) => new Canvas(network, photo),
    };
}
