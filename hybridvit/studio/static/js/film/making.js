/** How the coloured film is made: a command, to be copied. */

import { icon, make } from "../dom.js";

export function createMaking() {
    const command = make("code", { class: "command", tabindex: "0", data: { testid: "film-command" } });
    const copied = make("p", { class: "hint", role: "status" });
    const copy = make("button", {
        type: "button",
        class: "button primary",
        text: "Copy the command",
        data: { testid: "film-copy" },
        on: {
            click: () =>
                navigator.clipboard.writeText(command.textContent).then(
                    () => (copied.textContent = "Copied: paste it into a terminal."),
                    () => (copied.textContent = "The browser does not let it be copied: select it instead."),
                ),
        },
    });
    const close = make(
        "button",
        { type: "button", class: "button icon-only", "aria-label": "Close", on: { click: () => dialog.close() } },
        icon("close"),
    );
    const dialog = make(
        "dialog",
        { class: "folder-dialog film-dialog", "aria-labelledby": "film-title", data: { testid: "film-dialog" } },
        make("div", { class: "help-head" }, make("h2", { id: "film-title", text: "Make the coloured film" }), close),
        make("p", { text: "The hints are saved beside the film. This command in a terminal uses them; it goes on where it was if it is interrupted." }),
        command,
        make("div", { class: "grid-foot" }, copied, copy),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close()); // beside it
    document.body.append(dialog);

    function ask() {
        copied.textContent = "";
        if (!dialog.open) dialog.showModal();
    }

    const button = make(
        "button",
        { type: "button", class: "button primary wide", data: { testid: "film-make" }, on: { click: ask } },
        icon("save"),
        "Make the coloured film …",
    );
    return {
        element: make(
            "section",
            { class: "save", "aria-label": "Save", hidden: true },
            button,
            make("p", { class: "hint", text: "Hints save themselves beside the film, each with its frame's time." }),
        ),
        ask,
        show(film) {
            command.textContent = film.command;
        },
    };
}
