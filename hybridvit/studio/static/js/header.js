/** The head of the page: which photo, undo and redo, and whether something is going on. */

import { make } from "./dom.js";
import { shownSize } from "./frame.js";

/** @param {object} parts */
export function createHeader({ store, viewport, photos, help }) {
    const byId = (id) => /** @type {HTMLButtonElement} */ (document.getElementById(id));
    const [undo, redo, previous, next] = ["undo", "redo", "previous-photo", "next-photo"].map(byId);
    const busy = make("div", {
        class: "busy-line",
        role: "progressbar",
        "aria-label": "Working",
        hidden: true,
        data: { testid: "busy" },
    });
    let [loading, isColoring] = [false, false];
    viewport.element.append(busy);

    undo.addEventListener("click", () => store.undo());
    redo.addEventListener("click", () => store.redo());
    previous.addEventListener("click", () => photos.step(-1));
    next.addEventListener("click", () => photos.step(1));
    for (const id of ["help", "sheet-help"]) byId(id).addEventListener("click", help);

    function showHistory() {
        undo.disabled = store.undoLabel === null;
        redo.disabled = store.redoLabel === null;
        undo.title = store.undoLabel === null ? "Undo (Ctrl+Z)" : `Undo: ${store.undoLabel} (Ctrl+Z)`;
        redo.title = store.redoLabel === null ? "Redo (Ctrl+Shift+Z)" : `Redo: ${store.redoLabel} (Ctrl+Shift+Z)`;
    }

    function showPhoto() {
        const { photo } = store;
        const opening = photos.all.find(({ id }) => id === photos.opening);
        const { before, after } = photos.around;
        previous.disabled = before === 0;
        next.disabled = after === 0;
        byId("photo-name").textContent = opening?.name ?? photo?.name ?? "No photo";
        byId("photo-name").title = byId("photo-name").textContent;
        const facts = [];
        if (opening) facts.push("opening …");
        else if (photo) {
            const { width, height } = shownSize(store.recipe.frame, photo);
            const isPart = store.recipe.frame.crop !== null;
            facts.push(`${width} × ${height} px${isPart ? ` of ${photo.width} × ${photo.height}` : ""}`);
            facts.push(`${photo.bits} bit`);
            if (!photo.gray) facts.push("its own colours replaced");
        }
        if (isColoring) facts.push("colouring …");
        else if (before + after > 0 && photo) facts.push(`${before + 1} of ${before + after + 1}`);
        byId("photo-facts").textContent = facts.join(" · ");
        document.title = photo ? `${photo.name} · hybridvit Studio` : "hybridvit Studio";
        showBusy();
    }

    function showBusy() {
        busy.hidden = !(loading || store.busy || photos.opening);
    }

    viewport.addEventListener("busy", ({ detail }) => {
        loading = detail.busy;
        isColoring = loading && !viewport.element.dataset.revision;
        showPhoto();
    });
    store.addEventListener("busy", showBusy);
    store.addEventListener("recipe", showHistory);
    store.addEventListener("recipe", showPhoto);
    store.addEventListener("photo", showPhoto);
    photos.addEventListener("change", showPhoto);
}
