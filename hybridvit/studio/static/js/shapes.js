/**
 * Hints as shapes on the picture: where they are, whether a place is on them, moved, simplified. Pure functions.
 *
 * A hint is as in the sidecar's JSON: {type: "point", x, y}, {type: "stroke", points, width} or {type: "region",
 * polygon | mask}, each with a color and perhaps a source. Coordinates are full-resolution px, x right, y down.
 * An area (of something protected) is {polygon} or {mask}.
 */

/** The corners of a mask's rectangle. */
function maskCorners({ left, top, width, height }) {
    return [
        [left, top],
        [left + width, top],
        [left + width, top + height],
        [left, top + height],
    ];
}

/**
 * The path of a hint or area: its one point, its stroke's or polygon's corners, or its mask's rectangle.
 * @returns {number[][]}
 */
export function corners(shape) {
    if (shape.type === "point") return [[shape.x, shape.y]];
    return shape.points ?? shape.polygon ?? maskCorners(shape.mask);
}

/**
 * The place of a hint or area that stands for it: where its colour is asked for and its popup opens. It is on the
 * shape, and within the picture if any of its corners is.
 * @param {object} shape
 * @param {{width: number, height: number}} picture
 * @returns {{x: number, y: number}}
 */
export function anchor(shape, picture) {
    if (shape.type === "point") return { x: shape.x, y: shape.y };
    if (!anchors.has(shape)) anchors.set(shape, findAnchor(shape, picture));
    return anchors.get(shape);
}

const anchors = new WeakMap(); // shapes are never altered, and each belongs to one picture

function findAnchor(shape, picture) {
    const path = corners(shape);
    if (!shape.points) {
        const middle = shape.mask ? insideOfMask(shape.mask) : insideOfPolygon(path);
        if (isWithin(middle, picture)) return middle;
    }
    const found = path.find(([x, y]) => isWithin({ x, y }, picture)) ?? path[0];
    return clampTo({ x: found[0], y: found[1] }, picture);
}

/** A point of the mask: the middle of its longest run of pixels. */
function insideOfMask({ left, top, width, runs }) {
    let [start, best, at] = [0, 0, 0];
    runs.forEach((run, i) => {
        if (i % 2 === 1 && run > best) [best, at] = [run, start + run / 2];
        start += run;
    });
    return { x: left + (at % width), y: top + Math.floor(at / width) + 0.5 };
}

/** A point in the polygon: the middle of the widest span on the row through the middle of its box. */
function insideOfPolygon(path) {
    const ys = path.map(([, y]) => y);
    const y = (Math.min(...ys) + Math.max(...ys)) / 2;
    const crossings = [];
    path.forEach(([x1, y1], i) => {
        const [x2, y2] = path[(i + 1) % path.length];
        if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    });
    crossings.sort((p, q) => p - q);
    let [left, right] = [path[0][0], path[0][0]];
    for (let i = 0; i + 1 < crossings.length; i += 2) {
        if (crossings[i + 1] - crossings[i] >= right - left) [left, right] = [crossings[i], crossings[i + 1]];
    }
    return { x: (left + right) / 2, y };
}

/** @returns {boolean} whether a place is in the picture */
export function isWithin({ x, y }, { width, height }) {
    return x >= 0 && y >= 0 && x < width && y < height;
}

/** The nearest place in the picture, a hundredth of a pixel within its right and lower edges. */
export function clampTo({ x, y }, { width, height }) {
    return { x: Math.min(Math.max(x, 0), width - 0.01), y: Math.min(Math.max(y, 0), height - 0.01) };
}

/**
 * Whether (x, y) is on a hint or area, or at most `reach` px beside it (for a mask: in its rectangle).
 * @returns {boolean}
 */
export function isOn(shape, x, y, reach) {
    if (shape.type === "point") return Math.hypot(x - shape.x, y - shape.y) <= reach;
    const path = corners(shape);
    if (shape.points) return distanceToPath(path, x, y) <= shape.width / 2 + reach;
    return isInPolygon(path, x, y) || distanceToPath([...path, path[0]], x, y) <= reach;
}

