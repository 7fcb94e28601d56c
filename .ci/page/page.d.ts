/* What the DOM's own types leave open, and holds on this page: its elements are HTML and SVG, events carry details. */

interface Element {
    readonly dataset: DOMStringMap;
    focus(options?: FocusOptions): void;
    setAttribute(name: string, value: string | number | boolean): void;
}

interface EventTarget {
    readonly dataset: DOMStringMap;
    readonly matches: any; // of media queries too
    closest(selectors: string): Element | null;
}

interface Event {
    readonly detail: any;
}

interface Navigator {
    readonly deviceMemory?: number;
}

interface IntersectionObserverInit {
    scrollMargin?: string;
}
