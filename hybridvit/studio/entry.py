"""A photograph that the studio knows of, closed; or a film, or a frame of one."""

import dataclasses
import pathlib
import re

ID_DIGITS = 32  # hexadecimal
ID = re.compile(f"[0-9a-f]{{{ID_DIGITS}}}(-(0|[1-9][0-9]{{0,11}}))?")  # with a frame's time


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
      is_film: whether the file is a film.
      at: of a film's frame, the time at which it begins, microseconds from the first one.
    """

    id: str
    name: str
    source: str
    path: pathlib.Path
    sidecar: pathlib.Path
    spare: pathlib.Path
    shared: tuple[pathlib.Path, ...] = ()
    is_film: bool = False
    at: int | None = None

    def frame(self, at: int) -> "Entry":
        """A frame of the film."""
        return dataclasses.replace(self, id=f"{self.id}-{at}", name=f"{self.name}, {clock(at)}", at=at)


def clock(at: int) -> str:
    """A time of a film in words: "1:02:03.480", "2:03.480"."""
    minutes, rest = divmod(at, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1_000_000:02}.{rest // 1000 % 1000:03}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def stamp_of(path: pathlib.Path) -> tuple[int, int]:
    """Changes when the file does; zeros if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
