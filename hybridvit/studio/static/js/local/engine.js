/** What colours in the page: the model and all that hybridvit/inference makes of what it says, in JavaScript. */

import { Canvas } from "./engine/canvas.js";
import { loadNetwork } from "./engine/network.js";

export { createPainter, guideMaps } from "./engine/painter.js";

/** @param {{base: URL, onProgress: (loaded: number, total: number) => void}} options the page's folder; bytes */
export async function createEngine({ base, onProgress }) {
    const network = await loadNetwork(base, onProgress);
    return {
        name: network.name,
        digest: network.digest,
        /** @param {{width: number, height: number, channels: number, pixels: Uint8Array}} photo */
        open: (photo) => new Canvas(network, photo),
    };
}
