"""The photographs of the chosen folder, to its depths: what is there now, in natural order (2.jpg before 10.jpg)."""

import hashlib
import os
import pathlib
import re

from hybridvit.colorize.batch import leave_results
from hybridvit.colorize.inputs import Source, find_sources
from hybridvit.colorize.namesakes import Neighbours
from hybridvit.studio.entry import ID_DIGITS, Entry, stamp_of


class Folder:
    """A folder."""

    def __init__(self, root: pathlib.Path, output: pathlib.Path | None, data: pathlib.Path):
        """`output` is where results go (None: beside the photographs), `data` where sidecars that it does not take."""
        self.root = pathlib.Path(os.path.abspath(root))
        self.output = self.root if output is None else output
        self._spare = data / "sidecars"
        self._original: dict[pathlib.Path, tuple[tuple[int, int], bool]] = {}  # and the file's stamp

    def sources(self) -> list[Source]:
        """Its photographs, except links that lead out of it and what hybridvit has made."""
        try:
            found = find_sources([os.fspath(self.root)], self.output).sources
        except (ValueError, OSError):  # there is no photograph, or no folder any more
            return []
        inside = os.path.join(os.path.realpath(self.root), "")
        found = [
            one for one in found if os.path.realpath(one.path).startswith(inside) and self._is_original(one)
        ]
        return sorted(found, key=lambda source: [_natural(part) for part in source.relative.parts])

    def entries(self) -> list[Entry]:
        """The same, as the studio lists them."""
        neighbours = Neighbours()
        return [self._entry(source, neighbours) for source in self.sources()]

    def _entry(self, source: Source, neighbours: Neighbours) -> Entry:
        own, shared = neighbours.places(source.path)
        digest = hashlib.sha256(b"folder\0" + os.fsencode(source.path)).hexdigest()[:ID_DIGITS]
        return Entry(
            digest,
            os.fsencode(source.relative.as_posix()).decode("utf-8", "replace"),
            "folder",
            source.path,
            own,
            self._spare / f"{digest}.hints.json",
            shared,
        )

    def _is_original(self, source: Source) -> bool:
        stamp = stamp_of(source.path)
        known, original = self._original.get(source.path, (None, True))
        if known != stamp:
            original = bool(leave_results([source])[0])
            self._original[source.path] = stamp, original
        return original


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())]
