/** Below all panels: what runs the model, and why it is not the graphics processor. */

import { make } from "../dom.js";

/** @param {{addEventListener: Function}} backend see backend.js @returns {HTMLElement} */
export function createRunsOn(backend) {
    const element = make("p", { class: "hint runs-on", role: "status", hidden: true, data: { testid: "runs-on" } });
    backend.addEventListener("runson", ({ detail: { how, threads, why } }) => {
        const by = threads === 1 ? "one thread" : `${threads} threads`;
        element.textContent =
            how === "webgpu"
                ? "Computed on this device: WebGPU, by its graphics processor."
                : `Computed on this device: WebAssembly, by ${by} of its processor; ${why}.`;
        element.hidden = false;
    });
    return element;
}
