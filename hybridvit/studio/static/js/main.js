/** The page: makes its parts and joins them. */

import { createApi } from "./api.js";
import { createCompare } from "./compare.js";
import { createCrop } from "./crop.js";
import { createFilm } from "./film/film.js";
import { createGestures } from "./gestures.js";
import { createGrid } from "./grid.js";
import { createHeader } from "./header.js";
import { createHintsLayer } from "./hints_layer.js";
import { createHintsList } from "./hints_list.js";
import { inWorker } from "./local/backend.js";
import { createLoading } from "./local/loading.js";
import { createRunsOn } from "./local/runs_on.js";
import { createMessages } from "./messages.js";
import { overHttp } from "./over_http.js";
import { createCarry } from "./panels/carry.js";
import { createHistoryList } from "./panels/history_list.js";
import { createNextHint } from "./panels/next_hint.js";
import { panel } from "./panels/panel.js";
import { createReference } from "./panels/reference.js";
import { createSave } from "./panels/save.js";
import { createSettings } from "./panels/settings.js";
import { createUncertainty } from "./panels/uncertainty.js";
import { createVariants } from "./panels/variants.js";
import { createPhotos, wholeOf } from "./photos.js";
import { createPrepare } from "./prepare.js";
import { createPopup } from "./popup.js";
import { createSheet } from "./sheet.js";
import { createShortcuts } from "./shortcuts.js";
import { createStrip } from "./strip.js";
import { createStore } from "./store.js";
import { createTheme } from "./theme.js";
import { createToolbar } from "./toolbar.js";
import { createTools } from "./tools.js";
import { createViewport } from "./viewport.js";

const byId = (id) => document.getElementById(id);
const button = (id) => /** @type {HTMLButtonElement} */ (byId(id));

const isLocal = document.querySelector('meta[name="hybridvit-backend"][content="local"]') !== null;
const local = isLocal ? inWorker() : null;
const api = createApi(local ?? overHttp());
const store = createStore(api);
const messages = createMessages(byId("messages"));
const viewport = createViewport(byId("viewport"), store, api);
createTheme([byId("theme"), byId("sheet-theme")]);
createGestures(viewport, store);
createHintsLayer(viewport, store);
createCompare(viewport, byId("view-bar"));
const photos = createPhotos({ api, store, messages, viewport: viewport.element });
const popup = createPopup(viewport, store, api);
const tools = createTools(viewport, store, popup);
const crop = createCrop(viewport, store);
createToolbar(byId("toolbar"), byId("tool-options"), store, tools, crop.options);
const sheet = createSheet(byId("panels"), button("open-panels"), button("close-panels"));

const parts = { api, store, viewport, messages, photos };
const uncertainty = createUncertainty(parts);
const nextHint = createNextHint({ ...parts, place: (x, y) => tools.placeAt(x, y) });
const save = createSave(parts);
const grid = createGrid({ ...parts, saveOne: save.saveOne, chooseFolder: save.chooseFolder });
createStrip({ ...parts, strip: byId("strip"), showAll: grid.show });
createPrepare(parts);
const variants = createVariants(parts);
const carry = api.isLocal ? [] : [createCarry(parts)];
byId("panels-scroll").append(
    createHintsList(store, viewport, popup),
    createSettings(parts),
    panel("sure", "How sure is it?", { open: true }, ...uncertainty.elements, ...nextHint.elements),
    variants,
    createReference(parts),
    ...carry,
    createHistoryList(parts),
    ...(local ? [createRunsOn(local)] : []),
);
byId("panels-foot").append(save.element);
const film = api.isLocal ? null : createFilm({ ...parts, element: byId("film") });
if (film) byId("panels-foot").append(film.making);
store.addEventListener("photo", () => {
    const isFilm = Boolean(store.photo.film);
    document.body.toggleAttribute("data-film", isFilm);
    for (const one of [variants, ...carry, save.element]) one.hidden = isFilm;
});

const actions = {
    save: () => (store.photo?.film ? film.make() : save.save()),
    openFiles: photos.pick,
    nextPhoto: () => photos.step(1),
    previousPhoto: () => photos.step(-1),
    setMode: (mode) => viewport.setMode(mode),
    holdOriginal: (held) => viewport.hold(held),
    toggleUncertainty: uncertainty.toggle,
    findNextHint: nextHint.find,
    togglePanels: sheet.toggle,
    showAllPhotos: grid.show,
    toggleApproved: api.isLocal ? undefined : photos.toggleApproved,
    turn: (by) => store.photo?.film || crop.turn(by),
    stepFrame: film?.step,
};
const shortcuts = createShortcuts(store, viewport, tools, actions);
createHeader({ ...parts, help: shortcuts.help });

store.addEventListener("error", ({ detail }) => api.lost || messages.error(detail.message, { key: "saving" }));
store.addEventListener("announce", ({ detail }) => messages.announce(detail.message));
store.addEventListener("busy", () => store.busy || messages.close("saving"));
store.addEventListener("conflict", ({ detail: { name, reload, keep } }) =>
    messages.error(`${name} was changed in another window.`, {
        key: "conflict",
        closable: false,
        actions: [
            { label: "Take those changes", run: reload },
            { label: "Keep mine", run: keep },
        ],
    }),
);
store.addEventListener("photo", () => {
    messages.close("remarks");
    if (store.photo.remarks?.length) messages.remark(store.photo.remarks.join(" "), { key: "remarks" });
});

document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address keeps the photograph's id
    viewport.element.focus();
});

let [renewing, renewed] = [false, null]; // the server had forgotten the revision, and is told it again, once
viewport.addEventListener("failed", ({ detail: { error, forgotten } }) => {
    if (forgotten && renewing) return;
    if (forgotten && renewed !== store.revision) {
        [renewing, renewed] = [true, store.revision];
        store.renew();
    } else if (!api.lost) {
        messages.error(error.message, { key: "tiles", actions: [{ label: "Try again", run: viewport.retry }] });
    }
});
store.addEventListener("busy", () => {
    if (!renewing || store.busy) return;
    renewing = false;
    viewport.retry();
});
let coloredPhoto = null;
if (local) createLoading(viewport.element, local, messages);
viewport.addEventListener("drawn", () => {
    renewed = null;
    messages.close("tiles");
    if (coloredPhoto !== store.photo.id) messages.announce(`${store.photo.name} is coloured.`);
    coloredPhoto = store.photo.id;
});

api.addEventListener("connection", ({ detail: { lost } }) => {
    if (lost) {
        const text = "The studio does not answer. Your hints are safe here; trying again …";
        messages.error(text, { key: "connection", closable: false });
    } else {
        for (const key of ["connection", "saving", "tiles"]) messages.close(key); // they were of that time
        messages.note("The studio answers again.");
    }
});

async function start() {
    const info = await messages.guard(api.info(), "start");
    if (info) {
        photos.setLimits(info.limits);
        save.setFormats(info);
        if (info.films) messages.remark(`Films are here that cannot be opened: ${info.films}`, { key: "films" });
    }
    await photos.refresh();
    const wanted = decodeURIComponent(location.hash.slice(1)) || info?.first;
    const first = photos.all.find(({ id }) => id === wholeOf(wanted)) ?? photos.all[0];
    if (first) photos.open(first.id === wholeOf(wanted) ? wanted : first.id);
}

start();
