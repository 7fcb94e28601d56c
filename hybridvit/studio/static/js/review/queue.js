/** The queue as data: which photographs are shown, which is chosen, and what was done, for undo. */

export const STATES = ["unreviewed", "accepted", "redo", "rejected"];

/**
 * @typedef {{id: string, name: string, state: string, by: string, when: string, revision: string, colored: ?string,
 *     doubt: ?number, disagreement: ?number, hints: number}} Item
 * @typedef {{state: string, doubt: number, text: string}} Filter `state` empty: all; `doubt` a share, 0..1
 */

/**
 * Those that a filter lets through, in their order. The chosen one stays, so that a verdict does not take away what one
 * looks at.
 * @param {Item[]} items @param {Filter} filter @param {?string} chosen an id
 */
export function shown(items, filter, chosen = null) {
    const text = filter.text.trim().toLowerCase();
    return items.filter(
        (item) =>
            item.id === chosen ||
            ((!filter.state || item.state === filter.state) &&
                (item.doubt ?? 0) >= filter.doubt &&
                (!text || item.name.toLowerCase().includes(text) || item.by.toLowerCase().includes(text))),
    );
}

/** How many there are of each state. @param {Item[]} items */
export function counts(items) {
    return Object.fromEntries(STATES.map((state) => [state, items.filter((item) => item.state === state).length]));
}

/** The part of a long list that is in sight, with some beyond. */
export function inSight(top, height, rowHeight, count, beyond = 4) {
    const first = Math.max(0, Math.floor(top / rowHeight) - beyond);
    return { first, last: Math.min(count, Math.ceil((top + height) / rowHeight) + beyond) };
}
