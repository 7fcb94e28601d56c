"""What has become of each photograph: approved by the user, saved as which file; and what it looks like in colour.

marks.json            {id: {"approved": true, "saved": "/where/photo-colorized.tif"}}
thumbnails/1f3c....jpg   in the colours that were shown last
"""

import json
import os
import pathlib
import threading
from typing import Any

from hybridvit.studio.entry import Entry, stamp_of


class Marks:
    """In the data folder; may be used by several threads."""

    def __init__(self, data: pathlib.Path):
        self._file, self._thumbnails = data / "marks.json", data / "thumbnails"
        self._lock = threading.Lock()
        self._marks: dict[str, dict[str, Any]] | None = None

    def of(self, entry: Entry, sidecar: pathlib.Path | None) -> dict[str, Any]:
        """For the page: `approved`; `saved`, whether the result is there and as new as the hints; `colored`."""
        mark = self._read().get(entry.id, {})
        result = stamp_of(pathlib.Path(mark["saved"]))[0] if mark.get("saved") else 0
        hinted = stamp_of(sidecar)[0] if sidecar else 0
        return {
            "approved": mark.get("approved", False),
            "saved": result > 0 and result >= hinted,
            "colored": self.colored(entry.id),
        }

    def change(self, photo_id: str, **fields: Any) -> None:
        """Notes something of a photograph; it is on the disk afterwards. Raises OSError."""
        with self._lock:
            marks = self._load()
            marks[photo_id] = {**marks.get(photo_id, {}), **fields}
            _write(self._file, json.dumps(marks).encode())

    def forget(self, photo_id: str) -> None:
        """Removes what is noted of a photograph that is no more."""
        self.thumbnail(photo_id).unlink(missing_ok=True)
        with self._lock:
            marks = self._load()
            if marks.pop(photo_id, None):
                _write(self._file, json.dumps(marks).encode())

    def colored(self, photo_id: str) -> str | None:
        """A name for its thumbnail in colour, another one when that changes; None if there is none."""
        stamp = stamp_of(self.thumbnail(photo_id))
        return "{:x}-{:x}".format(*stamp) if any(stamp) else None

    def thumbnail(self, photo_id: str) -> pathlib.Path:
        """Where its thumbnail in colour lies, a JPEG."""
        return self._thumbnails / f"{photo_id}.jpg"

    def keep_thumbnail(self, photo_id: str, data: bytes) -> None:
        """Keeps it. Raises OSError."""
        _write(self.thumbnail(photo_id), data)

    def _read(self) -> dict[str, dict[str, Any]]:
        with self._lock:
            return self._load()

    def _load(self) -> dict[str, dict[str, Any]]:
        if self._marks is None:
            try:
                found = json.loads(self._file.read_bytes())
                self._marks = {key: dict(value) for key, value in found.items()}
            except (OSError, ValueError, AttributeError, TypeError):  # none yet, or none that can be read
                self._marks = {}
        return self._marks


def _write(path: pathlib.Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coming = path.with_name(f".{path.name}.coming")
    coming.write_bytes(data)
    os.replace(coming, path)
