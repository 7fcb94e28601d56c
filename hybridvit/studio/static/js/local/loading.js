/** How far the model has been loaded: a bar over the picture's place until it is there. */

import { make } from "../dom.js";

/** @param {HTMLElement} viewport @param {{addEventListener: Function}} backend see backend.js @param {object} messages */
export function createLoading(viewport, backend, messages) {
    const bar = make("progress", { max: "1", "aria-label": "Loading the model" });
    const text = make("span", { text: "Loading the model …" });
    const element = make("div", { class: "model-loading", data: { testid: "model-loading", overlay: "" } }, text, bar);
    viewport.append(element);
    const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

    backend.addEventListener("loading", ({ detail: { loaded, total } }) => {
        if (!total) return;
        bar.value = Math.min(loaded / total, 1);
        text.textContent = `Loading the model: ${megabytes(loaded)} of ${megabytes(total)} MB`;
    });
    backend.addEventListener("loaded", () => element.remove());
    backend.addEventListener("failed", ({ detail: { message } }) => {
        element.remove();
        messages.error(message, {
            key: "backend",
            actions: [{ label: "Reload", run: () => location.reload() }],
        });
    });
}
