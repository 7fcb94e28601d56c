/**
 * Lines round where a map is more than half of its most: marching squares (Lorensen and Cline 1987, in the plane), then
 * fewer corners (Douglas and Peucker 1973).
 */

const SIMPLER = 0.3; // px of the map: how far a line may be off

/**
 * @param {{weight: Float32Array, width: number, height: number}} map at the model's view
 * @param {import("./levels.js").Box} inside what the map spans of the picture
 * @returns {number[][][]} closed polygons, [x, y] in pixels of the picture
 */
export function outlines({ weight, width, height }, inside) {
    const half = Math.max(weight.reduce((a, b) => Math.max(a, b), 0), 1e-3) / 2;
    const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : weight[y * width + x]);
    const next = new Map(); // from the edge of the grid where a piece of a line begins to where it ends, and its place
    const placeOn = ([xA, yA], [xB, yB]) => {
        const share = (half - at(xA, yA)) / (at(xB, yB) - at(xA, yA));
        return [xA + share * (xB - xA), yA + share * (yB - yA)];
    };
    for (let y = -1; y < height; y++) {
        for (let x = -1; x < width; x++) {
            const corners = /** @type {[number, number][]} */ ([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]);
            const within = corners.map(([cx, cy]) => at(cx, cy) > half);
            if (within.every(Boolean) || !within.some(Boolean)) continue;
            // Clockwise round the square: a piece goes from where one leaves the inside to where one came into it
            const crossings = [];
            for (let side = 0; side < 4; side++) {
                const [one, other] = [corners[side], corners[(side + 1) % 4]];
                if (within[side] === within[(side + 1) % 4]) continue;
                const edge = `${Math.min(one[0], other[0])} ${Math.min(one[1], other[1])} ${side % 2}`;
                crossings.push({ enters: within[(side + 1) % 4], edge, place: placeOn(one, other) });
            }
            if (!crossings[0].enters) crossings.push(crossings.shift());
            for (let i = 0; i < crossings.length; i += 2) {
                next.set(crossings[i + 1].edge, { place: crossings[i + 1].place, to: crossings[i].edge });
            }
        }
    }
    const [scaleX, scaleY] = [inside.width / width, inside.height / height];
    const clipped = (value, scale, size) => Math.min(Math.max((value + 0.5) * scale, 0), size);
    const placed = ([x, y]) => [
        Math.round(10 * (inside.left + clipped(x, scaleX, inside.width))) / 10,
        Math.round(10 * (inside.top + clipped(y, scaleY, inside.height))) / 10,
    ];
    const found = [];
    while (next.size) {
        const line = [];
        let [here] = next.keys();
        while (next.has(here)) {
            const { place, to } = next.get(here);
            next.delete(here);
            line.push(place);
            here = to;
        }
        found.push([...simpler(line), line[0]].map(placed));
    }
    return found;
}

/** A closed line's corners, those left out that lie near the line of the others. */
function simpler(line) {
    if (line.length < 4) return line;
    const far = line.reduce((best, point, i) => (distance(point, line[0], line[0]) > distance(line[best], line[0], line[0]) ? i : best), 0);
    const kept = new Set([0, far]);
    const stack = [[0, far], [far, line.length]];
    while (stack.length) {
        const [begin, end] = stack.pop();
        let [worst, most] = [-1, SIMPLER];
        for (let i = begin + 1; i < end; i++) {
            const off = distance(line[i], line[begin], line[end % line.length]);
            if (off > most) [worst, most] = [i, off];
        }
        if (worst < 0) continue;
        kept.add(worst);
        stack.push([begin, worst], [worst, end]);
    }
    return line.filter((_, i) => kept.has(i));
}

function distance([x, y], [ax, ay], [bx, by]) {
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    const share = length ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / length, 0), 1) : 0;
    return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
