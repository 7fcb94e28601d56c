/** Histories outlive loading the page again: they are kept by the browser for this tab. */

import { History } from "./history.js";

const KEY = "hybridvit-history ";
const MOST_BYTES = 500_000; // of one; browsers take 5 MB from a page

/** @param {Map<string, {history: History}>} sessions by the photographs' ids, those opened last at the end */
export function keepHistories(sessions) {
    for (const [id, { history }] of [...sessions].reverse()) {
        const text = JSON.stringify(history);
        try {
            if (text.length < MOST_BYTES) sessionStorage.setItem(KEY + id, text);
        } catch {
            return; // it is full, or the browser keeps nothing
        }
    }
}

/**
 * The history of a photograph, if it was kept and leads to its recipe.
 * @param {string} id @param {object} recipe
 * @returns {History | null}
 */
export function restoredHistory(id, recipe) {
    try {
        return History.from(JSON.parse(sessionStorage.getItem(KEY + id)), recipe);
    } catch {
        return null;
    }
}
