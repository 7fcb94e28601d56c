/** The buttons of the tools, and what the chosen tool has to set. */

import { describeColor } from "./color.js";
import { make } from "./dom.js";
import { withHintAt } from "./recipe.js";

const SLIDER_STEPS = 100;
const HELP = {
    point: "Click where you know the colour. Drag a hint to move it.",
    brush: "Paint over what has one colour.",
    lasso: "Draw round what has one colour, or click corner by corner.",
    protect: "Draw round what shall keep the colours it has now.",
    eyedropper: "Click to take a colour, as it is seen there.",
    pan: "Drag to move the picture.",
    crop: "Drag the edges. All of the original is kept.",
};

/**
 * @param {HTMLElement} toolbar with a button for each tool
 * @param {HTMLElement} options where the tool's settings go
 * @param {import("./store.js").Store} store
 * @param {import("./tools.js").Tools} tools
 * @param {HTMLElement} framing what the tool "crop" has to set
 */
export function createToolbar(toolbar, options, store, tools, framing) {
    const buttons = [...toolbar.querySelectorAll("[data-tool]")];
    const text = make("p", { class: "tool-help" });
    const slider = make("input", {
        type: "range",
        id: "brush-width",
        min: 0,
        max: SLIDER_STEPS,
        step: "any",
        on: { input: () => setWidth(fromSlider(Number(slider.value))), pointerup: () => gesture++ },
        data: { testid: "brush-width" },
    });
    const width = make("output", { class: "brush-value", for: "brush-width" });
    const brush = make(
        "div",
        { class: "brush-width" },
        make("label", { for: "brush-width", text: "Width" }),
        slider,
        width,
    );
    const dot = make("span", { class: "last-color" });
    const last = make("p", { class: "tool-last" }, make("kbd", { text: "Shift" }), " uses ", dot);
    const bar = make("div", { class: "tool-bar" }, text, framing, brush, last);
    let gesture = 0;
    options.append(bar);

    const most = () => Math.min(store.photo.width, store.photo.height) / 2;
    const fromSlider = (at) => most() ** (at / SLIDER_STEPS); // 1 px to half of the shorter side, by equal ratios
    const toSlider = (px) => (SLIDER_STEPS * Math.log(Math.max(px, 1))) / Math.log(Math.max(most(), 2));
    const selectedStroke = () => {
        const hint = store.recipe?.hints[store.selected];
        return hint?.type === "stroke" ? hint : null;
    };

    function setWidth(px) {
        const stroke = selectedStroke();
        if (stroke) {
            const next = { ...stroke, width: Math.round(px * 100) / 100 };
            store.change("Stroke width", withHintAt(store.recipe, store.selected, next), { merge: `width ${gesture}` });
        }
        tools.setBrushWidth(px);
    }

    function show() {
        for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.tool === store.tool);
        bar.hidden = !store.photo;
        if (!store.photo) return;
        text.textContent = HELP[store.tool];
        const stroke = selectedStroke();
        framing.hidden = store.tool !== "crop";
        brush.hidden = store.tool !== "brush" && !stroke;
        text.hidden = !brush.hidden || !framing.hidden;
        const px = stroke?.width ?? tools.brushWidth;
        slider.value = String(toSlider(px));
        slider.setAttribute("aria-valuetext", `${Math.round(px)} pixels`);
        width.textContent = `${px < 10 ? px.toFixed(1) : Math.round(px)} px`;
        const color = tools.lastColor();
        last.hidden = color === null || !["point", "brush", "lasso"].includes(store.tool);
        dot.style.background = color ?? "";
        dot.title = color ? `${describeColor(color)}, the colour used last` : "";
    }

    for (const button of buttons) button.addEventListener("click", () => store.setTool(button.dataset.tool));
    for (const event of ["photo", "tool", "selection", "recipe", "color"]) store.addEventListener(event, show);
    tools.addEventListener("brush", show);
    show();
}
