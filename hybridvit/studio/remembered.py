"""What was found out of files, in the data folder: read again only where a file has another size or time."""

import contextlib
import json
import pathlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from hybridvit.studio.entry import stamp_of
from hybridvit.version import VERSION

_TABLE = """create table if not exists found
    (kind text, path text, time integer, size integer, version text, value text, primary key (kind, path))"""


class Remembered:
    """For one thread at a time. What cannot be written is found out again the next time."""

    def __init__(self, data: pathlib.Path):
        self._file = data / "review" / "found.sqlite"
        self._held: dict[tuple[str, str], tuple[tuple[int, int], Any]] = {}
        self._new: set[tuple[str, str]] = set()
        self._read: set[str] = set()  # kinds

    def of(self, kind: str, path: pathlib.Path, find: Callable[[pathlib.Path], Any]) -> Any:
        """What `find` says of a file, as JSON holds it, since the file is what it is. What it raises is raised."""
        if kind not in self._read:
            self._read.add(kind)
            self._read_kind(kind)
        stamp, key = stamp_of(path), (kind, str(path))
        if self._held.get(key, (None,))[0] != stamp:
            self._held[key] = stamp, find(path)
            self._new.add(key)
        return self._held[key][1]

    def keep(self) -> None:
        """Writes what was found since the last time."""
        if not self._new:
            return
        new, self._new = self._new, set()
        rows = [(*key, *self._held[key][0], VERSION, json.dumps(self._held[key][1])) for key in new]
        with contextlib.suppress(OSError, sqlite3.Error):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as database:
                database.executemany("insert or replace into found values (?, ?, ?, ?, ?, ?)", rows)

    def _read_kind(self, kind: str) -> None:
        if not self._file.exists():
            return
        with contextlib.suppress(sqlite3.Error, ValueError), self._open() as database:
            # What another version found may say other things
            found = "select path, time, size, value from found where kind = ? and version = ?"
            for path, time, size, value in database.execute(found, (kind, VERSION)):
                self._held[kind, path] = (time, size), json.loads(value)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._file, timeout=1)) as database, database:
            database.execute(_TABLE)
            yield database
