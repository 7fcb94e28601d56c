"""Hints as pixels: at full resolution, each in a box of its own, and at the model's view.

At full resolution a hint covers

- a point: a square around it, of POINT_SHARE of the picture's shorter side, and of a pixel at least;
- a stroke: the pixels whose centres are under the round brush, and those that hold its corners;
- a region: the pixels whose centres are in the polygon, and those that hold its corners; or those of the mask.

Where hints overlap the later one counts. A hint of less than full strength leaves its pixels to the view, in which it
is mixed with what is there without it, and takes them from earlier hints.

At the view a cell's hint is the mean colour of the full-resolution pixels in
it that hints cover. Cells of which a hint covers less than half are left out, because most of their lightness is not
the hint's; unless the hint covers no cell better, being small or thin.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import XY, Hint, HintError, Mask, Point, Region, Stroke, check_within, color_ab

POINT_SHARE = 1 / 128  # two cells of a view of 256 px

_BAND = 1024  # rows of a polygon that are filled at a time


class HintPixels(NamedTuple):
    """Pixels that have one colour given: those under `mask` in the box at `top`, `left` of the picture."""

    top: int
    left: int
    mask: Bool[np.ndarray, "h w"]
    ab: Float[np.ndarray, "2"]  # CIE units


class Window(NamedTuple):
    """A rectangle of a picture, px."""

    top: int
    left: int
    height: int
    width: int


def rasterise(
    hints: Sequence[Hint], height: int, width: int, window: Window | None = None
) -> Iterator[HintPixels]:
    """The pixels of each hint, in order, in a picture of `height` x `width` px; one box in memory at a time.

    Of a `window` only what lies in it, and none of the hints beyond. Raises HintError, a ValueError that names the
    hint, if one is outside the picture.
    """
    weak = [index for index, hint in enumerate(hints) if hint.strength < 1]
    for index, hint in enumerate(hints):
        pixels = _pixels_of(index, hint, height, width, window)
        if pixels.mask.size and hint.strength == 1:
            for other in weak:
                if other > index:
                    _cut(pixels, _pixels_of(other, hints[other], height, width, window))
            yield pixels


def rasterise_recipe(
    recipe: Recipe, height: int, width: int, window: Window | None = None
) -> Iterator[HintPixels]:
    """As `rasterise`, of a recipe's hints: in a protected area those that it was protected with, and no others."""
    if not recipe.protected:
        yield from rasterise(recipe.hints, height, width, window)
        return
    top, left, *size = window or (0, 0, height, width)
    taken = np.zeros(size, bool)

    def cut(hints: Sequence[Hint], area: Bool[np.ndarray, "h w"]) -> Iterator[HintPixels]:
        for pixels in rasterise(hints, height, width, window):
            rows, columns = pixels.top - top, pixels.left - left
            box = area[rows : rows + len(pixels.mask), columns : columns + pixels.mask.shape[1]]
            yield pixels._replace(mask=pixels.mask & box)

    for protected in recipe.protected:
        area = np.zeros(size, bool)
        for row, column, mask, _ in rasterise((protected.region,), height, width, window):
            area[row - top : row - top + len(mask), column - left : column - left + mask.shape[1]] = mask
        area &= ~taken
        taken |= area
        yield from cut(protected.recipe.hints, area)
    yield from cut(recipe.hints, ~taken)


def rasterise_view(
    hints: Sequence[Hint],
    height: int,
    width: int,
    view_height: int,
    view_width: int,
    window: Window | None = None,
) -> tuple[Float[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]]:
    """What the model is given of hints on a picture of `height` x `width` px: their ab, float32, and where they are.

    ab is in CIE units, and 0 where there is no hint. The view spans the `window` of the picture, else all of it; hints
    beyond are not in it. Raises HintError as `rasterise`.
    """
    window = window or Window(0, 0, height, width)
    taken = np.zeros((window.height, window.width), bool)  # by later hints
    total = np.zeros((view_height, view_width, 2))
    count = np.zeros((view_height, view_width))
    known = np.zeros((view_height, view_width), bool)
    for index in reversed(range(len(hints))):
        top, left, mask, ab = _pixels_of(index, hints[index], height, width, window)
        if not mask.size:
            continue
        top, left = top - window.top, left - window.left
        box = taken[top : top + mask.shape[0], left : left + mask.shape[1]]
        mask &= ~box
        box |= mask
        first_row, row_size, pooled = _pool(mask, top, window.height, view_height)
        first_column, column_size, pooled = _pool(pooled.T, left, window.width, view_width)
        cells = (
            slice(first_row, first_row + pooled.shape[1]),
            slice(first_column, first_column + len(pooled)),
        )
        covered = pooled.T
        share = covered / (row_size[:, None] * column_size)
        total[cells] += covered[..., None] * ab
        count[cells] += covered
        known[cells] |= (share > 0) & (share >= min(0.5, share.max(initial=0.0) / 2))
    ab = np.zeros((view_height, view_width, 2), np.float32)
    ab[known] = total[known] / np.maximum(count[known], 1.0)[:, None]
    return ab, known


