/** A frame of a film in a strip: its small picture, its time, and what is to be known of it. */

import { make, setPicture } from "../dom.js";

/**
 * @param {() => void} open when it is chosen
 * @param {object} [data] for the tests
 */
export function createCell(open, data = {}) {
    const picture = make("img", { alt: "", decoding: "async", draggable: "false" });
    const bar = make("span", { class: "cell-bar", "aria-hidden": "true" });
    const said = make("span", { class: "unseen" });
    const time = make("span", { class: "cell-time", "aria-hidden": "true" });
    const button = make(
        "button",
        { type: "button", class: "cell", tabindex: "-1", data, on: { click: open } },
        picture,
        time,
        bar,
        said,
    );
    let address = null;
    const marks = { clock: "", hinted: false, cut: false, ready: false };

    function tell() {
        time.textContent = shortClock(marks.clock);
        button.title = marks.clock;
        button.toggleAttribute("data-hinted", marks.hinted);
        button.toggleAttribute("data-cut", marks.cut);
        button.toggleAttribute("data-colored", marks.ready);
        const words = [marks.clock];
        if (marks.cut) words.push("a shot begins");
        if (marks.hinted) words.push("with hints");
        if (marks.ready) words.push("in colour");
        said.textContent = words.join(", ");
    }

    return {
        element: make("li", {}, button),
        button,
        /** @param {{clock?: string, hinted?: boolean, cut?: boolean, ready?: boolean}} changed */
        mark(changed) {
            Object.assign(marks, changed);
            tell();
        },
        /** @param {string | Promise<string>} url */
        setPicture(url) {
            if (url === address) return;
            address = url;
            setPicture(picture, url);
        },
        /** How far its colours are, 0..1; null: none are being made. @param {number | null} share */
        setProgress(share) {
            const isComing = share !== null && !marks.ready;
            bar.style.width = isComing ? `${Math.round(100 * share)}%` : "0";
            if (isComing) button.setAttribute("aria-busy", "true");
            else button.removeAttribute("aria-busy");
        },
        /** @param {boolean} isOpen */
        setCurrent(isOpen) {
            if (isOpen) button.setAttribute("aria-current", "true");
            else button.removeAttribute("aria-current");
        },
    };
}

/** A time in words, as the server has it: "1:02:03.480", "2:03.480". @param {number} at microseconds */
export function clockOf(at) {
    const milliseconds = Math.floor(at / 1000);
    const [minutes, rest] = [Math.floor(milliseconds / 60_000), milliseconds % 60_000];
    const seconds = (rest / 1000).toFixed(3).padStart(6, "0");
    if (minutes < 60) return `${minutes}:${seconds}`;
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`;
}

/** "0:12.480" as "0:12.5". @param {string} clock */
function shortClock(clock) {
    const [whole, rest = ""] = clock.split(".");
    return rest ? `${whole}.${rest[0]}` : whole;
}

/** Scrolls a list so that one of its elements is in its middle; not by scrollIntoView: the next Tab would start there. */
export function scrollToMiddle(list, element) {
    const [frame, one] = [list, element].map((part) => part.getBoundingClientRect());
    list.scrollBy({ left: one.left + one.width / 2 - frame.left - frame.width / 2 });
}
