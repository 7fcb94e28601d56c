/** The colours of this photograph for others: the same album, the same coat. */

import { make } from "../dom.js";
import { panel, whileBusy } from "./panel.js";

/** @param {object} parts @returns {HTMLElement} */
export function createCarry({ api, store, photos, messages }) {
    const about =
        "Finds the same things in other photos and gives them these hints' colours, each with a note where it is from.";
    const list = make("div", { class: "carry-list", role: "group", "aria-label": "Photos to carry the colours to" });
    const none = make("p", { class: "hint", text: "There are no other photos: open a folder, or add some." });
    const following = make("button", {
        type: "button",
        class: "button small",
        text: "All that follow",
        on: { click: () => select(true) },
    });
    const clear = make("button", {
        type: "button",
        class: "button small",
        text: "None",
        on: { click: () => select(false) },
    });
    const go = make("button", {
        type: "button",
        class: "button wide",
        text: "Carry the colours over",
        disabled: true,
        data: { testid: "carry" },
    });
    const outcome = make("div", { class: "outcome", role: "status", data: { testid: "carried" } });
    let listed = "";

    const boxes = () => [...list.querySelectorAll("input")];

    function show() {
        const others = photos.all.filter(({ id }) => id !== store.photo?.id);
        const key = others.map(({ id }) => id).join(" ");
        if (key !== listed) {
            listed = key;
            list.replaceChildren(...others.map(item));
            outcome.replaceChildren();
        }
        none.hidden = others.length > 0;
        list.hidden = following.hidden = clear.hidden = others.length === 0;
        update();
    }

    function item(photo) {
        const box = make("input", { type: "checkbox", value: photo.id, on: { change: update } });
        const picture = make("img", { src: api.thumbnailUrl(photo.id), alt: "", loading: "lazy", decoding: "async" });
        return make("label", { class: "carry-item" }, box, picture, make("span", { text: photo.name }));
    }

    function select(value) {
        const at = photos.all.findIndex(({ id }) => id === store.photo?.id);
        const after = new Set(photos.all.slice(at + 1).map(({ id }) => id));
        for (const box of boxes()) box.checked = value && after.has(box.value);
        update();
    }

    function update() {
        const count = boxes().filter((box) => box.checked).length;
        const hasHints = store.recipe?.hints.length > 0;
        go.disabled = count === 0 || !hasHints;
        go.textContent =
            !hasHints && count ? "Give a hint first" : `Carry the colours over${count ? ` to ${count}` : ""}`;
    }

    async function carry() {
        const to = boxes().filter((box) => box.checked);
        const answer = await whileBusy(go, () =>
            messages.guard(
                api.carry(
                    store.photo.id,
                    to.map((box) => box.value),
                ),
                "carry",
            ),
        );
        if (!answer) return;
        const nameOf = (id) => photos.all.find((photo) => photo.id === id)?.name ?? id;
        const hints = (count) => `${count} ${count === 1 ? "hint" : "hints"}`;
        outcome.replaceChildren(
            ...answer.carried.map(({ id, hints: count }) =>
                make("p", { text: `${nameOf(id)}: ${hints(count)} added` }),
            ),
            ...answer.skipped.map(({ id, reason }) =>
                make("p", { class: "skipped", text: `${nameOf(id)}: ${reason}` }),
            ),
        );
        photos.refresh();
    }
    go.addEventListener("click", carry);
    store.addEventListener("recipe", update);
    photos.addEventListener("change", show);
    show();
    const hint = make("p", { class: "hint", text: about });
    return panel(
        "carry",
        "Same colours for other photos",
        {},
        hint,
        none,
        make("div", { class: "row" }, following, clear),
        list,
        go,
        outcome,
    );
}
