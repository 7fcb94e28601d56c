"""The photographs and films of the chosen folder, to its depths: what is there now.

Each in natural order (2.jpg before 10.jpg).
"""

import hashlib
import os
import pathlib
import re
from collections import Counter
from collections.abc import Collection

from hybridvit.colorize.batch import leave_results
from hybridvit.colorize.inputs import SUFFIXES, Source, find_sources
from hybridvit.colorize.namesakes import Neighbours
from hybridvit.film.names import SUFFIXES as FILMS
from hybridvit.hints.sidecar import sidecar_path, whole_sidecar_path
from hybridvit.studio.decode_film import find_results
from hybridvit.studio.entry import ID_DIGITS, Entry, stamp_of
from hybridvit.studio.remembered import Remembered


class Folder:
    """A folder."""

    def __init__(self, root: pathlib.Path, output: pathlib.Path | None, data: pathlib.Path):
        """`output` is where results go (None: beside the photographs), `data` where sidecars that it does not take."""
        self.root = pathlib.Path(os.path.abspath(root))
        self.output = self.root if output is None else output
        self._spare = data / "sidecars"
        self._original: dict[pathlib.Path, tuple[tuple[int, int], bool]] = {}  # films, and the file's stamp
        self._remembered = Remembered(data)

    def sources(self) -> list[Source]:
        """Its photographs, except links that lead out of it and what hybridvit has made."""
        found = [one for one in self._found(SUFFIXES) if self._is_original(one)]
        self._remembered.keep()
        return found

    def films(self) -> list[Source]:
        """Its films, with the same exceptions."""
        found = self._found(FILMS)
        stamps = {one.path: stamp_of(one.path) for one in found}
        new = [path for path, stamp in stamps.items() if self._original.get(path, (None,))[0] != stamp]
        results = find_results(new)
        self._original |= {path: (stamps[path], path not in results) for path in new}
        return [one for one in found if self._original[one.path][1]]

    def has_films(self) -> bool:
        """Whether there are any, results or not."""
        return bool(self._found(FILMS))

    def _found(self, suffixes: Collection[str]) -> list[Source]:
        try:
            found = find_sources([os.fspath(self.root)], self.output, suffixes=suffixes).sources
        except (ValueError, OSError):  # there is none, or no folder any more
            return []
        inside = os.path.join(os.path.realpath(self.root), "")
        found = [one for one in found if os.path.realpath(one.path).startswith(inside)]
        return sorted(found, key=lambda source: [_natural(part) for part in source.relative.parts])

    def entries(self, with_films: bool = False) -> list[Entry]:
        """What the studio lists."""
        neighbours, sources = Neighbours(), self.sources()
        entries = [self._entry(source, neighbours) for source in sources]
        if with_films and (films := self.films()):
            taken = Counter(sidecar_path(source.path) for source in (*sources, *films))
            entries += [self._film(source, taken[sidecar_path(source.path)] > 1) for source in films]
        return entries

    def _film(self, source: Source, has_namesakes: bool) -> Entry:
        own = (whole_sidecar_path if has_namesakes else sidecar_path)(source.path)
        digest, name, spare = self._called(source)
        return Entry(digest, name, "folder", source.path, own, spare, is_film=True)

    def _entry(self, source: Source, neighbours: Neighbours) -> Entry:
        own, shared = neighbours.places(source.path)
        digest, name, spare = self._called(source)
        return Entry(digest, name, "folder", source.path, own, spare, shared)

    def _called(self, source: Source) -> tuple[str, str, pathlib.Path]:
        """Its id, its name, and where its sidecar lies if it cannot lie beside it."""
        digest = hashlib.sha256(b"folder\0" + os.fsencode(source.path)).hexdigest()[:ID_DIGITS]
        name = os.fsencode(source.relative.as_posix()).decode("utf-8", "replace")
        return digest, name, self._spare / f"{digest}.hints.json"

    def _is_original(self, source: Source) -> bool:
        return self._remembered.of("original", source.path, lambda path: bool(leave_results([source])[0]))


def _natural(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())]
