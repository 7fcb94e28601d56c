/** The review page: a queue, one key for each verdict, undo, before and after by holding a key. */

import { createApi, Refused } from "../api.js";
import { overHttp } from "../over_http.js";
import { createList } from "./list.js";
import { counts, shown } from "./queue.js";

const NAME = "hybridvit-reviewer";
const $ = (id) => /** @type {any} */ (document.getElementById(id)); // elements of each kind
const api = createApi(overHttp());
const list = createList($("list"), { thumbnail: (item) => url(item, "small"), choose: (id) => choose(id) });
let items = [];
let chosen = null;
let before = false;
const done = []; // {id, state}: what a verdict replaced

/** @returns {string} a server is there for this page */
function url(item, size, of = item.colored ? "result" : "original") {
    return /** @type {any} */ (api).reviewPictureUrl(item.id, { of, size, tag: item.colored ?? "none" });
}

const filter = () => ({
    state: $("filter-state").value,
    doubt: Number($("filter-doubt").value) / 100,
    text: $("filter-text").value,
});
const inQueue = () => shown(items, filter(), chosen);
const current = () => items.find((item) => item.id === chosen);

function draw() {
    const queue = inQueue();
    list.show(queue, chosen);
    const numbers = counts(items);
    $("counts").textContent = `${queue.length} of ${items.length} shown: ` +
        Object.entries(numbers).map(([state, count]) => `${count} ${state}`).join(", ");
    const item = current();
    $("undo").disabled = !done.length;
    for (const id of ["accepted", "redo", "rejected", "before"]) $(id).disabled = !item;
    $("picture").hidden = !item;
    $("name").textContent = item?.name ?? "No photograph";
    $("facts").textContent = item ? facts(item) : "";
    if (!item) return;
    const address = url(item, "large", before || !item.colored ? "original" : "result");
    if ($("picture").src !== address) $("picture").src = address;
    $("picture").alt = `${item.name}, ${before || !item.colored ? "the original" : "in colour"}`;
}

function facts(item) {
    const parts = [item.by ? `${item.state} by ${item.by}` : item.state];
    if (!item.colored) parts.push("not coloured yet");
    if (item.doubt != null) parts.push(`doubt ${Math.round(100 * item.doubt)} %`);
    if (item.disagreement != null) parts.push(`${item.disagreement.toFixed(1)} ab units from its group`);
    if (item.hints) parts.push(`${item.hints} colours given`);
    return parts.join(", ");
}

function choose(id) {
    chosen = id;
    say("");
    draw();
}

function step(by) {
    const queue = inQueue();
    const at = queue.findIndex((item) => item.id === chosen);
    const next = queue[Math.min(Math.max(at + by, 0), queue.length - 1)];
    if (next) choose(next.id);
}

function say(text) {
    $("message").textContent = text;
}

async function put(item, state) {
    try {
        const said = await api.putReview(item.id, { state, by: $("reviewer").value }, item.revision);
        Object.assign(item, said);
        return true;
    } catch (error) {
        if (error instanceof Refused && error.status === 409) await load();
        say(error.message);
        return false;
    }
}

async function judge(state) {
    const item = current();
    if (!item) return;
    const was = { id: item.id, state: item.state };
    if (!(await put(item, state))) return;
    done.push(was);
    if (chosen === item.id) step(1);
    draw();
}

async function undo() {
    const last = done.pop();
    const item = last && items.find((one) => one.id === last.id);
    if (item && (await put(item, last.state))) chosen = item.id;
    draw();
}

function hold(value) {
    if (before === value) return;
    before = value;
    draw();
}

async function load() {
    items = await api.reviewQueue();
    if (!current()) chosen = inQueue()[0]?.id ?? null;
    draw();
}

const KEYS = {
    a: () => judge("accepted"),
    r: () => judge("redo"),
    x: () => judge("rejected"),
    n: () => step(1),
    p: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    u: () => undo(),
    b: () => hold(true),
};

addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select")) return;
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || event.key.startsWith("Arrow")) act();
});
addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && hold(false));
addEventListener("blur", () => hold(false));
for (const id of ["accepted", "redo", "rejected"]) $(id).addEventListener("click", () => judge(id));
$("next").addEventListener("click", () => step(1));
$("undo").addEventListener("click", undo);
$("before").addEventListener("pointerdown", () => hold(true));
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => hold(false));
for (const id of ["filter-state", "filter-doubt", "filter-text"])
    $(id).addEventListener("input", () => {
        if (!shown(items, filter()).some((item) => item.id === chosen)) chosen = shown(items, filter())[0]?.id ?? null;
        draw();
    });
$("reviewer").value = localStorage.getItem(NAME) ?? "";
$("reviewer").addEventListener("change", () => localStorage.setItem(NAME, $("reviewer").value));
load().catch((error) => say(error.message));
