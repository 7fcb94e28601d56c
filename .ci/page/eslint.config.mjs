import js from "@eslint/js";

const browser = [
    "AbortController", "AbortSignal", "Blob", "CSS", "CompressionStream", "CustomEvent", "DOMMatrix", "DOMParser", "Element", "Event", "EventTarget", "File",
    "HTMLElement", "Headers", "Image", "ImageData", "IntersectionObserver", "OffscreenCanvas", "Path2D", "PointerEvent", "ResizeObserver", "Response",
    "TextDecoder", "TextEncoder", "URL", "URLSearchParams", "Worker", "XMLSerializer",
    "addEventListener", "btoa", "cancelAnimationFrame", "clearTimeout", "console", "createImageBitmap", "crossOriginIsolated",
    "crypto", "devicePixelRatio",
    "document", "fetch", "getComputedStyle", "history", "innerHeight", "innerWidth", "localStorage", "location",
    "matchMedia", "MessageChannel", "navigator", "performance", "postMessage", "removeEventListener", "requestAnimationFrame", "sessionStorage", "setTimeout", "window",
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
