"""Where a photograph lies inside its file: borders, mounts, film rebates and captions around it are found.

A model that sees a border colours it, and the photograph inside becomes pale. So it is shown the inside alone, and the
border stays gray. What is a border is decided by the lightness, whatever the weights: along a side all is of one tone,
save for marks (captions, perforations, dust), and the photograph begins along a straight line, at once. Skies, snow,
nights and the backgrounds of studios are of one tone, too, but what stands before them begins anywhere. Horizons and
walls are straight as well, so one side is not enough.

Tones are sRGB's of the gray picture, 0..255.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16

from hybridvit.hints.raster import Window

Pixels = UInt8[np.ndarray, "H W c"] | UInt16[np.ndarray, "H W c"]

LONGEST = 512  # px of the reduced picture in which borders are looked for
SAMPLES = 4  # x 4 px of each of its cells are looked at: a large picture takes no longer than a small one
SMALLEST = 16  # px: nothing is looked for in less, and nothing is cut to less
LAYERS = 3  # of borders within one another: table, mount, print
ROUNDS = 3  # how far a side reaches is known once those beside it are
LEAST, MOST = 0.008, 0.45  # of the picture's size: how wide a border is
TOLERANCES = (
    2.0,
    5.0,
    10.0,
    18.0,
)  # tones that a border differs from its own; the least one that finds it counts
MARKED = 0.04  # of a row: where more differs, it is not blank
INKED = 0.35  # of a border: more marks make it none
STRAIGHT = 0.55  # of a side's length, at least, begins on its line
STRAIGHT_PAIR = 0.75  # the same where only two sides have a border
EXTREME = 40.0  # tones from black or white that those two differ by, at most
SLOPES = np.linspace(-0.04, 0.04, 33)  # of that line: prints lie askew
BLOCK, WORSE = 8, 0.03  # px, and share of a side: so far from it a higher tolerance may find a better edge
BESIDE = 1.5  # px of the reduced picture that count as on the line
ALIKE = 24.0  # tones that the borders of different sides may differ by

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class _Side(NamedTuple):
    """A border along the upper side: its rows, the share of it that ends on one line, its tone and tolerance."""

    rows: int
    straight: float
    tone: float
    tolerance: float


def find_inside(pixels: Pixels) -> Window | None:
    """The rectangle of the photograph inside its borders; None where there are none.

    Args:
      pixels: upright, sRGB or gray.
    """
    height, width = pixels.shape[:2]
    inside = Window(0, 0, height, width)
    for _ in range(LAYERS):
        top, left, height, width = inside
        widths = _border_widths(pixels[top : top + height, left : left + width])
        if not any(widths):
            break
        up, down, before, after = widths
        inside = Window(top + up, left + before, height - up - down, width - before - after)
    return None if inside == (0, 0, *pixels.shape[:2]) else inside


def respanned(x: Float[np.ndarray, "h w *c"], span: Window, other: Window) -> Float[np.ndarray, "h2 w2 *c"]:
    """Values over the rectangle `span` of a picture as values, about as dense, over another; 0 where it juts out."""
    if span == other:
        return x
    for axis in (0, 1):
        begin, size, start, length = span[axis], span[axis + 2], other[axis], other[axis + 2]
        count = x.shape[axis]
        cells = max(1, round(count * length / size))
        middles = start + (np.arange(cells) + 0.5) * length / cells
        place = (middles - begin) * count / size - 0.5
        within = (place >= -0.5) & (place <= count - 0.5)
        place = np.clip(place, 0, count - 1)
        before = place.astype(int)
        share = (place - before).reshape(-1, *[1] * (x.ndim - axis - 1))
        taken = x.take(before, axis) * (1 - share) + x.take(np.minimum(before + 1, count - 1), axis) * share
        x = taken * within.reshape(share.shape)
    return x.astype(np.float32)


def _border_widths(pixels: Pixels) -> tuple[int, int, int, int]:
    """Of one layer: px above, below, on the left and on the right."""
    height, width = pixels.shape[:2]
    step = -(-max(height, width) // LONGEST)
    tones = _reduced(pixels, step)
    if min(tones.shape) < SMALLEST:
        return 0, 0, 0, 0
    sides, along = _find_sides(tones)
    widths = [0, 0, 0, 0]
    for i, (turned, side) in enumerate(zip(_turned(pixels), sides, strict=True)):
        if side is not None:
            first, last = along[i // 2]
            widths[i] = side.rows if step == 1 else _refined(turned, side, first * step, last * step, step)
    above, below, left, right = widths
    rest = height - above - below, width - left - right
    return (above, below, left, right) if min(rest) >= SMALLEST else (0, 0, 0, 0)


def _turned(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The array with each of its sides above: the upper one, the lower, the left, the right."""
    across = x.swapaxes(0, 1)
    return x, x[::-1], across, across[::-1]


