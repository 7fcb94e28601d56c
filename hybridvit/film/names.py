"""Names of films, and whether there is what reads them; nothing heavy is imported for it."""

import importlib.util

MISSING = "films need PyAV and OpenCV: pip install 'hybridvit[film]'"

KEPT = (".m4v", ".mkv", ".mov", ".mp4")  # containers of H.264, in which results are
SUFFIXES = (
    *KEPT,
    ".3gp",
    ".avi",
    ".dv",
    ".m2ts",
    ".mpeg",
    ".mpg",
    ".mts",
    ".mxf",
    ".ogv",
    ".vob",
    ".webm",
    ".wmv",
)


def films_can_be_read() -> bool:
    """Whether the packages of the extra "film" are there."""
    return all(importlib.util.find_spec(name) for name in ("av", "cv2"))


def is_film(name: str) -> bool:
    """Whether it is a film by its name."""
    return name.lower().endswith(SUFFIXES)


def result_of(name: str) -> str:
    """The name of the coloured film: reel.mov, and reel.avi.mkv where the container has to be another."""
    return name if name.lower().endswith(KEPT) else f"{name}.mkv"