def _pixels_of(index: int, hint: Hint, height: int, width: int, window: Window | None = None) -> HintPixels:
    try:
        check_within(hint, width, height)
    except HintError as error:
        raise error.within(f"hints[{index}]") from None
    top, left, mask = _cover(hint, height, width, window or Window(0, 0, height, width))
    return HintPixels(top, left, mask, color_ab(hint.color))


def _cut(pixels: HintPixels, other: HintPixels) -> None:
    """Takes from a hint's pixels, in place, those of another one."""
    top, left = max(pixels.top, other.top), max(pixels.left, other.left)
    bottom = min(x.top + x.mask.shape[0] for x in (pixels, other))
    right = min(x.left + x.mask.shape[1] for x in (pixels, other))
    if top < bottom and left < right:
        here, there = (
            np.s_[top - x.top : bottom - x.top, left - x.left : right - x.left] for x in (pixels, other)
        )
        pixels.mask[here] &= ~other.mask[there]


def _cover(hint: Hint, height: int, width: int, window: Window) -> tuple[int, int, Bool[np.ndarray, "h w"]]:
    """The hint's pixels in the window: a box, of no rows or columns if there are none, and which of it."""
    match hint:
        case Point(x=x, y=y):
            side = max(1, round(POINT_SHARE * min(height, width)))
            top, left = (math.floor(centre - side / 2 + 0.5) for centre in (y, x))
            top, left, bottom, right = _clipped(top, left, top + side, left + side, window)
            return top, left, np.ones((bottom - top, right - left), bool)
        case Region(area=Mask() as mask):
            inside = np.repeat(np.arange(len(mask.runs)) % 2 == 1, mask.runs).reshape(mask.height, mask.width)
            box = mask.top, mask.left, mask.top + mask.height, mask.left + mask.width
            top, left, bottom, right = _clipped(*box, window)
            return top, left, inside[top - mask.top : bottom - mask.top, left - mask.left : right - mask.left]
        case Region(area=path):
            assert not isinstance(path, Mask)  # which was above
            top, left, mask = _empty_box(path, 0.0, window)
            _fill_polygon(mask, np.subtract(path, (left, top)))
        case Stroke(points=path):
            radius = max(hint.width, 1.0) / 2
            top, left, mask = _empty_box(path, radius, window)
            _fill_stroke(mask, np.subtract(path, (left, top)), radius)
    for x, y in path:
        row, column = math.floor(y) - top, math.floor(x) - left
        if 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]:
            mask[row, column] = True
    return top, left, mask


def _empty_box(
    path: tuple[XY, ...], reach: float, window: Window
) -> tuple[int, int, Bool[np.ndarray, "h w"]]:
    """The box, within the window, of a path and what is within `reach` of it."""
    left, top = np.floor(np.min(path, 0) - reach).astype(int).tolist()
    right, bottom = (np.floor(np.max(path, 0) + reach).astype(int) + 1).tolist()
    top, left, bottom, right = _clipped(top, left, bottom, right, window)
    return top, left, np.zeros((bottom - top, right - left), bool)


def _clipped(top: int, left: int, bottom: int, right: int, window: Window) -> tuple[int, int, int, int]:
    """The part of a box that lies in the window; where none does, one without rows or columns."""
    first_row, first_column, height, width = window
    top, left = max(top, first_row), max(left, first_column)
    return top, left, max(top, min(bottom, first_row + height)), max(left, min(right, first_column + width))


