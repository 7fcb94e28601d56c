/** Light or dark: as the system says, until the user says otherwise. */

const KEY = "hybridvit-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const NAMES = { system: "as the system", light: "light", dark: "dark" };

/** @param {HTMLElement[]} buttons each goes on to the next of system, light, dark */
export function createTheme(buttons) {
    let theme = load();

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
            keep(theme);
            show();
        });
    }
    show();
}

function load() {
    try {
        const kept = localStorage.getItem(KEY);
        return Object.hasOwn(NEXT, kept) ? kept : "system";
    } catch {
        return "system"; // a browser may forbid the page to keep anything
    }
}

function keep(theme) {
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        // then it lasts as long as the page
    }
}
