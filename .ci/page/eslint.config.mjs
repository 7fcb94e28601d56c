import js from "@eslint/js";

const browser = [
    "AbortController", "AbortSignal", "Blob", "CSS", "CustomEvent", "DOMMatrix", "Element", "Event", "EventTarget", "File",
    "HTMLElement", "Image", "ImageData", "IntersectionObserver", "OffscreenCanvas", "Path2D", "PointerEvent", "ResizeObserver", "URL", "URLSearchParams",
    "addEventListener", "cancelAnimationFrame", "clearTimeout", "console", "createImageBitmap", "devicePixelRatio",
    "document", "fetch", "getComputedStyle", "history", "innerHeight", "innerWidth", "localStorage", "location",
    "matchMedia", "navigator", "removeEventListener", "requestAnimationFrame", "sessionStorage", "setTimeout", "window",
];

export default [
    js.configs.recommended,
    {
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
        },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            eqeqeq: ["error", "always", { null: "ignore" }],
            "max-lines": ["error", 360],
            "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
            "no-var": "error",
            "prefer-const": "error",
        },
    },
];