def _reduced(pixels: Pixels, step: int) -> Float[np.ndarray, "h w"]:
    """Tones, cells of `step` px averaged over some of their pixels."""
    few = min(step, SAMPLES)
    places = []
    for size in pixels.shape[:2]:
        cells = np.arange(-(-size // step))[:, None] * step
        places.append(np.minimum(cells + np.arange(few) * step // few, size - 1))
    rows, columns = places
    taken = _tones(pixels[rows.ravel()[:, None], columns.ravel()])
    return taken.reshape(*rows.shape, *columns.shape).mean((1, 3))


def _tones(pixels: Pixels) -> Float[np.ndarray, "h w"]:
    scale = np.float32(255 / np.iinfo(pixels.dtype).max)
    return pixels[..., 0] * scale if pixels.shape[-1] == 1 else pixels @ (_LUMA * scale)


def _find_sides(
    tones: Float[np.ndarray, "h w"],
) -> tuple[list[_Side | None], tuple[tuple[int, int], tuple[int, int]]]:
    """The borders of the four sides, in the order of `_turned`; and from where to where their inner edges go."""
    views = _turned(tones)
    extent = [_blank_rows(view) for view in views]
    sides: list[_Side | None] = [None] * 4
    height, width = tones.shape
    along = (0, width), (0, height)
    for _ in range(ROUNDS):
        along = (extent[2], width - extent[3]), (extent[0], height - extent[1])
        sides = [_find_side(view, *along[i // 2]) for i, view in enumerate(views)]
        before = extent
        extent = [side.rows if side else rows for side, rows in zip(sides, extent, strict=True)]
        if extent == before:  # the next round would find the same
            break
    found = [side for side in sides if side is not None]
    if not found:
        return [None] * 4, along
    tone = np.median([side.tone for side in found])
    sides = [side if side and abs(side.tone - tone) <= ALIKE else None for side in sides]
    found = [side for side in sides if side is not None]
    if len(found) < 2 or (len(found) == 2 and not all(map(_is_sure, found))):
        return [None] * 4, along
    if len(found) == 3:
        missing = sides.index(None)
        sides[missing] = _like_the_others(views[missing], found)
    return sides, along


def _is_sure(side: _Side) -> bool:
    """Whether one of two sides is a border: the sea below a sky has straight edges, too."""
    return side.straight >= STRAIGHT_PAIR and min(side.tone, 255 - side.tone) <= EXTREME


def _blank_rows(view: Float[np.ndarray, "n m"]) -> int:
    """Rows of the upper side's tone before the first that is not."""
    tone, _ = _tone(view)
    blank = (np.abs(view - tone) > TOLERANCES[1]).mean(1) <= MARKED
    return 0 if blank.all() else int(blank.argmin())


def _tone(view: Float[np.ndarray, "n m"]) -> tuple[float, float]:
    """Tone and noise at the upper side."""
    strip = view[: max(2, round(LEAST * len(view)))]
    tone = float(np.median(strip))
    return tone, 1.4826 * float(np.median(np.abs(strip - tone)))


def _find_side(view: Float[np.ndarray, "n m"], first: int, last: int) -> _Side | None:
    """The border above, if there is one and its inner edge, from column `first` to `last`, is straight."""
    tone, noise = _tone(view)
    away = np.abs(view[:, first:last] - tone)
    best = None
    for tolerance in TOLERANCES:
        if tolerance < 2.5 * noise or last - first < SMALLEST:
            continue
        side = _find_edge(away > tolerance, tone, tolerance)
        # What JPEG leaves beside an edge begins straight, too, a block before it
        if side and (
            best is None or (side.rows - best.rows <= BLOCK and side.straight >= best.straight - WORSE)
        ):
            best = side
    return best


def _find_edge(differs: Bool[np.ndarray, "n m"], tone: float, tolerance: float) -> _Side | None:
    size = len(differs)
    blank = differs.mean(1) <= MARKED
    # A row where something begins, below two blank ones; the innermost first, for outside it are captions
    starts = np.flatnonzero(~blank[2:] & blank[1:-1] & blank[:-2]) + 2
    for start in starts[(starts >= LEAST * size) & (starts <= MOST * size)][::-1]:
        if differs[:start].mean() > INKED:
            continue
        rows, straight = _edge(differs[start - 2 :])
        if straight >= STRAIGHT:
            return _Side(int(start) - 2 + rows, straight, tone, tolerance)
    return None


def _edge(differs: Bool[np.ndarray, "n m"]) -> tuple[int, float]:
    """The first row of the line on which most columns begin to differ, and the share of them that do."""
    reach = min(len(differs), 3 + round(SLOPES[-1] * differs.shape[1]))
    begins = np.where(differs[:reach].any(0), differs[:reach].argmax(0), np.inf)
    columns = np.arange(len(begins))
    best = (0.0, 0)
    for slope in sorted(SLOPES, key=abs):
        offset = np.sort(begins - slope * columns)
        count = np.searchsorted(offset, offset + 2 * BESIDE, "right") - np.arange(len(offset))
        count = np.where(np.isfinite(offset), count, 0)
        most = int(count.argmax())
        share = count[most] / len(columns)
        if share > best[0] + 0.02:  # a steeper line must be clearly better
            middle = np.median(offset[most : most + count[most]])
            best = float(share), max(0, round(middle + min(0.0, slope * len(columns))))
    return best[1], best[0]


def _like_the_others(view: Float[np.ndarray, "n m"], found: list[_Side]) -> _Side | None:
    """The border above whose inner edge does not show, the photograph being of its tone there."""
    tone = float(np.mean([side.tone for side in found]))
    tolerance = max(side.tolerance for side in found)
    blank = (np.abs(view - tone) > tolerance).mean(1) <= MARKED
    rows = min(int(blank.argmin()), max(side.rows for side in found))
    return _Side(rows, 0.0, tone, tolerance) if rows >= max(2, LEAST * len(view)) else None


def _refined(turned: Pixels, side: _Side, first: int, last: int, step: int) -> int:
    """The border's rows at full size: to the first of those around the edge where much of it differs."""
    size = len(turned)
    begin, end = max(0, (side.rows - 2) * step), min(size, (side.rows + 2) * step)
    columns = np.linspace(first, min(last, turned.shape[1]) - 1, LONGEST).astype(int)
    differs = np.abs(_tones(turned[begin:end, columns]) - side.tone) > side.tolerance
    share = differs.mean(1)
    return begin + int((share >= 0.3 * share.max()).argmax())
