/** The colours of this photograph for others: asked first, with a preview for each, and undone as one step. */

import { icon, make, setPicture } from "../dom.js";
import { panel } from "./panel.js";

const isPhoto = ({ kind }) => kind !== "film";
const hintsOf = (count) => `${count} ${count === 1 ? "hint" : "hints"}`;

/** @param {object} parts @returns {HTMLElement} */
export function createCarry({ api, store, photos, messages }) {
    let stop = null; // AbortController of what is running
    let undo = null; // what was there before, by photo
    const button = (properties) => make("button", { type: "button", ...properties });
    const about = "Looks for the same things in other photos, and shows what would change before anything does.";
    const begin = button({
        class: "button wide",
        text: "Look in the photos that follow …",
        data: { testid: "carry" },
        on: { click: () => ask(photos.all.slice(indexOf() + 1).filter(isPhoto)) },
    });
    const every = button({
        class: "button wide",
        text: "Look in all others …",
        data: { testid: "carry-all" },
        on: { click: () => ask(photos.all.filter((photo) => isPhoto(photo) && photo.id !== store.photo.id)) },
    });
    const outcome = make("div", { class: "outcome", role: "status", data: { testid: "carried" } });
    const back = button({ class: "button small", text: "Undo all of it", hidden: true, on: { click: takeBack } });
    back.dataset.testid = "carry-undo";

    const progress = make("progress", { max: 1, value: 0, "aria-label": "Progress" });
    const status = make("p", { class: "hint", role: "status", data: { testid: "carry-status" } });
    const list = make("ul", { class: "carry-list", data: { testid: "carry-list" } });
    const cancel = button({ class: "button", text: "Cancel", on: { click: () => dialog.close() } });
    const go = button({ class: "button primary", data: { testid: "carry-go" }, on: { click: carry } });
    const close = button({ class: "button icon-only", "aria-label": "Close", on: { click: () => dialog.close() } });
    close.append(icon("close"));
    const dialog = make(
        "dialog",
        { class: "carry-dialog", "aria-labelledby": "carry-title", data: { testid: "carry-dialog" } },
        make("div", { class: "grid-head" }, make("h2", { id: "carry-title", text: "Same colours for other photos" }), close),
        make("div", { class: "carry-progress" }, progress, status),
        list,
        make("div", { class: "grid-foot" }, cancel, go),
    );
    dialog.addEventListener("close", () => stop?.abort());
    document.body.append(dialog);

    const indexOf = () => photos.all.findIndex(({ id }) => id === store.photo?.id);
    const boxes = () => /** @type {HTMLInputElement[]} */ ([...list.querySelectorAll("input")]);
    const nameOf = (id) => photos.all.find((photo) => photo.id === id)?.name ?? id;

    function show() {
        const [hinted, at] = [store.recipe?.hints.length > 0, indexOf()];
        begin.disabled = !hinted || at < 0 || at === photos.all.length - 1;
        every.disabled = !hinted || photos.all.length < 2;
    }

    /** One after the other, so that one sees it go on and can stop it. */
    async function ask(others) {
        list.replaceChildren();
        outcome.replaceChildren();
        dialog.showModal();
        const { id } = store.photo;
        const done = await eachOf(others, async (photo, signal) => {
            const { previews, skipped } = await api.carryPreview(id, photo.id, signal);
            list.append(...previews.map((one) => item(photo, one)), ...skipped.map((one) => refusal(photo, one)));
        });
        if (!done) return;
        const found = boxes().length;
        status.textContent = found ? `Found in ${found} of ${others.length} photos.` : "Nothing is surely the same.";
    }

    function item(photo, { before, after, hints, match, sure, changed }) {
        const box = make("input", { type: "checkbox", value: photo.id, on: { change: count } });
        box.checked = sure;
        const dots = hints.slice(0, 8).map(({ color }) => {
            const dot = make("span", { class: "swatch" });
            dot.style.background = typeof color === "string" ? color : "";
            return dot;
        });
        const said = `${hintsOf(hints.length)}, ${Math.round(100 * changed)} % of the picture would change`;
        const trust = `${sure ? "good match" : "weak match"}, ${Math.round(100 * match)} %`;
        const text = make(
            "span",
            { class: "row-text" },
            make("span", { class: "row-name", text: photo.name }),
            make("span", { class: "row-note", text: said }),
            make("span", { class: "row-note", text: trust }),
        );
        const pictures = make("span", { class: "carry-pictures" }, picture(photo, before, "as it is"), picture(photo, after, "with these colours"));
        return make("li", {}, make("label", { class: "carry-item" }, box, pictures, text, make("span", { class: "carry-dots" }, ...dots)));
    }

    function picture({ id, name }, revision, caption) {
        const image = make("img", { alt: `${name}, ${caption}`, decoding: "async" });
        image.addEventListener("error", () => image.replaceWith(make("span", { class: "carry-gone", text: "–" })));
        setPicture(image, api.previewUrl(id, revision));
        return make("span", { class: "carry-picture" }, image, make("span", { class: "row-note", text: caption }));
    }

    function refusal(photo, { reason }) {
        return make("li", { class: "carry-none" }, make("span", { text: `${photo.name}: ${reason}` }));
    }

    function count() {
        const ticked = boxes().filter((box) => box.checked).length;
        go.disabled = ticked === 0 || stop !== null;
        go.textContent = ticked ? `Carry the colours over to ${ticked}` : "Carry the colours over";
    }

    async function carry() {
        const ticked = boxes().filter((box) => box.checked);
        const [id, before, added, failed] = [store.photo.id, new Map(), [], []];
        await eachOf(ticked.map(({ value }) => ({ id: value, name: nameOf(value) })), async (photo) => {
            const { sidecar } = await api.photo(photo.id);
            const { carried, skipped } = await api.carry(id, [photo.id]);
            for (const { hints } of carried) {
                added.push(`${photo.name}: ${hintsOf(hints)} added`);
                before.set(photo.id, { sidecar, revision: (await api.photo(photo.id)).revision });
            }
            for (const { reason } of skipped) failed.push(`${photo.name}: ${reason}`);
        });
        dialog.close();
        undo = before;
        back.hidden = !before.size;
        outcome.replaceChildren(
            ...added.map((text) => make("p", { text })),
            ...failed.map((text) => make("p", { class: "skipped", text })),
        );
        photos.refresh();
    }

    /** All photographs get their hints of before; what was changed in them since is kept, and said. */
    async function takeBack() {
        const kept = [];
        for (const [id, { sidecar, revision }] of undo) {
            const done = await api.putSidecar(id, sidecar, { ifMatch: revision }).catch((error) => {
                if (error.status !== 409) messages.error(error.message, { key: "carry" });
            });
            if (!done) kept.push(nameOf(id));
        }
        back.hidden = true;
        const said = kept.length ? ` ${kept.join(", ")}: changed since, and kept as it is.` : "";
        outcome.replaceChildren(make("p", { text: `Undone in ${undo.size - kept.length} photos.${said}` }));
        photos.refresh();
    }

    /** @returns {Promise<boolean>} whether all was done */
    async function eachOf(some, work) {
        stop = new AbortController();
        const { signal } = stop;
        count();
        let done = 0;
        try {
            for (const photo of some) {
                if (signal.aborted) return false;
                progress.value = done / some.length;
                status.textContent = `${photo.name}: ${++done} of ${some.length}`;
                await work(photo, signal);
            }
            progress.value = 1;
            return !signal.aborted;
        } catch (error) {
            if (error.name !== "AbortError") messages.error(error.message, { key: "carry" });
            return false;
        } finally {
            if (stop.signal === signal) stop = null;
            count();
        }
    }

    store.addEventListener("recipe", show);
    store.addEventListener("photo", () => {
        outcome.replaceChildren();
        back.hidden = true;
    });
    photos.addEventListener("change", show);
    show();
    const hint = make("p", { class: "hint", text: about });
    return panel("carry", "Same colours for other photos", {}, hint, begin, every, outcome, back);
}
