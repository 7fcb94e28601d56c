"""A photograph that the studio knows of, closed."""

import dataclasses
import pathlib

ID_DIGITS = 32  # hexadecimal


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, and where its sidecar lies.

    Attributes:
      id: digest of its path, or of an upload's bytes; what requests call it by.
      name: for people; no path.
      source: "folder" or "upload".
      path: the file.
      sidecar: where its sidecar belongs.
      spare: where its sidecar lies if it cannot lie there.
      shared: where sidecars lie that may be a namesake's instead, see `colorize/namesakes`.
    """

    id: str
    name: str
    source: str
    path: pathlib.Path
    sidecar: pathlib.Path
    spare: pathlib.Path
    shared: tuple[pathlib.Path, ...] = ()


def stamp_of(path: pathlib.Path) -> tuple[int, int]:
    """Changes when the file does; zeros if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
