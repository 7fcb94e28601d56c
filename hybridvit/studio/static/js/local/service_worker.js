/**
 * Keeps the page's files, so that it works without a network. precache.js, written by `hybridvit export --web`, lists
 * them: path -> [SHA-256 in base64, whether it is kept from the beginning]. What is large is kept when the page loads it,
 * so that a bar can show how far it is. All comes with the headers that isolate the page, for it to have threads.
 */

// @ts-nocheck: what a service worker has is not what a page has
/* global self, caches, importScripts */

importScripts("precache.js");

const FILES = /** @type {Record<string, [string, boolean]>} */ (self.FILES);
const NAME = "hybridvit";
const POLICY = "POLICY" in self ? self.POLICY : "";
const HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
};

const scope = new URL(self.registration.scope);
/** Under which a file is kept: another version of it has another. */
const keyOf = (path) => new URL(`${path}?sha256=${encodeURIComponent(FILES[path][0])}`, scope).href;

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
    const path = url.pathname.slice(scope.pathname.length) || "index.html";
    if (Object.hasOwn(FILES, path)) event.respondWith(answer(path));
});

async function install() {
    const cache = await caches.open(NAME);
    const first = Object.entries(FILES).filter(([, [, early]]) => early);
    await Promise.all(first.map(([path]) => load(cache, path)));
}

async function load(cache, path) {
    const key = keyOf(path);
    if (await cache.match(key)) return; // as in the version before
    const response = await fetch(new URL(path, scope), { cache: "no-cache", integrity: `sha256-${FILES[path][0]}` });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await cache.put(key, response);
}

async function activate() {
    const cache = await caches.open(NAME);
    const wanted = new Set(Object.keys(FILES).map(keyOf));
    for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
    await self.clients.claim(); // the page of the first visit too
}

async function answer(path) {
    const cache = await caches.open(NAME);
    const kept = await cache.match(keyOf(path));
    if (kept) return isolated(kept);
    const response = await fetch(new URL(path, scope), { cache: "no-cache" });
    if (response.ok) keep(cache, path, response.clone()).catch(() => {}); // it is loaded again next time
    return isolated(response);
}

/** Once it is all there and is what it should be. */
async function keep(cache, path, response) {
    const body = await response.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
    if (btoa(String.fromCharCode(...digest)) !== FILES[path][0]) return;
    await cache.put(keyOf(path), new Response(body, { headers: response.headers }));
}

function isolated(response) {
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(HEADERS)) if (value) headers.set(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
