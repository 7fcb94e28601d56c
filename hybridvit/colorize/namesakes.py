"""Which sidecar is whose, where several pictures share a name: scan.tif, scan.jpg and scan.hints.json.

A picture that is alone of its name has scan.hints.json. Namesakes have sidecars of their whole names,
scan.tif.hints.json and scan.jpg.hints.json; a scan.hints.json from before they met is of the one whose pixels it was
made for. Names that differ in case alone count as the same here, as other systems' disks do not tell them apart.
"""

import os
import pathlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from hybridvit.colorize.inputs import HINTS_SUFFIX, SUFFIXES, folded
from hybridvit.hints.shapes import HintError
from hybridvit.hints.sidecar import Sidecar, load_hints, sidecar_path, whole_sidecar_path
from hybridvit.photo.photo import read_photo


class Places(NamedTuple):
    """Where the sidecar of a picture belongs, and where files lie that may be its or a namesake's."""

    own: pathlib.Path
    shared: tuple[pathlib.Path, ...]


class Neighbours:
    """The pictures of folders; each folder is listed once, when it is first asked for."""

    def __init__(self) -> None:
        self._folders: dict[pathlib.Path, dict[str, list[str]]] = {}

    def others(self, sidecar: pathlib.Path, picture: pathlib.Path) -> list[pathlib.Path]:
        """The pictures that this sidecar may be of by its name, but for `picture`; sorted."""
        folder = sidecar.parent
        if folder not in self._folders:
            self._folders[folder] = by_claim(_listed(folder))
        names = self._folders[folder].get(claim_of(sidecar.name), [])
        return [folder / name for name in names if name != picture.name]

    def places(self, picture: pathlib.Path) -> Places:
        """The places of a picture's sidecar; files need not be there."""
        whole, short = whole_sidecar_path(picture), sidecar_path(picture)
        shared = tuple(path for path in dict.fromkeys((whole, short)) if self.others(path, picture))
        # Its namesakes may be gone
        stays = whole not in shared and whole.exists()
        return Places(whole if short in shared or stays else short, shared)


def find_sidecar(picture: pathlib.Path, neighbours: Neighbours) -> pathlib.Path | None:
    """The sidecar that is this picture's; None if there is none.

    The picture is read only where a sidecar may be that of a namesake, and then once more by whoever asked.

    Raises:
      OSError: a file cannot be opened.
      ValueError: such a sidecar is malformed, or for none of the pictures that it may be of; or this one is unreadable.
    """
    for place in dict.fromkeys((whole_sidecar_path(picture), sidecar_path(picture))):
        if not place.exists():
            continue
        others = neighbours.others(place, picture)
        if not others:
            return place
        sidecar = load_hints(place)
        if _fits(sidecar, picture):
            return place
        if not any(_may_fit(sidecar, other) for other in others):
            names = ", ".join(path.name for path in sorted([picture, *others]))
            raise ValueError(f"{place}: its hints are for none of {names}, or that was changed since")
    return None


def _fits(sidecar: Sidecar, picture: pathlib.Path) -> bool:
    try:
        sidecar.check_picture(read_photo(picture).pixels)
    except HintError:
        return False
    return True


def _may_fit(sidecar: Sidecar, picture: pathlib.Path) -> bool:
    try:
        return _fits(sidecar, picture)
    except (OSError, ValueError):  # it may well be the one: who colours it is told that it cannot be read
        return True


def _listed(folder: pathlib.Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # one may be allowed to read its files and not to list them
        return []


def by_claim(names: Iterable[str]) -> dict[str, list[str]]:
    """Stems and whole names, folded, of the pictures in a folder's listing -> the pictures that have them, sorted."""
    claims = defaultdict(list)
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in SUFFIXES and not name.startswith("."):
            claims[folded(stem)].append(name)
            claims[folded(name)].append(name)
    return claims


def claim_of(sidecar: str) -> str:
    """The key of a sidecar's name in `by_claim`."""
    return folded(sidecar.removesuffix(HINTS_SUFFIX))
