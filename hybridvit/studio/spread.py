"""What the hints on some frames of a shot make of all its frames, by `hybridvit film`'s own carrying.

One shot at a time, a frame at a time; whoever waits sees how far it is. It ends as soon as another one is asked for.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from hybridvit.colorize.summary import explain
from hybridvit.film.hints import FilmHints
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Hint
from hybridvit.hints.sidecar import recipe_to_json
from hybridvit.inference.colorizer import Colorizer
from hybridvit.studio import encoding
from hybridvit.studio.decode_film import About, lumas_of
from hybridvit.studio.entry import Entry
from hybridvit.studio.films import THUMBNAIL, Shot
from hybridvit.studio.pyramid import preview
from hybridvit.studio.workers import Workers

logger = logging.getLogger(__name__)

PATIENCE = 10  # s that is waited for more
_CALM = 0.05  # s until it is looked again whether somebody waits for a photograph's colours


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which colours of which shot; `hinted` are the hints of some of its frames, by time."""

    entry: Entry
    shot: Shot
    about: About
    hinted: dict[int, tuple[Hint, ...]]
    recipe: Recipe

    def tag(self, digest: str) -> str:
        """A name for them, by these weights."""
        hints = {at: recipe_to_json(Recipe(hints=found)) for at, found in self.hinted.items()}
        said = [self.entry.id, self.shot.times[0], self.shot.stop, hints, recipe_to_json(self.recipe), digest]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def wanted_of(entry: Entry, shot: Shot, about: About, hints: FilmHints) -> Wanted:
    """What the film's sidecar says of the shot."""
    hinted: dict[int, tuple[Hint, ...]] = {}
    for seconds, found in hints.frames:
        at = shot.frame_at(seconds)
        if at is not None:
            hinted[at] = hinted.get(at, ()) + found
    settings = dataclasses.replace(hints.recipe.settings, borders="off")
    recipe = Recipe(palette=hints.recipe.palette, settings=settings)
    return Wanted(entry, shot, about, hinted, recipe)


class Spread:
    """The colours, as far as they are made."""

    def __init__(self, wanted: Wanted, tag: str):
        self.wanted, self.tag = wanted, tag
        self.total, self.done = 2 * len(wanted.shot.times), 0  # frames gone through
        self.pictures: dict[int, bytes] = {}  # by time
        self.failure: str | None = None
        self._moved = asyncio.Event()

    @property
    def is_finished(self) -> bool:
        """Whether nothing will come any more."""
        return self.done >= self.total or self.failure is not None

    async def wait(self, done: int) -> None:
        """Until more than `done` is done, or it is over, or PATIENCE has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self.done <= done and not self.is_finished:
                    await self._moved.wait()

    async def make(self, colorizer: Colorizer, workers: Workers) -> None:
        """Makes them; a photograph that is being coloured goes first."""
        steps = _steps(colorizer, self.wanted)

        def advance() -> tuple[int, bytes | None] | None:
            return next(steps, None)

        try:
            while (step := await workers.run("thinking", advance)) is not None:
                at, picture = step
                if picture is not None:
                    self.pictures[at] = picture
                self._move(self.done + 1)
                while workers.is_busy("coloring"):
                    await asyncio.sleep(_CALM)
            self._move(self.total)
        except Exception as error:  # who waits is told, whatever it is
            logger.exception("%s: a shot cannot be coloured", self.wanted.entry.name)
            self.failure = explain(error, self.wanted.entry.path)
            self._move(self.done)

    def stop(self) -> None:
        """Nobody wants it any more."""
        if not self.is_finished:
            self.failure = "other colours are wanted"
        self._move(self.done)

    def _move(self, done: int) -> None:
        self.done = done
        self._moved.set()
        self._moved = asyncio.Event()


def _steps(colorizer: Colorizer, wanted: Wanted) -> Iterator[tuple[int, bytes | None]]:
    """A frame after the other, twice: its time, and the second time its picture."""
    from hybridvit.film.geometry import Geometry
    from hybridvit.film.levels import Levels, Matrix
    from hybridvit.film.look import without_bars
    from hybridvit.film.shot import color_shot, painted

    said: dict[str, Any] = wanted.about.geometry
    levels, size = Levels(*said["levels"]), tuple(said["size"])
    (top, height), (left, width) = (without_bars(np.asarray(one), levels) for one in wanted.shot.lightest)
    geometry = Geometry(
        size,
        levels,
        Matrix(*said["matrix"]),
        said["turns"],
        Fraction(*said["aspect"]),
        (top, left, height, width),
        wanted.recipe.settings.size,
    )
    times = wanted.shot.times
    hinted = {times.index(at): hints for at, hints in wanted.hinted.items()}

    def lumas() -> Iterator[np.ndarray]:
        start, stop = times[0], times[-1] + 1
        while start < stop:
            found, planes = lumas_of(wanted.entry.path, start, stop)
            yield from planes
            start = found[-1] + 1

    for k, found in enumerate(color_shot(colorizer, wanted.recipe, geometry, lumas, hinted)):
        at = times[k % len(times)]
        yield (
            at,
            encoding.jpeg(preview(painted(*found), THUMBNAIL)) if found else None,
        )
