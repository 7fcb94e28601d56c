/** What the page has to say: errors stay until closed, notes go by themselves, and screen readers hear both. */

import { LostConnection } from "./api.js";
import { icon, make } from "./dom.js";

const NOTE_MS = 6000;
const MOST = 4;

/**
 * @param {HTMLElement} element
 * @typedef {ReturnType<typeof createMessages>} Messages
 */
export function createMessages(element) {
    const polite = make("div", {
        class: "unseen",
        role: "status",
        "aria-live": "polite",
        data: { testid: "announced" },
    });
    const list = make("div", {
        class: "message-list",
        role: "log",
        "aria-live": "assertive",
        "aria-label": "What happened",
    });
    const shown = new Map(); // key -> element
    element.append(polite, list);

    function close(key) {
        shown.get(key)?.remove();
        shown.delete(key);
    }

    function show(kind, text, { key = text, actions = [], lasts = 0, closable = true } = {}) {
        close(key);
        const buttons = actions.map(({ label, run }) =>
            make("button", {
                type: "button",
                class: "button small",
                text: label,
                on: { click: () => (close(key), run()) },
            }),
        );
        const closing = { type: "button", class: "button icon-only small", "aria-label": "Close the message" };
        const item = make(
            "div",
            { class: `message message-${kind}`, data: { testid: `message-${kind}` } },
            make("p", { text }),
            ...buttons,
            ...(closable ? [make("button", { ...closing, on: { click: () => close(key) } }, icon("close"))] : []),
        );
        list.append(item);
        shown.set(key, item);
        const removable = [...shown.keys()].slice(0, -MOST);
        removable.forEach(close);
        if (lasts) setTimeout(() => shown.get(key) === item && close(key), lasts);
    }

    return {
        /** Something went wrong: what, and what to do. */
        error: (text, options) => show("error", text, options),
        /** Something worth knowing that goes by. */
        note: (text, options) => show("note", text, { lasts: NOTE_MS, ...options }),
        /** Something worth knowing that stays. */
        remark: (text, options) => show("note", text, options),
        close,
        /** For screen readers alone. */
        announce(text) {
            polite.textContent = "";
            polite.textContent = text;
        },
        /** Shows what a promise is rejected with, if that is meant for people; resolves to undefined then. */
        async guard(promise, key) {
            try {
                const result = await promise;
                if (key) close(key); // what went wrong before went well now
                return result;
            } catch (error) {
                // that nobody answers is said once, for all, and until somebody does
                const isSaid = error.name === "AbortError" || error instanceof LostConnection;
                if (!isSaid) show("error", error.message, key && { key });
                return undefined;
            }
        },
    };
}
