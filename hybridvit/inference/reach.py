"""How far a hint reaches: what belongs to the thing that it lies on, and the soft edge of what was drawn.

A hint that says what the model thinks possible there is given to the model, which spreads it over the picture to what
looks alike: of such colours it was trained to do so, and the whole picture gains (`sorting`). One that contradicts it
(a sleeve was red, and red is what the model would not have thought of) says little of the crowd and the sky. It changes
its thing: the places that are near by paths that cross no edge of the lightness (a geodesic distance, as in Bai and
Sapiro 2007) and are like it in lightness and in what the model takes them for (the Bhattacharyya coefficient of its
distributions).

Distances are computed on a grid of GRID cells along the shorter side, and brought to the view along its edges by a
guided filter (He, Sun and Tang 2013). Numbers were chosen on photographs with truth of which one object is recoloured
(tests/benchmarks/locality.py). L is 0..100, ab in CIE units.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference.sampling import probabilities

GRID = 64  # cells along the view's shorter side
THING = 1.5  # the distance, in the sum of the four below, to which reach 0.5 goes
_WAY = 4.1  # for a way as long as the shorter side
_STEP = 0.95 / 20  # for each L unit of difference along the way
_FLAT = 1.5  # L units between neighbours of the grid that are no edge
_LIGHTNESS = 0.1 / 20  # for each L unit of difference from the hint's place
_UNLIKE = 2.3  # times one less the coefficient
_SOFT = 0.35  # of the distance, on either side of it, in which reach fades

EDGE = 1 / 100  # of the shorter side: how far the soft edge of what was drawn goes where lightness is even
_EDGE_LIGHTNESS = 8.0  # L units of difference that end it, too

KNOWN = 12.0  # ab units: standard deviation of what counts as the hint's colour
_GUIDE = 1 / 64  # of the shorter side: radius of the guided filter
_GUIDE_NOISE = 4.0  # squared L units: what is less is no edge to it


class Terrain(NamedTuple):
    """What distances are measured on: the grid's neighbours and the cost between them, its L, and roots of bins."""

    ways: csr_array
    L: Float[np.ndarray, "rows columns"]
    roots: Float[np.ndarray, "h8 w8 313"]


def terrain(L: Float[np.ndarray, "h w"], logits: Float[np.ndarray, "h8 w8 313"]) -> Terrain:
    """Of a view and what the model says of it without hints."""
    side = min(L.shape)
    rows, columns = (max(1, round(n * min(1, GRID / side))) for n in L.shape)
    seen = _resized(L, (rows, columns), Image.Resampling.BOX)
    cells = np.arange(rows * columns).reshape(rows, columns)
    pairs = [
        (cells[:, :-1], cells[:, 1:], 1.0),
        (cells[:-1], cells[1:], 1.0),
        (cells[:-1, :-1], cells[1:, 1:], np.sqrt(2)),
        (cells[:-1, 1:], cells[1:, :-1], np.sqrt(2)),
    ]
    starts, ends = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    lengths = np.concatenate([np.full(start.size, length) for start, _, length in pairs])
    steps = np.abs(seen.ravel()[starts] - seen.ravel()[ends])
    costs = lengths * _WAY / min(rows, columns) + _STEP * np.maximum(steps - _FLAT, 0)
    ways = csr_array((costs, (starts, ends)), (cells.size, cells.size))
    return Terrain(ways, seen, np.sqrt(probabilities(logits)).astype(np.float32))


def distances(land: Terrain, own: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "rows columns"]:
    """From a hint's own pixels (at least one, at the view) to each cell of the grid; infinite beyond all reach."""
    rows, columns = land.L.shape
    cells = _cells_of(own, land.L.shape)
    far = dijkstra(land.ways, False, np.flatnonzero(cells), min_only=True, limit=2 * (1 + _SOFT) * THING)
    places = _cells_of(own, land.roots.shape[:2])
    typical = land.roots[places].mean(0)
    alike = land.roots @ (typical / max(np.linalg.norm(typical), 1e-6))
    unlike = 1 - np.minimum(_resized(alike, (rows, columns), Image.Resampling.BILINEAR), 1)
    darker = np.abs(land.L - land.L[cells].mean())
    return (far.reshape(rows, columns) + _LIGHTNESS * darker + _UNLIKE * unlike).astype(np.float32)


