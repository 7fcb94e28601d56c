/** Asks for another folder for the results; the server judges it before it is taken. */

import { make } from "../dom.js";
import { whileBusy } from "./panel.js";

const PROPOSED = "Pictures/hybridvit";

/** @param {import("../api.js").Api} api */
export function createFolderChoice(api) {
    let answer = null; // resolves what `ask` promised
    const input = make("input", {
        type: "text",
        id: "another-folder",
        autocomplete: "off",
        spellcheck: "false",
        "aria-describedby": "another-folder-about another-folder-problem",
        data: { testid: "folder-name" },
    });
    const about = make("p", { class: "hint", id: "another-folder-about" });
    const problem = make("p", { class: "problem", id: "another-folder-problem", role: "alert", data: { testid: "folder-problem" } });
    const cancel = make("button", { type: "button", class: "button", text: "Cancel", on: { click: () => dialog.close() } });
    const use = make("button", { type: "submit", class: "button primary", text: "Use this folder", data: { testid: "folder-use" } });
    const form = make(
        "form",
        { class: "folder-form", on: { submit: take } },
        make("h2", { id: "folder-title", text: "Another folder" }),
        make("label", { for: "another-folder", text: "Folder for coloured photos" }),
        input,
        about,
        problem,
        make("div", { class: "grid-foot" }, cancel, use),
    );
    const dialog = make(
        "dialog",
        { class: "folder-dialog", "aria-labelledby": "folder-title", data: { testid: "folder-dialog" } },
        form,
    );
    dialog.addEventListener("close", () => settle(null));
    document.body.append(dialog);

    function settle(folder) {
        answer?.(folder);
        answer = null;
    }

    async function take(event) {
        event.preventDefault();
        say("");
        try {
            const { folder } = await whileBusy(use, () => api.checkFolder(input.value));
            settle(folder);
            dialog.close();
        } catch (error) {
            say(error.message.replace(/^folder: /, ""));
            input.focus();
        }
    }

    function say(text) {
        problem.textContent = text;
        input.setAttribute("aria-invalid", String(text !== ""));
    }

    return {
        /** @param {string} home the user's */
        setHome(home) {
            about.textContent = `Within your home folder, ${home}. It is made if it is not there; what others have put there is not replaced.`;
        },
        /** @param {string | null} now the one chosen before @returns {Promise<string | null>} null: none was chosen */
        ask(now) {
            input.value = now ?? PROPOSED;
            say("");
            dialog.showModal();
            input.select();
            return new Promise((resolve) => (answer = resolve));
        },
    };
}
