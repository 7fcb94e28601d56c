/** A photograph as a small picture with its name and marks, in the strip and in the grid. */

import { make, setPicture } from "./dom.js";

const AHEAD = "200px"; // beyond what is in sight
const waiting = new WeakMap(); // pictures that are not in sight yet -> what gives their addresses
const inSight = new IntersectionObserver(
    (entries) => {
        for (const { target, isIntersecting } of entries) if (isIntersecting) fetchNow(target);
    },
    { rootMargin: AHEAD, scrollMargin: AHEAD },
);

function fetchNow(picture) {
    inSight.unobserve(picture);
    setPicture(picture, waiting.get(picture)());
    waiting.delete(picture);
}

/**
 * A photograph's small picture is fetched when it comes into sight: a folder may have hundreds.
 * @param {import("./api.js").Api} api
 * @param {object} photo as GET photos answers
 * @param {(id: string) => void} open
 * @returns {{element: HTMLButtonElement, show: (photo: object, isCurrent: boolean) => void, setRevision: Function}}
 */
export function createThumbnail(api, photo, open) {
    const picture = make("img", {
        alt: "",
        decoding: "async",
        draggable: "false",
    });
    waiting.set(picture, () => api.latestThumbnailUrl(photo.id, photo.colored));
    inSight.observe(picture);
    const hints = make("span", { class: "thumb-hints", "aria-hidden": "true" });
    const marks = make("span", { class: "thumb-marks", "aria-hidden": "true" });
    const said = make("span", { class: "unseen", text: photo.name });
    const element = make(
        "button",
        {
            type: "button",
            class: "thumb",
            title: photo.name,
            tabindex: "-1",
            data: { id: photo.id, kind: photo.kind ?? "photo" },
            on: { click: () => open(photo.id) },
        },
        picture,
        make("span", { class: "thumb-name", "aria-hidden": "true", text: photo.name }),
        hints,
        marks,
        said,
    );

    return {
        element,
        /** Its marks, and whether it is the one that is shown. */
        show(now, isCurrent) {
            const count = now.hints ?? 0;
            hints.textContent = count ? String(count) : "";
            marks.textContent = `${now.saved ? "✓" : ""}${now.approved ? "★" : ""}`;
            said.textContent = [now.name, ...marksOf(now)].join(", ");
            if (isCurrent) element.setAttribute("aria-current", "true");
            else element.removeAttribute("aria-current");
        },
        /** Shows it in the colours of a revision. @param {string} revision */
        setRevision(revision) {
            waiting.set(picture, () => api.thumbnailUrl(photo.id, revision));
            fetchNow(picture);
            photo.colored = revision; // for those made later
        },
    };
}

/** A photograph's marks in words. @returns {string[]} */
export function marksOf({ kind, hints, saved, approved }) {
    const said = kind === "film" ? ["film"] : [];
    if (hints) said.push(`${hints} ${hints === 1 ? "hint" : "hints"}`);
    if (saved) said.push("saved");
    if (approved) said.push("approved");
    return said;
}
