"""What is seen of an album's photographs, on disk: described once, read as memory that the system may give up.

    places.f16   vectors of the cells of 16 px, all photographs one after the other, float16 [cells, d]
    likely.f16   logarithms of the bins' probabilities there, float16 [cells, 313]
    pictures.jsonl   which photograph has which cells: a line each, written when its cells are

A process that is killed leaves at most cells without a line, and half a line; both are cut off at the next start. A
photograph is known by the digest of its file, so it may be renamed, and is described anew when it is changed.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float16

from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.places import Described

VERSION = 1
_ABOUT, _PICTURES, _PLACES, _LIKELY = "about.json", "pictures.jsonl", "places.f16", "likely.f16"


class Cells(NamedTuple):
    """Where a photograph's cells are: the number of the first, and the grid over its view."""

    first: int
    rows: int
    columns: int

    @property
    def count(self) -> int:
        """How many."""
        return self.rows * self.columns


class Index:
    """The index in a folder, of photographs described alike (`about`); one process at a time may add to it."""

    def __init__(self, folder: pathlib.Path, about: Mapping[str, Any]):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        said = dict(about) | {"version": VERSION}
        if _read_json(folder / _ABOUT) != said:  # described otherwise, or new
            for name in (_PICTURES, _PLACES, _LIKELY):
                (folder / name).unlink(missing_ok=True)
            (folder / _ABOUT).write_text(json.dumps(said))
        self.pictures: dict[str, Cells] = {}
        self._width = 0
        whole = 0  # bytes of whole lines
        for line in _lines(folder / _PICTURES):
            try:
                key, first, rows, columns, self._width = json.loads(line)
            except ValueError:
                break
            self.pictures[key] = Cells(first, rows, columns)
            whole += len(line)
        self._count = sum(cells.count for cells in self.pictures.values())
        self._files = {}
        for name, size in ((_PICTURES, whole), (_PLACES, 2 * self._width), (_LIKELY, 2 * NUM_BINS)):
            file = self._files[name] = open(folder / name, "ab")  # noqa: SIM115
            file.truncate(size if name == _PICTURES else size * self._count)
        self._maps: dict[str, np.ndarray] = {}

    def add(self, key: str, seen: Described) -> None:
        """Keeps what is seen of a photograph."""
        rows, columns, self._width = seen.places.shape
        for name, values in ((_PLACES, seen.places), (_LIKELY, seen.likely)):
            self._files[name].write(np.ascontiguousarray(values, np.float16).data)
            self._files[name].flush()
        line = json.dumps([key, self._count, rows, columns, self._width])
        self._files[_PICTURES].write(f"{line}\n".encode())
        self._files[_PICTURES].flush()
        self.pictures[key] = Cells(self._count, rows, columns)
        self._count += rows * columns
        self._maps = {}

    def places(self, key: str) -> Float[np.ndarray, "n d"]:
        """The vectors of its cells, row by row, of length 1."""
        return self._read(_PLACES, key, self._width).astype(np.float32)

    def likely(self, key: str) -> Float[np.ndarray, "n 313"]:
        """The logarithms of the probabilities of the bins in its cells."""
        return self._read(_LIKELY, key, NUM_BINS).astype(np.float32)

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            file.close()

    def _read(self, name: str, key: str, width: int) -> Float16[np.ndarray, "n k"]:
        if name not in self._maps:
            self._maps[name] = np.memmap(self._folder / name, np.float16, "r", shape=(self._count, width))
        cells = self.pictures[key]
        return self._maps[name][cells.first : cells.first + cells.count]


def _lines(path: pathlib.Path) -> list[bytes]:
    """Whole ones."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _read_json(path: pathlib.Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
