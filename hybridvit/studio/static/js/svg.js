/** SVG elements, made without markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {object} [attributes]
 * @param {...SVGElement} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, tag);
    setAll(element, attributes);
    element.append(...children);
    return element;
}

/** Sets attributes; those that are null are removed. */
export function setAll(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null) element.removeAttribute(name);
        else element.setAttribute(name, value);
    }
}

/** A path through corners as SVG writes it; a path of one corner is a dot. */
export function pathData(path, closed = false) {
    const [first, ...rest] = path.map(([x, y]) => `${x} ${y}`);
    return `M${first}L${(rest.length ? rest : [first]).join("L")}${closed ? "Z" : ""}`;
}

/** A mask's runs of pixels as a path of rectangles. */
export function maskData({ left, top, width, runs }) {
    const rectangles = [];
    let start = 0;
    runs.forEach((run, i) => {
        if (i % 2 === 1) rectangles.push(...rectanglesOf(start, start + run, left, top, width));
        start += run;
    });
    return rectangles.map(([x, y, w, h]) => `M${x} ${y}h${w}v${h}h${-w}Z`).join("");
}

/** The pixels from `start` to `end` of a mask: the rest of a row, whole rows, the beginning of one. */
function rectanglesOf(start, end, left, top, width) {
    const rectangles = [];
    while (start < end) {
        const [row, column] = [Math.floor(start / width), start % width];
        const rows = column === 0 ? Math.floor((end - start) / width) : 0;
        const across = rows ? width : Math.min(end - start, width - column);
        rectangles.push([left + column, top + row, across, rows || 1]);
        start += across * (rows || 1);
    }
    return rectangles;
}
