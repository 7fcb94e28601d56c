/** The page without a photograph: where one is dropped or chosen. */

import { icon, make } from "./dom.js";

/** @param {() => void} pick asks for files @param {boolean} isLocal whether they stay where the page is */
export function createDropZone(pick, isLocal) {
    const limits = make("p", { class: "empty-limits" });
    const canDrop = matchMedia("(hover: hover)").matches;
    const folder = make("p", { class: "empty-folder", text: "Or choose one of the folder below.", hidden: true });
    const element = make(
        "div",
        { class: "empty", hidden: true, data: { testid: "empty", overlay: "" } },
        icon("photo-add"),
        make("p", { class: "empty-title", text: canDrop ? "Drop a photograph here" : "Colour a photograph" }),
        make("p", { text: "paste one, or", hidden: !canDrop }),
        make("button", { type: "button", class: "button primary", text: "Choose photos …", on: { click: pick } }),
        folder,
        limits,
    );
    return {
        element,
        setFolder: (has) => (folder.hidden = !has),
        setLimits({ bytes, pixels }) {
            const most = `Up to ${Math.floor(bytes / 2 ** 20)} MB and ${Math.floor(pixels / 1e6)} megapixels.`;
            const promise = isLocal
                ? "It stays on this device: nothing is sent anywhere."
                : "It goes to this studio alone, and the original is never changed.";
            limits.textContent = `JPEG, PNG, ${isLocal ? "" : "TIFF, "}WebP and more. ${most} ${promise}`;
        },
    };
}
