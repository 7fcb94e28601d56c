/** On a narrow screen the panels are a sheet that comes up from below. */

/**
 * @param {HTMLElement} panels
 * @param {HTMLButtonElement} opener
 * @param {HTMLButtonElement} closer
 * @returns {{toggle: () => void}}
 */
export function createSheet(panels, opener, closer) {
    function set(open) {
        panels.toggleAttribute("data-open", open);
        opener.setAttribute("aria-expanded", open);
        if (open) closer.focus();
        else if (panels.contains(document.activeElement)) opener.focus();
    }
    const toggle = () => set(!panels.hasAttribute("data-open"));
    opener.addEventListener("click", toggle);
    closer.addEventListener("click", () => set(false));
    panels.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && panels.hasAttribute("data-open")) set(false);
    });
    return { toggle };
}
