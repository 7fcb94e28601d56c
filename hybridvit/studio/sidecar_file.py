"""Where the sidecar of one photograph lies, and how nothing in it gets lost.

It lies beside the photograph, where `hybridvit colorize` reads it. It lies in the data folder if the photograph's
folder cannot be written, or if its place is taken by the sidecar of a photograph of the same name (photo.jpg and
photo.tif).
A file that is in its place without having been read or written here is put aside before another takes the place.
"""

import errno
import itertools
import os
import pathlib
from collections.abc import Callable

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import Sidecar, load_hints, save_hints
from hybridvit.inference.inputs import SUFFIXES
from hybridvit.inference.summary import explain
from hybridvit.studio.entry import Entry, stamp_of

_NO_ENTRY = {errno.EACCES, errno.EPERM, errno.EROFS}


def sidecar_now(entry: Entry) -> pathlib.Path | None:
    """The sidecar that counts, read or not; None if there is none."""
    return next((path for path in (entry.spare, entry.sidecar) if path.exists()), None)


class SidecarFile:
    """The sidecar of a photograph of `width` x `height` px with the digest `sha256`; for one thread at a time."""

    def __init__(self, entry: Entry, width: int, height: int, sha256: str, check: Callable[[Recipe], None]):
        """`check` raises ValueError for a recipe that cannot be used."""
        self._entry, self._picture, self._check = entry, (width, height, sha256), check
        self._known: dict[pathlib.Path, tuple[int, int]] = {}  # stamps of what was read or written here
        self.remarks: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether there is another one than was last read or written here."""
        path = sidecar_now(self._entry)
        return path is not None and self._known.get(path) != stamp_of(path)

    def read(self) -> Sidecar | None:
        """What is there, if it can be read and is this picture's; renews the remarks."""
        self.remarks = ()
        if not os.access(self._entry.sidecar.parent, os.W_OK):
            self.remarks = (
                f"its folder cannot be written: its hints are kept in {self._entry.spare.parent}",
            )
        path = sidecar_now(self._entry)
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
                return sidecar
            told = f"{path.name}: its hints are for another picture, or this one was changed since"
        self.remarks += (
            f"{told}. It is not used; it will be kept beside the new one if you make hints here.",
        )
        return None

    def write(self, sidecar: Sidecar) -> None:
        """Saves it; it is on the disk afterwards. Raises OSError."""
        place, spare = self._entry.sidecar, self._entry.spare
        if not self._is_of_namesake(place):
            try:
                self._write(place, sidecar)
            except OSError as error:
                if error.errno not in _NO_ENTRY or spare == place:
                    raise
            else:
                if spare != place:
                    spare.unlink(missing_ok=True)
                return
        spare.parent.mkdir(parents=True, exist_ok=True)
        self._write(spare, sidecar)

    def _write(self, path: pathlib.Path, sidecar: Sidecar) -> None:
        if path.exists() and self._known.get(path) != stamp_of(path):
            names = (f"{path.name}.unread{n or ''}" for n in itertools.count())
            path.rename(next(aside for name in names if not (aside := path.with_name(name)).exists()))
        save_hints(path, sidecar)
        self._known[path] = stamp_of(path)

    def _is_of_this_picture(self, sidecar: Sidecar) -> bool:
        found = sidecar.width, sidecar.height, sidecar.sha256 or self._picture[2]
        return found == self._picture

    def _is_of_namesake(self, path: pathlib.Path) -> bool:
        if path == self._entry.spare or not path.exists() or self._known.get(path) == stamp_of(path):
            return False
        own = self._entry.path
        names = (pathlib.Path(name) for name in os.listdir(own.parent))
        if not any(
            name.stem == own.stem and name.suffix.lower() in SUFFIXES
            for name in names
            if name.name != own.name
        ):
            return False
        try:
            return not self._is_of_this_picture(load_hints(path))
        except (ValueError, OSError):
            return False
