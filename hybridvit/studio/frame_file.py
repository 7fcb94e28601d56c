"""The hints of one frame of a film, in the film's own sidecar, which `hybridvit film` reads: film/hints.py.

Palette and settings are those of all of the film. What is said of other frames stays as it is.
"""

import dataclasses
import errno
import itertools
import os
import pathlib
import threading
from collections.abc import Callable

from hybridvit.colorize.summary import explain
from hybridvit.film.hints import FilmHints, load_film_hints, save_film_hints
from hybridvit.hints.frame import WHOLE
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import HintError, Mask, Region
from hybridvit.hints.sidecar import Sidecar
from hybridvit.studio.entry import Entry
from hybridvit.studio.sidecar_file import sidecar_now

TICK = 1e-4  # s, by which `film.tracks.frames_at` lets a time be before its frame
_NO_ENTRY = {errno.EACCES, errno.EPERM, errno.EROFS}
_writing = threading.Lock()  # frames of one film share a file


def check_for_film(recipe: Recipe) -> None:
    """Raises HintError for what a film's sidecar cannot hold."""
    if recipe.protected:
        raise HintError("protected", "a film has no protected areas: what lies in them would move")
    if recipe.frame != WHOLE:
        raise HintError("frame", "a film is neither cropped nor turned here")
    if recipe.settings.decode == "sample":
        raise HintError("settings.decode", "a film's colours are not drawn: choose vivid or mean")
    for index, hint in enumerate(recipe.hints):
        if isinstance(hint, Region) and isinstance(hint.area, Mask):
            raise HintError(
                f"hints[{index}].mask", "a mask does not move with what it lies on: draw an outline"
            )


def hints_now(entry: Entry) -> FilmHints | None:
    """What is said of a film; None: nothing, or nothing that can be read."""
    path = sidecar_now(entry)
    try:
        return load_film_hints(path) if path else None
    except (ValueError, OSError):  # said of its frames when they are opened
        return None


class FrameFile:
    """As `SidecarFile`, for a frame of `width` x `height` px, after which the next begins at `until` (None: none)."""

    def __init__(
        self,
        entry: Entry,
        width: int,
        height: int,
        sha256: str,
        check: Callable[[Recipe], None],
        until: int | None,
    ):
        """`check` raises ValueError for a recipe that cannot be used."""
        assert entry.at is not None
        self._entry, self._picture, self._check = entry, (width, height, sha256), check
        self._time = round(entry.at / 1e6, 6)
        self._until = float("inf") if until is None else until / 1e6
        self._known: Recipe | None = None
        self.remarks: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether something else is said of the frame than was last read or written here."""
        hints = hints_now(self._entry)
        now = self._recipe(hints) if hints and self._fits(hints) else Recipe()
        return now != (self._known or Recipe())

    def read(self) -> Sidecar | None:
        """What is said of the frame; renews the remarks."""
        self.remarks, self._known = (), None
        if not os.access(self._entry.sidecar.parent, os.W_OK):
            self.remarks = (
                f"its folder cannot be written: its hints are kept in {self._entry.spare.parent}",
            )
        path = sidecar_now(self._entry)
        if path is None:
            return None
        try:
            hints = load_film_hints(path)
            if not self._fits(hints):
                raise ValueError(f"its hints are for a film of {hints.width} x {hints.height} px")
            recipe = self._recipe(hints)
            self._check(recipe)
        except (ValueError, OSError) as error:
            told = f"{path.name}: {explain(error, path)}"
            self.remarks += (
                f"{told}. It is not used; it will be kept beside the new one if you make hints here.",
            )
            return None
        self._known = recipe
        return self._sidecar(recipe)

    def write(self, sidecar: Sidecar) -> None:
        """Saves it; it is on the disk afterwards. Raises OSError, or HintError for what a film cannot have."""
        check_for_film(sidecar.recipe)
        with _writing:
            hints = hints_now(self._entry)
            if hints is None or not self._fits(hints):
                _put_aside(sidecar_now(self._entry))
                hints = FilmHints(*self._picture[:2])
            self._save(self._with(hints, sidecar.recipe))
        self._known = sidecar.recipe

    def _save(self, hints: FilmHints) -> None:
        place, spare = self._entry.sidecar, self._entry.spare
        try:
            save_film_hints(place, hints)
        except OSError as error:
            if error.errno not in _NO_ENTRY:
                raise
            spare.parent.mkdir(parents=True, exist_ok=True)
            save_film_hints(spare, hints)
        else:
            spare.unlink(missing_ok=True)

    def _with(self, hints: FilmHints, recipe: Recipe) -> FilmHints:
        frames = [(time, found) for time, found in hints.frames if not self._is_own(time)]
        if recipe.hints:
            frames = sorted([*frames, (self._time, recipe.hints)], key=lambda one: one[0])
        return dataclasses.replace(
            hints, frames=tuple(frames), recipe=Recipe(palette=recipe.palette, settings=recipe.settings)
        )

    def _recipe(self, hints: FilmHints) -> Recipe:
        own = (found for time, found in hints.frames if self._is_own(time))
        return dataclasses.replace(hints.recipe, hints=tuple(itertools.chain.from_iterable(own)))

    def _is_own(self, time: float) -> bool:
        """Whether it is this frame that is shown then."""
        return self._time <= time + TICK < self._until

    def _fits(self, hints: FilmHints) -> bool:
        return (hints.width, hints.height) == self._picture[:2]

    def _sidecar(self, recipe: Recipe) -> Sidecar:
        return Sidecar(*self._picture, recipe)


def _put_aside(path: pathlib.Path | None) -> None:
    if path is not None:
        names = (f"{path.name}.unread{n or ''}" for n in itertools.count())
        path.rename(next(aside for name in names if not (aside := path.with_name(name)).exists()))
