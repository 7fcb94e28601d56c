"""Parts of a film, reached by time without reading what lies before: for a studio, which shows a little of it at once.

Times are whole microseconds from the film's first frame; a frame is called by the one at which it begins. Nothing here
needs JAX. What is gone through is decoded frame by frame; nothing but what is asked for is kept.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

from hybridvit.film.decode import Film, InterlacedError, open_film, opened
from hybridvit.film.levels import Plane, values
from hybridvit.film.shots import AROUND, CutFinder

SECOND = 1_000_000  # of times
_BACK = (0, 5 * SECOND, 60 * SECOND)  # how far before a time the file is entered, where its index is wrong
_LEAD = AROUND + 2  # frames that `CutFinder` has to have seen


class Stretch(NamedTuple):
    """A part of a film: the `times` of its frames, that of the first frame `after` it (None: the film ends with it),
    those that begin a shot, and, of each row, then of each column of the planes, the greatest mean of its luma.
    """

    times: tuple[int, ...]
    after: int | None
    cuts: tuple[int, ...]
    lightest: tuple[tuple[float, ...], tuple[float, ...]]


@dataclasses.dataclass(frozen=True, eq=False)
class Excerpts:
    """A film to take parts of: `first` is the time of its first frame, ticks, `length` how long it is, about:
    Matroska counts from 0 on, wherever the first frame is.
    """

    film: Film
    first: int
    length: int

    def since(self, at: int) -> Iterator[tuple[int, Plane]]:
        """Times and lumas of the frames from that shown at `at` on, and of some before it."""
        for back in _BACK:
            if at <= back:
                break
            frames = self.film.frames_since(self.first + round((at - back) / SECOND / self.film.time_base))
            head = next(frames, None)
            if head is not None and self._time(head[0]) <= at:
                return ((self._time(pts), luma) for pts, luma in itertools.chain([head], frames))
        return ((self._time(frame.pts), frame.luma) for frame in self.film.frames())

    def at(self, wanted: Sequence[int]) -> Iterator[tuple[int, Plane]]:
        """The frame that is shown at each of the times; what is behind the end is the last one."""
        for at in wanted:
            shown = None
            for time, luma in self.since(at):
                if shown is not None and time > at:
                    break
                shown = time, luma
            if shown is not None:
                yield shown

    def between(self, start: int, stop: int) -> Iterator[tuple[int, Plane]]:
        """The frames that begin from `start` on and before `stop`."""
        for time, luma in self.since(start):
            if time >= stop:
                return
            if time >= start:
                yield time, luma

    def stretch(self, start: int, stop: int) -> Stretch:
        """What is there from `start` to before `stop`; the cuts are those that a look at the whole film finds."""
        finder, seen = CutFinder(), []
        lightest = [np.zeros(size) for size in self.film.size]
        lead = round(2 * _LEAD * SECOND / self.film.rate)
        behind = 0
        for time, luma in self.since(max(0, start - lead)):
            finder.add(luma)
            seen.append(time)
            if start <= time < stop:
                for axis in (0, 1):
                    np.maximum(lightest[axis], luma.mean(1 - axis), out=lightest[axis])
            behind += time >= stop
            if behind > AROUND:
                break
        within = [k for k, time in enumerate(seen) if start <= time < stop]
        after = next((time for time in seen if time >= stop), None)
        cuts = [k for k in within if (k >= _LEAD or seen[0] == 0) and finder.is_cut(k)]
        rows, columns = (tuple(map(float, one)) for one in lightest)
        return Stretch(tuple(seen[k] for k in within), after, tuple(seen[k] for k in cuts), (rows, columns))

    def _time(self, pts: int) -> int:
        return round((pts - self.first) * self.film.time_base * SECOND)


def open_excerpts(path: Path) -> Excerpts:
    """Opens a film, an interlaced one as full frames. Raises ValueError or OSError, as `open_film`."""
    try:
        film = open_film(path)
    except InterlacedError:
        film = open_film(path, deinterlace=True)
    first = next(film.frames()).pts
    with opened(path) as container:
        stream = next(one for one in container.streams.video)
        if stream.duration and stream.time_base:
            length = round(stream.duration * stream.time_base * SECOND)
        elif container.duration:  # microseconds
            length = container.duration
        else:
            length = round(film.frames_told * SECOND / film.rate)
    return Excerpts(film, first, length)


def upright(luma: Plane, film: Film) -> UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]:
    """A frame as it is shown: full range, 8 or 16 bits."""
    gray, most = values(luma, film.levels), 255 if film.levels.bits == 8 else 65535
    shown = np.rint(gray * most).astype(np.uint8 if most == 255 else np.uint16)
    return np.ascontiguousarray(np.rot90(shown, film.turns))


def thumbnail(luma: Plane, film: Film, longest: int) -> UInt8[np.ndarray, "h w"]:
    """A frame as it is shown, its pixels square, with at most `longest` px on its longer side."""
    height, width = luma.shape[0], luma.shape[1] * float(film.aspect)
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    gray = np.rint(255 * values(small, film.levels)).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(gray, film.turns))