def within(distance: Float[np.ndarray, "*shape"], reach: float) -> Float[np.ndarray, "*shape"]:
    """How much of a hint of this reach, 0..1, there is at a distance, 0..1: all of it near, none far."""
    end = 2 * reach * THING
    if end == 0:
        return np.zeros_like(distance)
    return _smooth(((1 + _SOFT) * end - distance) / (2 * _SOFT * end))


def to_view(
    planes: Float[np.ndarray, "n rows columns"], L: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "n h w"]:
    """Planes of the grid at the view, their edges on those of the lightness."""
    size = 2 * max(1, round(_GUIDE * min(L.shape))) + 1
    mean = ndimage.uniform_filter(L, size)
    variance = ndimage.uniform_filter(L * L, size) - mean * mean
    variance += _GUIDE_NOISE
    found = np.empty((len(planes), *L.shape), np.float32)
    for out, plane in zip(found, planes, strict=True):
        x = _resized(plane, L.shape, Image.Resampling.BILINEAR)
        middle = ndimage.uniform_filter(x, size)
        gain = (ndimage.uniform_filter(L * x, size) - mean * middle) / variance
        np.multiply(ndimage.uniform_filter(gain, size), L, out)
        out += ndimage.uniform_filter(middle - gain * mean, size)
    return found


class Edge(NamedTuple):
    """Around what was drawn: how much of its colour there is, 0..1, and the row and column of whose colour it is."""

    weight: Float[np.ndarray, "h w"]
    nearest: Int[np.ndarray, "2 h w"]


def soft_edge(L: Float[np.ndarray, "h w"], own: Bool[np.ndarray, "h w"]) -> Edge:
    """1 in the own pixels (at least one), fading just outside of them, at once where the lightness changes."""
    far, nearest = ndimage.distance_transform_edt(~own, return_indices=True)
    end = EDGE * min(L.shape) + 1
    near = (far < end) & ~own
    steps = np.abs(L[near] - L[nearest[0][near], nearest[1][near]])
    weight = own.astype(np.float32)
    weight[near] = _smooth(1 - far[near] / end - steps / _EDGE_LIGHTNESS)
    return Edge(weight, nearest)


def agreement(
    logits: Float[np.ndarray, "h8 w8 313"],
    mean: Float[np.ndarray, "h w 2"],
    ab: Float[np.ndarray, "2"],
    own: Bool[np.ndarray, "h w"],
) -> float:
    """How likely the model holds a colour at a hint's own pixels, relative to the colour that it would give them."""
    cells = _cells_of(own, logits.shape[:2])
    probs = probabilities(logits[cells][None])[0].mean(0)
    hinted, free = (
        probs @ np.exp(-np.square(np.linalg.norm(BIN_CENTRES - color, axis=-1) / KNOWN) / 2)
        for color in (ab, mean[own].mean(0))
    )
    return float(hinted / max(free, 1e-9))


def _cells_of(own: Bool[np.ndarray, "h w"], shape: tuple[int, int]) -> Bool[np.ndarray, "rows columns"]:
    """Cells of a coarser grid over the view that hold some of these pixels."""
    cells = np.zeros(shape, bool)
    places = (x * n // size for x, n, size in zip(np.nonzero(own), shape, own.shape, strict=True))
    cells[tuple(places)] = True
    return cells


def _smooth(x: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """From 0 to 1 without corners."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _resized(
    plane: Float[np.ndarray, "h w"], shape: tuple[int, int], how: Image.Resampling
) -> Float[np.ndarray, "h2 w2"]:
    return np.asarray(Image.fromarray(plane.astype(np.float32)).resize(shape[::-1], how))
