/**
 * Which revision's tiles to show and which to ask for. What is on the screen stays until the tiles of a newer one are
 * all there. While one is on its way, only the latest of those behind it is remembered: so a drag is seen to go on, and
 * no work is begun that nobody will see.
 */
export function createRevisions() {
    let [shown, target, latest, before] = [null, null, null, null];

    return {
        /** Whose tiles are on the screen. @returns {string|null} */
        get shown() {
            return shown;
        },
        /** Whose tiles are asked for. @returns {string|null} */
        get target() {
            return target;
        },
        /** What to draw, the best first. @returns {string[]} */
        get pictures() {
            return [shown, before, "original"].filter(Boolean);
        },
        /** A new one is known, or with null: another photograph. @param {string|null} revision */
        set(revision) {
            latest = revision;
            if (revision === null) shown = before = target = null;
            target ??= latest;
        },
        /**
         * Goes on to what is there.
         * @param {(revision: string) => boolean} isReady whether all its tiles in sight are there
         * @param {(revision: string) => boolean} isRefused whether one of them cannot be had
         * @returns {boolean} whether `shown` has changed
         */
        settle(isReady, isRefused) {
            if (latest === null) return false;
            if (target !== latest && (isReady(latest) || isRefused(target))) target = latest;
            const isNew = target !== shown && isReady(target);
            if (isNew) [shown, before] = [target, shown];
            if (shown === target) target = latest;
            return isNew;
        },
    };
}
