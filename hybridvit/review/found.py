"""Photographs and what became of them: each one's result, its review, and how much it needs a person.

A result is found by what it says of itself (the digest of its original), so results may be renamed and moved.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.hints.sidecar import Sidecar, load_hints
from hybridvit.photo.photo import read_provenance
from hybridvit.photo.record import SOURCE
from hybridvit.provenance.claim import given_hints

_LARGE = 20.0  # ab units: a disagreement that counts as much as half of all doubt


@dataclasses.dataclass(frozen=True)
class Reviewed:
    """A photograph for review.

    Attributes:
      name: its path below the folder.
      path: its file.
      result: its result's file, None if there is none.
      state, by, when: of its sidecar's review; "unreviewed" without one.
      doubt: share of the result, 0..1, whose colour is probably another one; None if it is not known.
      disagreement: ab units between its colours and those of places that match (`hybridvit album`), or None.
      hints: each colour that was given, with its source.
      said: what the result says of weights, settings and software.
    """

    name: str
    path: pathlib.Path
    result: pathlib.Path | None
    state: str
    by: str
    when: str
    doubt: float | None
    disagreement: float | None
    hints: tuple[dict[str, Any], ...]
    said: dict[str, Any]

    @property
    def need(self) -> float:
        """How much it needs a person, 0 upwards: doubt weighted by area, and disagreement within its group."""
        return (self.doubt or 0.0) + 0.5 * min((self.disagreement or 0.0) / _LARGE, 1.0)


def find_reviewed(folder: pathlib.Path, results: pathlib.Path) -> list[Reviewed]:
    """The photographs of a folder, those first that need a person most; results are looked for in `results`.

    Raises FileNotFoundError or ValueError, one line, if there is no photograph.
    """
    made = dict(find_results(results)) if results.is_dir() else {}
    neighbours, found = Neighbours(), []
    for source in find_sources([os.fspath(folder)], os.devnull).sources:
        if _said(source.path):  # a result itself
            continue
        with contextlib.suppress(OSError):  # it is gone
            digest = _sha256(source.path)
            result, said = made.get(digest, (None, {}))
            sidecar = read_sidecar(source.path, neighbours)
            found.append(reviewed(source.relative.as_posix(), source.path, result, said, sidecar))
    if not found:
        raise ValueError(f"no photograph in {folder}")
    return sorted(found, key=lambda one: (-one.need, one.name))


def reviewed(
    name: str,
    path: pathlib.Path,
    result: pathlib.Path | None,
    said: dict[str, Any],
    sidecar: Sidecar | None,
) -> Reviewed:
    """Of one photograph; `said` is its result's provenance."""
    review = sidecar.review if sidecar else None
    state, by, when = (review.state, review.by, review.when) if review else ("unreviewed", "", "")
    album = said.get("album")
    about = {name: value for name, value in said.items() if name not in ("hints", "palette", "protected")}
    return Reviewed(
        name,
        path,
        result,
        state,
        by,
        when,
        said.get("doubt"),
        album.get("disagreement") if isinstance(album, dict) else None,
        tuple(given_hints(said)),
        about,
    )


def find_results(folder: pathlib.Path) -> Iterator[tuple[str, tuple[pathlib.Path, dict[str, Any]]]]:
    """Digests of originals, and each one's result with what it says; a later file of the same original wins."""
    try:
        sources = find_sources([os.fspath(folder)], os.devnull).sources
    except (OSError, ValueError):  # none yet
        return
    for source in sources:
        said = _said(source.path)
        if said and SOURCE in said and "shows" not in said:  # no heat map
            yield said[SOURCE], (source.path, said)


def read_sidecar(picture: pathlib.Path, neighbours: Neighbours) -> Sidecar | None:
    """Its sidecar; None if there is none, or none that can be read."""
    try:
        place = find_sidecar(picture, neighbours)
        return load_hints(place) if place else None
    except (OSError, ValueError):
        return None


def said_by(result: pathlib.Path) -> dict[str, Any]:
    """What a result says of itself; nothing if it is none."""
    return _said(result)


def _said(path: pathlib.Path) -> dict[str, Any]:
    try:
        return {name: _parsed(value) for name, value in (read_provenance(path) or {}).items()}
    except (OSError, ValueError):
        return {}


def _parsed(value: Any) -> Any:
    """Texts as they were, the rest as the JSON that it is."""
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return value
    return value if isinstance(found, int) and not isinstance(found, bool) and len(value) > 15 else found


def _sha256(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
