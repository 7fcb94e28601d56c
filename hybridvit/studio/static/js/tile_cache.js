/**
 * Decoded tiles, the least recently used ones dropped when they have too many pixels together, and the requests for
 * those that are still missing. The tiles of a revision never change, so nothing here is ever out of date.
 */

import { LostConnection, Refused } from "./api.js";

const MOST_PIXELS = (navigator.deviceMemory ?? 8) <= 4 ? 24e6 : 64e6; // 4 bytes each
const MOST_REQUESTS = 6; // a browser sends no more to one host at a time

/**
 * @param {import("./api.js").Api} api
 * @param {(error: Error, what: string) => void} failed told of a tile that could not be had; it is not asked for again
 *     until `forget`
 */
export function createTileCache(api, failed) {
    const bitmaps = new Map(); // the least recently used first
    const loading = new Map(); // key -> AbortController
    const refused = new Set();
    let pixels = 0;
    let queue = [];
    let arrived = () => {};

    const keyOf = (id, what, { level, row, column }) => `${id}/${what}/${level}/${row}/${column}`;

    function keep(key, bitmap) {
        bitmaps.set(key, bitmap);
        pixels += bitmap.width * bitmap.height;
        for (const [oldest, old] of bitmaps) {
            if (pixels <= MOST_PIXELS || oldest === key) break;
            bitmaps.delete(oldest);
            pixels -= old.width * old.height;
            old.close();
        }
    }

    async function load({ key, id, what, tile }) {
        const controller = new AbortController();
        loading.set(key, controller);
        try {
            const bitmap = await createImageBitmap(await api.tile(id, what, tile, controller.signal));
            if (loading.get(key) === controller) keep(key, bitmap);
            else bitmap.close();
        } catch (error) {
            if (error.name === "AbortError") return;
            // without an answer it is asked for again when the server is back
            if (!(error instanceof LostConnection)) refused.add(key);
            failed(error, what);
        } finally {
            if (loading.get(key) === controller) loading.delete(key);
            if (!controller.signal.aborted) arrived();
            next();
        }
    }

    function next() {
        while (loading.size < MOST_REQUESTS && queue.length && !api.lost) load(queue.shift());
    }

    return {
        /** Called whenever a tile is there, or cannot be had. @param {() => void} listener */
        onArrival(listener) {
            arrived = listener;
        },
        /** @returns {ImageBitmap|undefined} */
        get(id, what, tile) {
            const key = keyOf(id, what, tile);
            const bitmap = bitmaps.get(key);
            if (bitmap) {
                bitmaps.delete(key);
                bitmaps.set(key, bitmap);
            }
            return bitmap;
        },
        has: (id, what, tile) => bitmaps.has(keyOf(id, what, tile)),
        /** Whether the server would not give it. */
        isRefused: (id, what, tile) => refused.has(keyOf(id, what, tile)),
        /**
         * What is wanted now, the most urgent first; whatever else was asked for is given up.
         * @param {{id: string, what: string, tile: import("./pyramid.js").Tile}[]} wanted
         */
        want(wanted) {
            const missing = wanted
                .map((request) => ({ ...request, key: keyOf(request.id, request.what, request.tile) }))
                .filter(({ key }) => !bitmaps.has(key) && !refused.has(key));
            const keys = new Set(missing.map(({ key }) => key));
            for (const [key, controller] of loading) {
                if (!keys.has(key)) {
                    loading.delete(key);
                    controller.abort();
                }
            }
            queue = missing.filter(({ key }) => !loading.has(key));
            next();
        },
        /** Asks again for what could not be had. */
        forget: () => refused.clear(),
        /** Whether anything is on its way. */
        get waiting() {
            return loading.size + queue.length > 0;
        },
    };
}

/** Whether the server has forgotten the revision of a tile, so that the sidecar must be sent again. */
export const isForgotten = (error) => error instanceof Refused && error.status === 410;