/** The distance of (x, y) from a path of one corner or more. */
export function distanceToPath(path, x, y) {
    if (path.length === 1) return Math.hypot(x - path[0][0], y - path[0][1]);
    let nearest = Infinity;
    for (let i = 0; i + 1 < path.length; i++)
        nearest = Math.min(nearest, distanceToSegment(path[i], path[i + 1], x, y));
    return nearest;
}

/** @param {number[]} one @param {number[]} other @param {number} x @param {number} y */
function distanceToSegment([x1, y1], [x2, y2], x, y) {
    const [dx, dy] = [x2 - x1, y2 - y1];
    const square = dx * dx + dy * dy;
    const share = square === 0 ? 0 : Math.min(Math.max(((x - x1) * dx + (y - y1) * dy) / square, 0), 1);
    return Math.hypot(x - x1 - share * dx, y - y1 - share * dy);
}

/** Whether (x, y) is in a polygon, by the even-odd rule. */
export function isInPolygon(path, x, y) {
    let inside = false;
    path.forEach(([x1, y1], i) => {
        const [x2, y2] = path[(i + 1) % path.length];
        if (y1 <= y !== y2 <= y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    });
    return inside;
}

/**
 * The hint moved by (dx, dy), no farther than it stays in the picture (with its anchor, if it is larger than a point).
 * A mask moves by whole pixels and stays within wholly.
 */
export function moved(hint, dx, dy, picture) {
    if (hint.type === "point") return { ...hint, ...rounded(clampTo({ x: hint.x + dx, y: hint.y + dy }, picture)) };
    if (hint.mask) {
        const { left, top, width, height } = hint.mask;
        const place = {
            left: clampTo1(Math.round(left + dx), picture.width - width),
            top: clampTo1(Math.round(top + dy), picture.height - height),
        };
        return { ...hint, mask: { ...hint.mask, ...place } };
    }
    const middle = anchor(hint, picture);
    const stays = clampTo({ x: middle.x + dx, y: middle.y + dy }, picture);
    const path = corners(hint).map(([x, y]) => [x + stays.x - middle.x, y + stays.y - middle.y]);
    return { ...hint, [hint.points ? "points" : "polygon"]: roundedPath(path) };
}

function clampTo1(value, most) {
    return Math.min(Math.max(value, 0), Math.max(most, 0));
}

/** A place to a hundredth of a pixel: what is written down. */
export function rounded({ x, y }) {
    return { x: Math.round(x * 100) / 100, y: Math.round(y * 100) / 100 };
}

/** A path to a hundredth of a pixel. */
export function roundedPath(path) {
    return path.map(([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100]);
}

/**
 * The path with the corners left out that are within `tolerance` of what remains (Ramer 1972, Douglas and Peucker
 * 1973); the first and the last one stay.
 * @param {number[][]} path
 * @param {number} tolerance
 * @returns {number[][]}
 */
export function simplified(path, tolerance) {
    if (path.length < 3) return path;
    const keep = new Uint8Array(path.length);
    keep[0] = keep[path.length - 1] = 1;
    const spans = [[0, path.length - 1]]; // a stack, because a long path would recurse too deep
    while (spans.length) {
        const [first, last] = spans.pop();
        let [farthest, at] = [tolerance, -1];
        for (let i = first + 1; i < last; i++) {
            const distance = distanceToSegment(path[first], path[last], path[i][0], path[i][1]);
            if (distance > farthest) [farthest, at] = [distance, i];
        }
        if (at >= 0) {
            keep[at] = 1;
            spans.push([first, at], [at, last]);
        }
    }
    return path.filter((_, i) => keep[i]);
}

/** The area of a polygon, square px. */
export function polygonArea(path) {
    let twice = 0;
    path.forEach(([x1, y1], i) => {
        const [x2, y2] = path[(i + 1) % path.length];
        twice += x1 * y2 - x2 * y1;
    });
    return Math.abs(twice) / 2;
}
