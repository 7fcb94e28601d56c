/** Result, original, both: the bar below the picture, and the slider between before and after. */

import { icon, make } from "./dom.js";

const STEP = 0.02;
const ZOOM_STEP = 1.5;
const MODE_NAMES = {
    result: ["Result", "The coloured picture (1)"],
    split: ["Slider", "Before and after, with a slider between (2)"],
    side: ["Side by side", "Before and after, side by side (3)"],
    original: ["Original", "The original (4); hold the key \\ to see it for a moment"],
};

/**
 * @param {import("./viewport.js").Viewport} viewport
 * @param {HTMLElement} bar
 */
export function createCompare(viewport, bar) {
    createSlider(viewport);
    const buttons = Object.entries(MODE_NAMES).map(([mode, [name, title]]) =>
        make(
            "button",
            { type: "button", class: "segment", title, data: { mode }, on: { click: () => viewport.setMode(mode) } },
            icon(mode),
            make("span", { text: name }),
        ),
    );
    const zoom = make("output", { class: "zoom-value", "aria-label": "Zoom", data: { testid: "zoom" }, text: "–" });
    const button = (name, label, title, click, extra = "") =>
        make(
            "button",
            { type: "button", class: `button icon-only ${extra}`, "aria-label": label, title, on: { click } },
            icon(name),
        );
    bar.append(
        make("div", { class: "segments", role: "group", "aria-label": "Compare" }, ...buttons),
        make("div", { class: "spacer" }),
        make(
            "div",
            { class: "zoom", role: "group", "aria-label": "Zoom" },
            button("minus", "Zoom out", "Zoom out (-)", () => viewport.zoomTo(viewport.scale / ZOOM_STEP), "wide-only"),
            zoom,
            button("plus", "Zoom in", "Zoom in (+)", () => viewport.zoomTo(viewport.scale * ZOOM_STEP), "wide-only"),
            button("fit", "Fit", "All of the picture (0)", () => viewport.fit()),
        ),
    );

    function showMode() {
        for (const item of buttons) item.setAttribute("aria-pressed", item.dataset.mode === viewport.mode);
    }
    viewport.addEventListener("mode", showMode);
    viewport.addEventListener("move", () => {
        const percent = viewport.scale * 100;
        zoom.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
    });
    showMode();
}

/** The handle between before and after, which the keyboard moves too. */
function createSlider(viewport) {
    const { element } = viewport;
    const handle = make(
        "div",
        {
            class: "split-handle",
            role: "slider",
            tabindex: "0",
            "aria-label": "Before and after",
            "aria-valuemin": "0",
            "aria-valuemax": "100",
            "aria-orientation": "horizontal",
            data: { testid: "split" },
        },
        make("span", { class: "split-knob" }),
    );
    const labels = ["Before", "After"].map((text) =>
        make("span", { class: `split-label split-${text.toLowerCase()}`, "aria-hidden": "true", text }),
    );
    element.append(...labels, handle);

    function show() {
        handle.style.transform = `translateX(${viewport.split * element.clientWidth}px)`;
        const percent = Math.round(viewport.split * 100);
        handle.setAttribute("aria-valuenow", percent);
        handle.setAttribute("aria-valuetext", `${percent} % of the picture's width is the original`);
    }
    function set(value) {
        viewport.split = value;
        show();
    }
    handle.addEventListener("pointerdown", (event) => {
        handle.setPointerCapture(event.pointerId);
        event.stopPropagation();
    });
    handle.addEventListener("pointermove", (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        const rect = element.getBoundingClientRect();
        set((event.clientX - rect.left) / rect.width);
    });
    handle.addEventListener("keydown", (event) => {
        const step = event.shiftKey ? 5 * STEP : STEP;
        const values = {
            ArrowLeft: viewport.split - step,
            ArrowDown: viewport.split - step,
            ArrowRight: viewport.split + step,
            ArrowUp: viewport.split + step,
            PageDown: viewport.split - 5 * STEP,
            PageUp: viewport.split + 5 * STEP,
            Home: 0,
            End: 1,
        };
        if (!(event.key in values)) return;
        event.preventDefault();
        event.stopPropagation();
        set(values[event.key]);
    });
    new ResizeObserver(show).observe(element);
    show();
}
