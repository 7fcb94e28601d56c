/** Light or dark: as the system says, until the user says otherwise. */

const KEY = "hybridvit-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const NAMES = { system: "as the system", light: "light", dark: "dark" };

/** @param {HTMLElement[]} buttons each goes on to the next of system, light, dark */
export function createTheme(buttons) {
    let theme = localStorage.getItem(KEY) ?? "system";
    if (!(theme in NEXT)) theme = "system";

    function show() {
        if (theme === "system") delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = theme;
        for (const button of buttons) {
            button.title = `Light or dark: ${NAMES[theme]}`;
            button.setAttribute("aria-label", `Theme: ${NAMES[theme]}`);
        }
    }
    for (const button of buttons) {
        button.addEventListener("click", () => {
            theme = NEXT[theme];
            localStorage.setItem(KEY, theme);
            show();
        });
    }
    show();
}
