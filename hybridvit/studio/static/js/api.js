/**
 * The studio's API, answered by a server (over_http.js) or by the page itself (local/backend.js). Every function rejects
 * with an Error whose message is the answerer's own line, so that it can be shown as it is; a server that does not answer
 * rejects with a LostConnection, and "connection" events tell when that begins and ends.
 */

const RETRY_MS = 1500;

/** The server cannot be reached: nothing is wrong with what was asked. */
export class LostConnection extends Error {}

/** The server answered with an error; `status` is its HTTP status. */
export class Refused extends Error {
    /** @param {string} message @param {number} status */
    constructor(message, status) {
        super(message);
        this.status = status;
    }
}

/**
 * Who answers. `send` is as `fetch`, of a path below the API's address; its answer has `ok`, `status`, `statusText`,
 * `json()` and `blob()`. `picture` is the address of a picture, or comes to it; `file` what a download is given: an
 * address, and a name where the answer has none. `isLocal`: the page itself, without folders and without a server.
 * @typedef {object} Backend
 * @property {boolean} isLocal
 * @property {(path: string, options?: object) => Promise<any>} send
 * @property {(path: string) => string | Promise<string>} picture
 * @property {(path: string) => Promise<{href: string, name: string}>} file
 */

/**
 * @param {Backend} backend
 *
 * @typedef {ReturnType<typeof createApi>} Api
 */
