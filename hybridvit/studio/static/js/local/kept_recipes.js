/** What was said of photographs' colours, kept by the browser (IndexedDB) where it keeps anything for this page. */

const [NAME, STORE] = ["hybridvit", "sidecars"];

let opening = null;

function database() {
    opening ??= new Promise((resolve) => {
        const request = globalThis.indexedDB?.open(NAME, 1);
        if (!request) return resolve(null);
        request.onupgradeneeded = () => request.result.createObjectStore(STORE);
        request.onsuccess = () => resolve(request.result);
        request.onerror = request.onblocked = () => resolve(null);
    });
    return opening;
}

async function ask(mode, work) {
    const kept = await database();
    if (!kept) return null;
    return new Promise((resolve) => {
        const request = work(kept.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result ?? null);
        request.onerror = () => resolve(null);
    });
}

/** @param {string} id of a photograph @returns {Promise<object | null>} its sidecar */
export const keptRecipe = (id) => ask("readonly", (store) => store.get(id));

/** @param {string} id @param {object} sidecar */
export const keepRecipe = (id, sidecar) => ask("readwrite", (store) => store.put(JSON.parse(JSON.stringify(sidecar)), id));
