"""Where the sidecar of one photograph lies, and how nothing in it gets lost.

It lies beside the photograph, where `hybridvit colorize` reads it; in the data folder only as long as the photograph's
folder cannot be written. A photograph that shares its name with others (photo.jpg and photo.tif) has one of its whole
name; where an older one of the short name turns out to be its own, that is read, and gives way when hints are saved.
A file that is in its place without having been read or written here is put aside before another takes the place.
"""

import errno
import itertools
import os
import pathlib
from collections.abc import Callable

from hybridvit.colorize.summary import explain
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import Sidecar, load_hints, save_hints
from hybridvit.studio.entry import Entry, stamp_of

_NO_ENTRY = {errno.EACCES, errno.EPERM, errno.EROFS}


def sidecar_now(entry: Entry) -> pathlib.Path | None:
    """The sidecar that counts, read or not; None if there is none, or only one that may be a namesake's."""
    places = (entry.spare, entry.sidecar)
    return next((path for path in places if path not in entry.shared and path.exists()), None)


class SidecarFile:
    """The sidecar of a photograph of `width` x `height` px with the digest `sha256`; for one thread at a time."""

    def __init__(self, entry: Entry, width: int, height: int, sha256: str, check: Callable[[Recipe], None]):
        """`check` raises ValueError for a recipe that cannot be used."""
        self._entry, self._picture, self._check = entry, (width, height, sha256), check
        self._known: dict[pathlib.Path, tuple[int, int]] = {}  # stamps of what was read or written here
        self._looked_at: dict[
            pathlib.Path, tuple[tuple[int, int], bool]
        ] = {}  # stamps, and whose they may be
        self.remarks: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is another one than was last read or written here."""
        path = self._now()
        return path is not None and self._known.get(path) != stamp_of(path)

    def read(self) -> Sidecar | None:
        """What is there, if it can be read and is this picture's; renews the remarks."""
        self.remarks = ()
        if not os.access(self._entry.sidecar.parent, os.W_OK):
            self.remarks = (
                f"its folder cannot be written: its hints are kept in {self._entry.spare.parent}",
            )
        path = self._now()
        if path is None:
            return None
        stamp = stamp_of(path)
        try:
            sidecar = load_hints(path)
            self._check(sidecar.recipe)
        except (ValueError, OSError) as error:
            told = f"{path.name}: {explain(error, path)}"
        else:
            if self._is_of_this_picture(sidecar):
                self._known[path] = stamp
                if path == self._entry.spare != self._entry.sidecar:
                    self._bring_home(sidecar)
                return sidecar
            told = f"{path.name}: its hints are for another picture, or this one was changed since"
        self.remarks += (
            f"{told}. It is not used; it will be kept beside the new one if you make hints here.",
        )
        return None

    def write(self, sidecar: Sidecar) -> None:
        """Saves it; it is on the disk afterwards. Raises OSError."""
        place, spare = self._entry.sidecar, self._entry.spare
        if place == spare or not place.exists() or self._may_be_this_ones(place):
            try:
                self._write(place, sidecar)
            except OSError as error:
                if error.errno not in _NO_ENTRY or spare == place:
                    raise
            else:
                self._clear_away(place)
                return
        spare.parent.mkdir(parents=True, exist_ok=True)
        self._write(spare, sidecar)

    def _now(self) -> pathlib.Path | None:
        """The sidecar that counts."""
        path = sidecar_now(self._entry)
        if path is None:
            shared = (path for path in self._entry.shared if path.exists())
            path = next((path for path in shared if self._may_be_this_ones(path)), None)
        return path

    def _bring_home(self, sidecar: Sidecar) -> None:
        """From the data folder to where the command finds it, if that can be written and is free."""
        if not self._entry.sidecar.exists() and os.access(self._entry.sidecar.parent, os.W_OK):
            self.write(sidecar)

    def _clear_away(self, place: pathlib.Path) -> None:
        """Removes what the sidecar at `place` replaces."""
        if self._entry.spare != place:
            self._entry.spare.unlink(missing_ok=True)
        for path in self._entry.shared:
            read_here = path != place and path.exists() and self._known.get(path) == stamp_of(path)
            if read_here and load_hints(path).sha256 is not None:  # else it is meant for the namesakes, too
                path.unlink()

    def _write(self, path: pathlib.Path, sidecar: Sidecar) -> None:
        if path.exists() and self._known.get(path) != stamp_of(path):
            names = (f"{path.name}.unread{n or ''}" for n in itertools.count())
            path.rename(next(aside for name in names if not (aside := path.with_name(name)).exists()))
        save_hints(path, sidecar)
        self._known[path] = stamp_of(path)

    def _is_of_this_picture(self, sidecar: Sidecar) -> bool:
        found = sidecar.width, sidecar.height, sidecar.sha256 or self._picture[2]
        return found == self._picture

    def _may_be_this_ones(self, path: pathlib.Path) -> bool:
        """Whether a sidecar is no namesake's for certain."""
        if path not in self._entry.shared or self._known.get(path) == stamp_of(path):
            return True
        stamp = stamp_of(path)
        known, answer = self._looked_at.get(path, (None, True))
        if known != stamp:
            try:
                answer = self._is_of_this_picture(load_hints(path))
            except (ValueError, OSError):  # that is told when it is read
                answer = True
            self._looked_at[path] = stamp, answer
        return answer
