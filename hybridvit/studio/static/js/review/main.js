/** The review page: a queue, one key for each verdict, undo, before and after by holding a key. */

import { createApi, Refused } from "../api.js";
import { make } from "../dom.js";
import { overHttp } from "../over_http.js";
import { createTheme } from "../theme.js";
import { createExport } from "./exporting.js";
import { createGrid } from "./grid.js";
import { counts, facts, shown, STATES } from "./queue.js";

const NAME = "hybridvit-reviewer";
const $ = (id) => /** @type {any} */ (document.getElementById(id)); // elements of each kind
const api = createApi(overHttp());
const grid = createGrid($("grid"), { thumbnail: (item) => url(item, "small"), choose });
let items = [];
let chosen = null;
let stateShown = "";
let before = false;
let sending = Promise.resolve(); // one verdict after the other, in their order
let unsent = 0; // verdicts
const done = []; // {id, state}: what a verdict replaced
const numbers = new Map(); // of a state, its element

/** @returns {string} a server is there for this page */
function url(item, size, of = item.colored ? "result" : "original") {
    return /** @type {any} */ (api).reviewPictureUrl(item.id, { of, size, tag: (of === "result" && item.colored) || "none" });
}

const filter = () => ({
    state: stateShown,
    doubt: Number($("filter-doubt").value) / 100,
    text: $("filter-text").value,
});
const inQueue = () => shown(items, filter(), chosen);
const current = () => items.find((item) => item.id === chosen);

function draw() {
    const queue = inQueue();
    grid.show(queue, chosen);
    const found = counts(items);
    for (const [state, element] of numbers) element.textContent = state ? found[state] : items.length;
    const each = Object.entries(found).map(([state, count]) => `${count} ${state}`);
    $("counts").textContent = `${queue.length} of ${items.length} shown: ${each.join(", ")}`;
    const item = current();
    $("undo").disabled = !done.length && !unsent;
    for (const id of ["accepted", "redo", "rejected", "next"]) $(id).disabled = !item;
    $("before").disabled = !item?.colored;
    $("name").textContent = item?.name ?? (items.length ? "No photograph" : "No photograph is in this folder");
    $("facts").textContent = item ? facts(item) : "";
    $("open").hidden = !item;
    if (item) $("open").href = `./#${item.id}`;
    drawPicture(item);
}

function drawPicture(item) {
    const isBefore = Boolean(item?.colored) && before;
    $("picture").hidden = !item || isBefore;
    $("original").hidden = !isBefore;
    $("tag").hidden = !isBefore;
    $("before").setAttribute("aria-pressed", String(isBefore));
    if (!item) return;
    place($("picture"), url(item, "large"), `${item.name}, ${item.colored ? "in colour" : "the original"}`);
    if (item.colored) place($("original"), url(item, "large", "original"), `${item.name}, the original`);
}

/** The last one's picture does not stand for this one's while it comes. */
function place(image, address, text) {
    if (image.src === address) return;
    image.removeAttribute("src");
    image.src = address;
    image.alt = text;
}

/** The next one's picture is there when one comes to it. */
function prepare(queue) {
    const next = queue[queue.findIndex((item) => item.id === chosen) + 1];
    if (next) new Image().src = url(next, "large");
}

function choose(id) {
    chosen = id;
    say("");
    draw();
    prepare(inQueue());
}

function step(by) {
    const queue = inQueue();
    const at = queue.findIndex((item) => item.id === chosen);
    const next = queue[Math.min(Math.max(at + by, 0), queue.length - 1)];
    if (next && next.id !== chosen) choose(next.id);
}

function say(text) {
    $("message").textContent = text;
}

async function put(item, state) {
    try {
        Object.assign(item, await api.putReview(item.id, { state, by: $("reviewer").value.trim() }, item.revision));
        return true;
    } catch (error) {
        if (error instanceof Refused && error.status === 409) {
            await load();
            choose(item.id);
        }
        say(`${item.name}: ${error.message}`);
        return false;
    }
}

/** In its turn; the page is not left before. */
function send(act) {
    unsent++;
    sending = sending
        .then(act)
        .catch((error) => say(error.message))
        .finally(() => {
            unsent--;
            draw();
        });
}

/** Goes on at once; what is said of a photograph is sent in its turn. */
function judge(state) {
    const item = current();
    if (!item) return;
    step(1);
    send(async () => {
        const was = { id: item.id, state: item.state };
        const now = items.find((one) => one.id === item.id);
        if (now && (await put(now, state))) done.push(was);
    });
}

function undo() {
    send(async () => {
        const last = done.pop();
        const item = last && items.find((one) => one.id === last.id);
        if (item && (await put(item, last.state))) choose(item.id);
    });
}

function hold(value) {
    if (before === value) return;
    before = value;
    drawPicture(current());
}

async function load() {
    items = await api.reviewQueue();
    if (!current()) chosen = inQueue()[0]?.id ?? null;
    draw();
    prepare(inQueue());
}

function narrow() {
    const queue = shown(items, filter());
    if (!queue.some((item) => item.id === chosen)) chosen = queue[0]?.id ?? null;
    draw();
}

const KEYS = {
    a: () => judge("accepted"),
    r: () => judge("redo"),
    x: () => judge("rejected"),
    n: () => step(1),
    p: () => step(-1),
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    ArrowDown: () => step(grid.columns()),
    ArrowUp: () => step(-grid.columns()),
    u: undo,
    b: () => hold(true),
};

addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("export-dialog").open) return;
    if (event.target.matches("input:not([type=radio])")) return;
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && event.target.matches("input")) return;
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || isArrow) act();
});
addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && hold(false));
addEventListener("blur", () => hold(false));
addEventListener("beforeunload", (event) => unsent && event.preventDefault());
for (const id of ["accepted", "redo", "rejected"]) $(id).addEventListener("click", () => judge(id));
$("next").addEventListener("click", () => step(1));
$("undo").addEventListener("click", undo);
$("before").addEventListener("pointerdown", () => hold(true));
$("before").addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && hold(true));
$("before").addEventListener("keyup", (event) => [" ", "Enter"].includes(event.key) && hold(false));
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => hold(false));
for (const id of ["filter-doubt", "filter-text"]) $(id).addEventListener("input", narrow);
for (const state of ["", ...STATES]) {
    const choice = { type: "radio", name: "state", value: state, checked: !state };
    const input = make("input", { ...choice, data: { testid: `filter-${state || "all"}` } });
    input.addEventListener("change", () => {
        stateShown = state;
        narrow();
    });
    numbers.set(state, make("b"));
    $("filter-state").append(make("label", {}, input, state || "all", numbers.get(state)));
}
createTheme([]);
createExport(
    api,
    () => items.filter((item) => item.state === "accepted" && item.colored),
    () => sending,
);
$("reviewer").value = localStorage.getItem(NAME) ?? "";
$("reviewer").addEventListener("change", () => localStorage.setItem(NAME, $("reviewer").value));
load().catch((error) => say(error.message));
