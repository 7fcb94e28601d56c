/** A photograph as a small picture with its name and marks, in the strip and in the grid. */

import { make } from "./dom.js";

/**
 * @param {import("./api.js").Api} api
 * @param {object} photo as GET photos answers
 * @param {(id: string) => void} open
 * @returns {{element: HTMLButtonElement, show: (photo: object, isCurrent: boolean) => void, setRevision: Function}}
 */
export function createThumbnail(api, photo, open) {
    const picture = make("img", {
        src: api.latestThumbnailUrl(photo.id, photo.colored),
        alt: "",
        loading: "lazy",
        decoding: "async",
        draggable: "false",
    });
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
            data: { id: photo.id },
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
            picture.src = api.thumbnailUrl(photo.id, revision);
            photo.colored = revision; // for those made later
        },
    };
}

/** A photograph's marks in words. @returns {string[]} */
export function marksOf({ hints, saved, approved }) {
    const said = [];
    if (hints) said.push(`${hints} ${hints === 1 ? "hint" : "hints"}`);
    if (saved) said.push("saved");
    if (approved) said.push("approved");
    return said;
}
