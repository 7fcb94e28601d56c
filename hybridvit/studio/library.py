"""All photographs and films that the studio knows of: those of the chosen folder, then the uploads."""

import os
import pathlib
from typing import Any

from hybridvit.film.hints import load_film_hints
from hybridvit.film.names import MISSING, films_can_be_read
from hybridvit.hints.sidecar import load_hints
from hybridvit.studio.entry import ID, Entry, stamp_of
from hybridvit.studio.folder import Folder
from hybridvit.studio.marks import Marks
from hybridvit.studio.sidecar_file import sidecar_now
from hybridvit.studio.uploads import Uploads


class Library:
    """What can be opened. Its functions touch the disk; for one thread at a time, but for `find` and `add`."""

    def __init__(self, folder: Folder | None, uploads: Uploads, output: pathlib.Path | None = None):
        """`output` is the folder of all results; None: they lie beside the photographs, those of uploads with them."""
        self.folder, self.uploads, self.output = folder, uploads, output
        self.marks = Marks(uploads.data)
        self._known: dict[str, Entry] = {}
        self._counted: dict[
            pathlib.Path, tuple[tuple[int, int], int | None]
        ] = {}  # hints, and the file's stamp

    def scan(self) -> list[Entry]:
        """What is there now, in the order to show it."""
        found = self.folder.entries(films_can_be_read()) if self.folder else ()
        entries = [*found, *self.uploads.entries()]
        self._known = {entry.id: entry for entry in entries}
        return entries

    def listed(self) -> list[dict[str, Any]]:
        """The same for the page."""
        return [
            {
                "id": entry.id,
                "name": entry.name,
                "source": entry.source,
                "kind": "film" if entry.is_film else "photo",
                "hints": self._count_hints(entry),
                **self.marks.of(entry, sidecar_now(entry)),
            }
            for entry in self.scan()
        ]

    def find(self, photo_id: str) -> Entry | None:
        """What was there under this id at the last `scan`; a film's with a time is its frame's."""
        whole, _, time = photo_id.partition("-")
        entry = self._known.get(whole)
        if not time or entry is None:
            return entry
        return entry.frame(int(time)) if entry.is_film and ID.fullmatch(photo_id) else None

    def add(self, entry: Entry) -> None:
        """One that has come since."""
        self._known[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        """Removes an upload."""
        self._known.pop(entry.id, None)
        self.uploads.remove(entry)
        self.marks.forget(entry.id)

    def films_missing(self) -> str | None:
        """What to install for the films of the folder; None: nothing, or there are none."""
        return MISSING if self.folder and not films_can_be_read() and self.folder.has_films() else None

    def find_path(self, path: pathlib.Path) -> str | None:
        """The id of the photograph with this path."""
        return next((entry.id for entry in self.scan() if os.path.samefile(entry.path, path)), None)

    def _count_hints(self, entry: Entry) -> int | None:
        path = sidecar_now(entry)
        if path is None:
            return None
        stamp = stamp_of(path)
        known, count = self._counted.get(path, (None, None))
        if known != stamp:
            try:
                count = (
                    sum(len(hints) for _, hints in load_film_hints(path).frames)
                    if entry.is_film
                    else len(load_hints(path).recipe.hints)
                )
            except (ValueError, OSError):
                count = None
            self._counted[path] = stamp, count
        return count
