/**
 * The page without a network: a service worker keeps its files, and lets the page have threads, for which browsers ask
 * that it be isolated from others (the headers that say so come from the service worker, as no server need know them).
 */

const PATIENCE_MS = 4000; // without a service worker the page works too
const RELOADED = "hybridvit.isolated";

/** Resolves when the page is as it can be: kept for offline and isolated where the browser allows it. */
export async function ready() {
    if (!("serviceWorker" in navigator)) return;
    const { serviceWorker } = navigator;
    try {
        await serviceWorker.register(new URL("service_worker.js", document.baseURI));
    } catch {
        return; // the browser keeps nothing for this page, as in some private windows
    }
    if (!serviceWorker.controller) {
        const controlled = new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
        await Promise.race([controlled, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    }
    if (!serviceWorker.controller || crossOriginIsolated || sessionStorage.getItem(RELOADED)) return;
    sessionStorage.setItem(RELOADED, "once");
    location.reload();
    await new Promise(() => {}); // the page that comes goes on
}