export function createApi(backend) {
    const events = new EventTarget();
    let lost = false;

    function setLost(value) {
        if (lost === value) return;
        lost = value;
        events.dispatchEvent(new CustomEvent("connection", { detail: { lost } }));
        if (lost) setTimeout(probe, RETRY_MS);
    }

    async function probe() {
        try {
            await backend.send("", { cache: "no-store", signal: AbortSignal.timeout(5000) });
            setLost(false);
        } catch {
            setTimeout(probe, RETRY_MS);
        }
    }

    async function request(path, options = {}) {
        let response;
        try {
            response = await backend.send(path, options);
        } catch (error) {
            if (error.name === "AbortError") throw error;
            setLost(true);
            throw new LostConnection("The studio's server does not answer.");
        }
        setLost(false);
        if (!response.ok) throw new Refused(await errorLine(response), response.status);
        return response;
    }

    const json = async (path, options) => (await request(path, options)).json();
    const blob = async (path, options) => (await request(path, options)).blob();
    const send = (method, path, data) =>
        json(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) });
    const post = (path, data) => send("POST", path, data);
    const put = (path, data) => send("PUT", path, data);
    const upload = (path, file) =>
        json(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
    const photoPath = (id, rest = "") => `photos/${encodeURIComponent(id)}${rest}`;
    const tilePath = (id, what, { level, row, column }) => photoPath(id, `/tiles/${what}/${level}/${row}/${column}`);

    return {
        addEventListener: events.addEventListener.bind(events),
        removeEventListener: events.removeEventListener.bind(events),
        /** Whether the page itself answers: there are no folders then, and no server. */
        isLocal: backend.isLocal,
        /** @returns {boolean} whether the server has stopped answering */
        get lost() {
            return lost;
        },

        info: () => json(""),
        photos: async () => (await json("photos")).photos,
        /** Opens a photograph. */
        photo: (id, signal) => json(photoPath(id), { signal }),
        /** Uploads one. @param {File|Blob} file @param {string} name */
        addPhoto: (file, name) => upload(`photos?${new URLSearchParams({ name })}`, file),
        removePhoto: (id) => request(photoPath(id), { method: "DELETE" }),
        /** @param {string} id @param {string} [revision] in whose colours; else in those asked for last; see Backend.picture */
        thumbnailUrl: (id, revision) => backend.picture(photoPath(id, `/thumbnail${revision ? `?${query({ revision })}` : ""}`)),
        /** The same in the colours asked for last; `tag`: what tells them from those before. */
        latestThumbnailUrl: (id, tag) => backend.picture(photoPath(id, `/thumbnail${tag ? `?${query({ tag })}` : ""}`)),
        approve: (id, approved) => put(photoPath(id, "/approved"), { approved }),
        /** Makes a photograph ready to be shown at once. */
        prepare: (id) => request(photoPath(id, "/prepare"), { method: "POST" }),

        /**
         * Saves what decides the colours.
         * @param {string} id
         * @param {object} sidecar
         * @param {{ifMatch?: string, keepalive?: boolean}} [options]
         * @returns {Promise<{revision: string}>}
         */
        putSidecar: (id, sidecar, { ifMatch = undefined, keepalive = false } = {}) =>
            json(photoPath(id, "/sidecar"), {
                method: "PUT",
                headers: { "Content-Type": "application/json", ...(ifMatch && { "If-Match": `"${ifMatch}"` }) },
                body: JSON.stringify(sidecar),
                keepalive,
            }),
        /** @returns {Promise<{href: string, name: string}>} a file to download, as `resultFile` */
        sidecarFile: (id) => backend.file(photoPath(id, "/sidecar")),

        /** @param {{level: number, row: number, column: number}} tile @returns {Promise<Blob>} */
        tile: (id, what, tile, signal) => blob(tilePath(id, what, tile), { signal }),
        /** @param {number} ahead how many of them the server shall be ready to show, as a point there */
        colors: (id, x, y, revision, ahead, signal) =>
            json(photoPath(id, `/colors?${query({ x, y, revision, ahead })}`), { signal }),
        gamut: (id, x, y, revision, signal) =>
            json(photoPath(id, `/gamut?${new URLSearchParams({ x, y, ...(revision && { revision }) })}`), { signal }),
        uncertainty: (id, revision, signal) =>
            blob(photoPath(id, `/uncertainty?${new URLSearchParams({ revision })}`), { signal }),
        next: async (id, revision, count = 3, signal) =>
            (await json(photoPath(id, `/next?${query({ revision, count })}`), { signal })).points,
        /** A small picture in a revision's colours; the thumbnail stays what it is. */
        previewUrl: (id, revision) => backend.picture(photoPath(id, `/preview?${query({ revision })}`)),
        variant: (id, seed, revision, signal) =>
            blob(photoPath(id, `/variants/${seed}?${new URLSearchParams({ revision })}`), { signal }),

        /** A film: {id, name, length, step, cells, hinted, begin, command}; times are microseconds. */
        film: (id, signal) => json(photoPath(id, "/film"), { signal }),
        /** Frames of its strip, from a cell on: [{at, id, clock}]. */
        filmCells: async (id, first, signal) => (await json(photoPath(id, `/film/cells?${query({ first })}`), { signal })).cells,
        /** Where shots begin about a time: {cuts, until}. */
        filmCuts: (id, at, signal) => json(photoPath(id, `/film/cuts?${query({ at })}`), { signal }),
        /** The shot of the frame that begins then: {times, begins, ends, stop, hinted, picked}. */
        filmShot: (id, at, signal) => json(photoPath(id, `/film/shot?${query({ at })}`), { signal }),
        /** How far the shot's colours are: {tag, total, done, ready, failure}; answers when more than `after` is done. */
        filmSpread: (id, at, after, signal) => json(photoPath(id, `/film/spread?${query({ at, after })}`), { signal }),
        /** A frame, small; `tag`: the colours that its shot's hints give it. */
        filmPictureUrl: (id, at, tag) =>
            backend.picture(photoPath(id, `/film/picture?${query({ at, ...(tag && { tag }) })}`)),

        /** The folder's photographs for review, those first that need a person most. */
        reviewQueue: async () => (await json("review")).photos,
        /** @param {{of: "result"|"original", size: "small"|"large", tag: string}} what `tag` changes with the file */
        reviewPictureUrl: (id, what) => backend.picture(photoPath(id, `/review/picture?${query(what)}`)),
        /** A verdict; rejects with 409 if somebody else gave one since `revision`. */
        putReview: (id, review, revision) =>
            json(photoPath(id, "/review"), {
                method: "PUT",
                headers: { "Content-Type": "application/json", "If-Match": `"${revision}"` },
                body: JSON.stringify(review),
            }),
        /** Copies an accepted result. @returns {Promise<{file: string, copied: boolean}>} */
        exportResult: (id, folder) => post(photoPath(id, "/review/export"), { folder }),

        addReference: (file) => upload("references", file),
        reference: (id) => blob(`references/${encodeURIComponent(id)}`),
        /**
         * How far a hint reaches.
         * @param {object} hint as in the sidecar
         * @returns {Promise<{share: number, outline: number[][][]}>}
         */
        reach: (id, hint, revision, signal) =>
            json(photoPath(id, `/reach?${new URLSearchParams({ revision })}`), {
                method: "POST",
                headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ hint }),
                signal,
            }),
        /** What carrying the colours over would do to one photo. */
        carryPreview: (id, to, signal) =>
            json(photoPath(id, "/carry/preview"), {
                method: "POST",
                headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ to: [to] }),
                signal,
            }),
        carry: (id, to) => post(photoPath(id, "/carry"), { to }),
        /**
         * @param {string} id @param {string | null} format @param {"folder" | "studio" | "download"} place
         * @param {string | null} folder instead of the folder of the results
         */
        save: (id, format = null, place = "folder", folder = null) =>
            post(photoPath(id, "/save"), { format, place, folder }),
        /** Whether results can go to a folder below the user's home. @returns {Promise<{folder: string}>} */
        checkFolder: (folder) => post("folder", { folder }),
        resultFile: (id, format) =>
            backend.file(photoPath(id, `/result?${new URLSearchParams(format ? { format } : {})}`)),
    };
}

const query = (/** @type {Record<string, any>} */ fields) => new URLSearchParams(fields);

async function errorLine(response) {
    try {
        const { error } = await response.json();
        if (typeof error === "string") return error;
    } catch {
        // no JSON: something between the page and the server answered
    }
    return `The server answered ${response.status} ${response.statusText}`.trim();
}
