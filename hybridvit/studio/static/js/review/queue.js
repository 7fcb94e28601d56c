/** The queue as data: which photographs are shown, how many there are of each state, which are in sight. */

export const STATES = ["unreviewed", "accepted", "redo", "rejected"];

/**
 * @typedef {{id: string, name: string, state: string, by: string, when: string, revision: string, colored: ?string,
 *     doubt: ?number, disagreement: ?number, hints: number, words: string}} Item
 * @typedef {{state: string, doubt: number, text: string}} Filter `state` empty: all; `doubt` a share, 0..1
 */

/**
 * Those that a filter lets through, in their order. The chosen one stays, so that a verdict does not take away what one
 * looks at.
 * @param {Item[]} items @param {Filter} filter @param {?string} chosen an id
 */
export function shown(items, filter, chosen = null) {
    const text = filter.text.trim().toLowerCase();
    const said = (item) => `${item.name}\n${item.by}\n${item.words}`.toLowerCase();
    return items.filter(
        (item) =>
            item.id === chosen ||
            ((!filter.state || item.state === filter.state) &&
                (item.doubt ?? 0) >= filter.doubt &&
                (!text || said(item).includes(text))),
    );
}

/** How many there are of each state. @param {Item[]} items */
export function counts(items) {
    const found = Object.fromEntries(STATES.map((state) => [state, 0]));
    for (const { state } of items) found[state]++;
    return found;
}

/** What is known of one, in words. @param {Item} item */
export function facts(item) {
    const parts = [item.by ? `${item.state} by ${item.by}` : item.state];
    if (!item.colored) parts.push("not coloured yet");
    if (item.doubt != null) parts.push(`doubt ${Math.round(100 * item.doubt)} %`);
    if (item.disagreement != null) parts.push(`${item.disagreement.toFixed(1)} ab units from its group`);
    if (item.hints) parts.push(item.hints === 1 ? "1 colour given" : `${item.hints} colours given`);
    return parts.join(", ");
}

/** The part of a long list that is in sight, with some beyond. */
export function inSight(top, height, rowHeight, count, beyond = 2) {
    const first = Math.max(0, Math.floor(top / rowHeight) - beyond);
    return { first, last: Math.min(count, Math.ceil((top + height) / rowHeight) + beyond) };
}
