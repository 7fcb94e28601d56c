"""Small pictures that were made once, on the disk: of each photograph's original, and of its result."""

import contextlib
import pathlib

from hybridvit.studio.entry import Entry


class SmallPictures:
    """In the data folder, a file each: a line with the tag of what it was made of, then the JPEG."""

    def __init__(self, data: pathlib.Path):
        self._folder = data / "review"

    def read(self, entry: Entry, which: str, tag: str) -> bytes | None:
        """The one that was made of the file with this tag."""
        try:
            said, _, data = self._file(entry, which).read_bytes().partition(b"\n")
        except OSError:
            return None
        return data if said == tag.encode() else None

    def keep(self, entry: Entry, which: str, tag: str, data: bytes) -> None:
        """Keeps one, in place of the last; where it cannot be written, it is made again the next time."""
        file = self._file(entry, which)
        coming = file.with_name(f".{file.name}.coming")
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            coming.write_bytes(tag.encode() + b"\n" + data)
            coming.replace(file)

    def _file(self, entry: Entry, which: str) -> pathlib.Path:
        return self._folder / f"{entry.id}-{which}"
