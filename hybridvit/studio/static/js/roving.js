/** Many buttons that are one stop for Tab: arrow keys, Home and End go from one to the next. */

/**
 * @param {HTMLElement} list whose buttons of the class they are
 * @param {string} selector of the buttons
 * @returns {{setStop: (button: HTMLElement | undefined) => void}}
 */
export function createRoving(list, selector) {
    const buttons = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);

    function setStop(button) {
        for (const one of buttons()) one.tabIndex = one === button ? 0 : -1;
    }

    /** How many stand in the first row. */
    function columns(all) {
        const top = all[0]?.offsetParent && all[0].getBoundingClientRect().top;
        const next = all.findIndex((one) => one.getBoundingClientRect().top > top + 4);
        return next < 0 ? all.length : next;
    }

    list.addEventListener("keydown", (event) => {
        const all = buttons();
        const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
        if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
        const row = columns(all);
        const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 };
        if (row < all.length) Object.assign(steps, { ArrowUp: at - row, ArrowDown: at + row });
        if (!(event.key in steps)) return;
        event.preventDefault();
        const next = all[steps[event.key]];
        if (!next) return;
        setStop(next);
        next.focus({ preventScroll: true });
        next.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    list.addEventListener("focusin", (event) => {
        if (event.target.matches(selector)) setStop(/** @type {HTMLElement} */ (event.target));
    });
    return { setStop };
}
