"""Uploaded photographs: each in a folder of the data folder, called by the digest of its bytes.

uploads/1f3c.../photo.tif       the bytes as they came; of their name only the suffix, one of a few
uploads/1f3c.../upload.json     the name, for people, and when they came
uploads/1f3c.../photo.hints.json, results/
"""

import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import time
from typing import BinaryIO

from hybridvit.hints.sidecar import sidecar_path
from hybridvit.studio.entry import ID_DIGITS, Entry
from hybridvit.studio.labels import UNNAMED, known_suffix, label_of

_STEM = "photo"
_COMING = ".coming-"
_ABANDONED = 86400  # seconds, after which a folder that is still coming is nobody's


class Upload:
    """A file on its way in: write into `file`, then `Uploads.settle` or `discard` it."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.label = label_of(name)
        self._folder = folder / f"{_COMING}{secrets.token_hex(8)}"
        self._folder.mkdir(parents=True)
        self.path = self._folder / f"{_STEM}{known_suffix(self.label)}"
        self.file: BinaryIO = self.path.open("xb")
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Adds to it."""
        self._digest.update(data)
        self.file.write(data)

    def finish(self) -> str:
        """All has come; returns the id."""
        self.file.close()
        (self._folder / "upload.json").write_text(json.dumps({"name": self.label, "added": time.time()}))
        return self._digest.hexdigest()[:ID_DIGITS]

    def settle(self, folder: pathlib.Path) -> None:
        """Gives it its place, unless the same bytes are there."""
        try:
            os.rename(self._folder, folder)
        except OSError:
            if not folder.is_dir():
                raise
        self.discard()

    def discard(self) -> None:
        """Removes what has not got its place."""
        self.file.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Uploads:
    """All that was uploaded, over restarts too."""

    def __init__(self, data: pathlib.Path):
        self.data, self._folder = data, data / "uploads"
        self._clear()

    def begin(self, name: str) -> Upload:
        """A new one of that name."""
        return Upload(self._folder, name)

    def settle(self, upload: Upload, digest: str) -> Entry:
        """Keeps it; of the same bytes those that came first."""
        upload.settle(self._folder / digest)
        return self._entry(self._folder / digest)

    def remove(self, entry: Entry) -> None:
        """Removes the photograph with all that belongs to it."""
        shutil.rmtree(entry.path.parent)

    def results(self, entry: Entry) -> pathlib.Path:
        """The folder of its results."""
        return entry.path.parent / "results"

    def entries(self) -> list[Entry]:
        """The newest last."""
        folders = self._folder.glob("*") if self._folder.is_dir() else ()
        known = [one for one in folders if re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", one.name)]
        return [self._entry(folder) for folder in sorted(known, key=lambda one: (_said_of(one)[1], one.name))]

    def _entry(self, folder: pathlib.Path) -> Entry:
        path = next((path for path in sorted(folder.glob(f"{_STEM}*")) if _is_photo(path)), folder / _STEM)
        sidecar = sidecar_path(path)
        return Entry(folder.name, _said_of(folder)[0], "upload", path, sidecar, sidecar)

    def _clear(self) -> None:
        for folder in self._folder.glob(f"{_COMING}*"):
            if folder.stat().st_mtime < time.time() - _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)


def _is_photo(path: pathlib.Path) -> bool:
    return path.name == f"{_STEM}{known_suffix(path.name)}"


def _said_of(folder: pathlib.Path) -> tuple[str, float]:
    try:
        said = json.loads((folder / "upload.json").read_bytes())
        return label_of(said["name"]), float(said["added"])
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):  # a label is not worth losing the photograph for
        return UNNAMED, 0.0
