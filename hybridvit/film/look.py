"""The first look at a film: how many frames it has, where it is cut, and which part of the frame is picture."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np

from hybridvit.film.decode import Frame
from hybridvit.film.levels import Levels, Plane
from hybridvit.film.shots import CutFinder

_DARK = 0.06  # of white: what never gets lighter on the mean of a row or column is a bar
_MOST = 0.4  # of a side, that may be a bar


@runtime_checkable
class Readable(Protocol):
    """A `Film`, or a `Folder` of frames."""

    path: Path
    size: tuple[int, int]
    levels: Levels

    def frames(self) -> Iterator[Frame]: ...


class Seen(NamedTuple):
    """`shots` are the first frames of shots; `inside` is top, left, height and width of the picture within bars."""

    shots: tuple[int, ...]
    inside: tuple[int, int, int, int]
    times: tuple[int, ...]  # ticks, of each frame


def look_at(film: Readable, progress: Any = None, also: Callable[[Plane], None] = lambda luma: None) -> Seen:
    """Reads all of the film; raises ValueError as `Film.frames`.

    `progress` is told each frame by its `update()`, and `also` is given its luma.
    """
    cuts = CutFinder()
    lightest = [np.zeros(size) for size in film.size]
    times: list[int] = []
    for frame in film.frames():
        cuts.add(frame.luma)
        also(frame.luma)
        for axis in (0, 1):
            mean = cv2.reduce(frame.luma, 1 - axis, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel()
            np.maximum(lightest[axis], mean, out=lightest[axis])
        times.append(frame.pts)
        if progress is not None:
            progress.update()
    if not times:
        raise ValueError(f"{film.path}: no frame of it can be decoded")
    (top, height), (left, width) = (without_bars(one, film.levels) for one in lightest)
    return Seen(tuple(cuts.cuts()), (top, left, height, width), tuple(times))


def without_bars(lightest: np.ndarray, levels: Levels) -> tuple[int, int]:
    """First and count of the rows, or columns, between dark ones, given the greatest mean of each."""
    light = np.flatnonzero(lightest > levels.black + _DARK * levels.span)
    size = len(lightest)
    if not len(light):
        return 0, size
    first, last = int(light[0]), int(light[-1]) + 1
    if first > _MOST * size or size - last > _MOST * size or last - first < 2:
        return 0, size
    return first, last - first
