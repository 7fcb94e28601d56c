"""The folder's photographs for review: what became of each, looked up again only where a file has changed."""

import hashlib
import json
import os
import pathlib
from typing import Any

from hybridvit.colorize.inputs import find_sources
from hybridvit.hints.review import Review
from hybridvit.hints.sidecar import Sidecar, load_hints
from hybridvit.photo.record import SOURCE
from hybridvit.photo.words import words_of
from hybridvit.review.found import Reviewed, reviewed, said_by
from hybridvit.studio.entry import Entry, stamp_of
from hybridvit.studio.library import Library
from hybridvit.studio.remembered import Remembered
from hybridvit.studio.sidecar_file import sidecar_now


class ReviewList:
    """Touches the disk; for one thread at a time."""

    def __init__(self, library: Library):
        self._library = library
        self._remembered = Remembered(library.uploads.data)
        self._results: dict[str, pathlib.Path] = {}

    def listed(self) -> list[dict[str, Any]]:
        """For the page, those first that need a person most."""
        self._look_for_results()
        pairs = [
            (entry, self.of(entry))
            for entry in self._library.scan()
            if entry.source == "folder" and not entry.is_film
        ]
        pairs.sort(key=lambda pair: (-pair[1].need, pair[1].name))
        listed = [
            {
                "id": entry.id,
                "name": one.name,
                "state": one.state,
                "by": one.by,
                "when": one.when,
                "revision": revision_of(self._sidecar(entry)),
                "colored": self._tag(one.result),
                "doubt": one.doubt,
                "disagreement": one.disagreement,
                "hints": len(one.hints),
                "words": self._remembered.of("words", entry.path, words_of),
            }
            for entry, one in pairs
        ]
        self._remembered.keep()
        return listed

    def of(self, entry: Entry) -> Reviewed:
        """One photograph."""
        result = self._results.get(self._digest(entry.path))
        said = self._read(result) if result else {}
        return reviewed(entry.name, entry.path, result, said, self._sidecar(entry))

    def result_of(self, entry: Entry) -> pathlib.Path | None:
        """Its result's file."""
        if self._digest(entry.path) not in self._results:
            self._look_for_results()
        return self._results.get(self._digest(entry.path))

    def _look_for_results(self) -> None:
        folder = self._library.output or (self._library.folder and self._library.folder.root)
        self._results = {}
        if folder is None or not folder.is_dir():
            return
        try:
            sources = find_sources([os.fspath(folder)], os.devnull).sources
        except (OSError, ValueError):  # none yet
            return
        for source in sources:
            said = self._read(source.path)
            if SOURCE in said and "shows" not in said:  # no heat map
                self._results[said[SOURCE]] = source.path

    def _read(self, path: pathlib.Path) -> dict[str, Any]:
        return self._remembered.of("said", path, said_by)

    def _digest(self, path: pathlib.Path) -> str:
        try:
            return self._remembered.of("digest", path, _sha256)
        except OSError:  # it is gone
            return ""

    def _sidecar(self, entry: Entry) -> Sidecar | None:
        path = sidecar_now(entry)
        try:
            return load_hints(path) if path else None
        except (OSError, ValueError):  # said of it when it is opened
            return None

    def _tag(self, result: pathlib.Path | None) -> str | None:
        return None if result is None else "{:x}-{:x}".format(*stamp_of(result))


def revision_of(sidecar: Sidecar | None) -> str:
    """A name for what is said in a review; who changes it must have seen it."""
    review: Review | None = sidecar.review if sidecar else None
    return hashlib.sha256(json.dumps(vars(review) if review else None).encode()).hexdigest()[:16]


def _sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
