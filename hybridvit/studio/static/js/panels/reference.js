/** Another photograph whose colours are right: to take single colours from, or its palette for the whole picture. */

import { make } from "../dom.js";
import { changed } from "../recipe.js";
import { panel, swatches, whileBusy } from "./panel.js";

/** @param {object} parts @returns {HTMLElement} */
export function createReference({ api, store, messages }) {
    let [reference, name] = [null, ""];
    const canvas = make("canvas", { class: "reference-picture", hidden: true, data: { testid: "reference" } });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const file = make("input", {
        type: "file",
        accept: "image/*,.tif,.tiff",
        class: "unseen",
        tabindex: "-1",
        "aria-label": "Reference photo",
    });
    file.dataset.testid = "reference-file";
    const choose = make("button", {
        type: "button",
        class: "button wide",
        text: "Choose a reference photo …",
        on: { click: () => file.click() },
    });
    const about = make("p", {
        class: "hint",
        text: "A colour photograph of the same place, uniform or time. Drop one here.",
    });
    const colors = make("div", { class: "reference-colors", hidden: true });
    const use = make("button", {
        type: "button",
        class: "button wide",
        text: "Use its palette",
        hidden: true,
        data: { testid: "use-palette" },
    });
    const palette = make("div", { class: "palette", hidden: true, data: { testid: "palette" } });

    const pick = (color) => store.pickColor(color, `reference: ${name}`);

    async function load(picture) {
        const added = await whileBusy(choose, () => messages.guard(api.addReference(picture), "reference"));
        const blob = added && (await messages.guard(api.reference(added.id), "reference"));
        if (!blob) return;
        const bitmap = await createImageBitmap(blob);
        [reference, name] = [added, picture.name || "pasted picture"];
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        context.drawImage(bitmap, 0, 0);
        bitmap.close();
        canvas.hidden = use.hidden = colors.hidden = false;
        canvas.title = `${name}: click to take a colour`;
        colors.replaceChildren(swatches(added.palette, pick));
        about.textContent = "Click in it to take a colour for the selected hint, or a palette colour below.";
        choose.textContent = "Another reference photo …";
        show();
    }

    function colorAt({ clientX, clientY }) {
        const rect = canvas.getBoundingClientRect();
        const at = (client, start, size, count) =>
            Math.min(Math.max(Math.floor(((client - start) / size) * count), 0), count - 1);
        const [x, y] = [
            at(clientX, rect.left, rect.width, canvas.width),
            at(clientY, rect.top, rect.height, canvas.height),
        ];
        const [r, g, b] = context.getImageData(x, y, 1, 1).data;
        return `#${[r, g, b].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    }

    function setPalette(label, colors) {
        store.change(label, changed(store.recipe, { palette: colors }));
    }

    function show() {
        const current = store.recipe?.palette ?? [];
        use.disabled = !store.photo;
        palette.hidden = current.length === 0;
        const remove = {
            type: "button",
            class: "button small",
            text: "Remove",
            on: { click: () => setPalette("Remove palette", []) },
        };
        palette.replaceChildren(
            make("div", { class: "field" }, make("span", { text: "This picture's palette" }), make("button", remove)),
            swatches(current, (color) => store.pickColor(color)),
        );
    }

    canvas.addEventListener("click", (event) => pick(colorAt(event)));
    use.addEventListener("click", () => setPalette("Palette of a reference", reference.palette));
    file.addEventListener("change", () => {
        if (file.files.length) load(file.files[0]);
        file.value = "";
    });
    store.addEventListener("recipe", show);
    const element = panel("reference", "Reference photo", {}, palette, canvas, about, colors, use, choose, file);
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
        const [picture] = event.dataTransfer.files;
        if (!picture) return;
        event.preventDefault();
        event.stopPropagation();
        load(picture);
    });
    return element;
}