def _fill_stroke(mask: Bool[np.ndarray, "h w"], path: Float[np.ndarray, "n 2"], radius: float) -> None:
    """Adds the pixels whose centres are within `radius` of the path: discs at its corners, and what joins them."""
    for x, y in path:
        rows = np.arange(
            max(0, math.ceil(y - radius - 0.5)), min(len(mask), math.floor(y + radius - 0.5) + 1)
        )
        half = np.sqrt(np.maximum(radius**2 - (rows + 0.5 - y) ** 2, 0.0))
        _fill_spans(mask, rows, x - half, x + half)
    for start, end in itertools.pairwise(path):
        length = np.hypot(*(end - start))
        if length > 0:
            aside = (end - start)[::-1] * (radius / length, -radius / length)
            _fill_polygon(mask, np.array([start + aside, end + aside, end - aside, start - aside]))


def _fill_polygon(mask: Bool[np.ndarray, "h w"], corners: Float[np.ndarray, "n 2"]) -> None:
    """Adds the pixels whose centres are in the polygon, by the even-odd rule."""
    following = np.roll(corners, -1, axis=0)
    upper = np.where((corners[:, 1] <= following[:, 1])[:, None], corners, following)
    lower = np.where((corners[:, 1] <= following[:, 1])[:, None], following, corners)
    for top in range(0, len(mask), _BAND):
        bottom = min(top + _BAND, len(mask))
        # Of each edge, the rows whose centres lie between its ends, the upper end included.
        first = np.clip(np.ceil(upper[:, 1] - 0.5), top, bottom).astype(int)
        count = np.clip(np.ceil(lower[:, 1] - 0.5), top, bottom).astype(int) - first
        edge = np.repeat(np.arange(len(corners)), count)
        rows = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
        way = (rows + 0.5 - upper[edge, 1]) / (lower[edge, 1] - upper[edge, 1])
        x = upper[edge, 0] + way * (lower[edge, 0] - upper[edge, 0])
        order = np.lexsort((x, rows))
        rows, x = rows[order], x[order]
        _fill_spans(mask, rows[::2], x[::2], x[1::2])


def _fill_spans(
    mask: Bool[np.ndarray, "h w"],
    rows: Int[np.ndarray, " n"],
    start: Float[np.ndarray, " n"],
    stop: Float[np.ndarray, " n"],
) -> None:
    """Adds, in each row, the pixels whose centres are from `start` to `stop`."""
    first = np.clip(np.ceil(start - 0.5), 0, mask.shape[1]).astype(int)
    last = np.clip(np.ceil(stop - 0.5), 0, mask.shape[1]).astype(int)
    for row, left, right in zip(rows.tolist(), first.tolist(), last.tolist(), strict=True):
        mask[row, left:right] = True


def _pool(
    values: Bool[np.ndarray, "n m"] | Int[np.ndarray, "n m"], start: int, size: int, cells: int
) -> tuple[int, Int[np.ndarray, " k"], Int[np.ndarray, "k m"]]:
    """Sums, over the cells of the first axis, of values that begin at `start` of an axis of `size` px.

    Returns the first cell, how many pixels each cell has, and the sums. Where there are more cells than pixels, a cell
    takes the value of the pixel that its centre is in.
    """
    stop = start + len(values)
    if cells > size:
        source = ((np.arange(cells) + 0.5) * size / cells).astype(int)
        inside = np.flatnonzero((source >= start) & (source < stop))
        return int(inside[0]), np.ones(len(inside), int), values[source[inside] - start].astype(int)
    edges = _edges(size, cells)
    first, last = np.searchsorted(edges, start, "right") - 1, np.searchsorted(edges, stop, "left")
    inside = np.clip(edges[first : last + 1] - start, 0, len(values))
    sums = [values[a:b].sum(axis=0, dtype=np.int32) for a, b in itertools.pairwise(inside.tolist())]
    return int(first), np.diff(edges[first : last + 1]), np.stack(sums)


@functools.lru_cache(8)  # for each hint of each map the same
def _edges(size: int, cells: int) -> Int[np.ndarray, " n"]:
    """Where cells begin on an axis of `size` px, and where the last one ends."""
    return np.floor(np.arange(cells + 1) * size / cells + 0.5).astype(int)
