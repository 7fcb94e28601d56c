"""Films asked in a process of their own, bounded as for photographs: how long they are, frames, where they are cut."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8, UInt16

from hybridvit.photo.photo import Photo
from hybridvit.studio.decode import in_child, mapped

PIXELS = 2**26  # of a frame; 8192 x 8192
AT_ONCE = 2**26  # bytes of lumas in an answer

Pixels = UInt8[np.ndarray, "n h w"] | UInt16[np.ndarray, "n h w"]


class About(NamedTuple):
    """Of a film: px of a frame as it is shown, microseconds, frames a second, and what a `Geometry` needs."""

    width: int
    height: int
    length: int
    rate: float
    deinterlaced: bool
    geometry: dict[str, Any]


class Stretch(NamedTuple):
    """As `film.excerpt.Stretch`."""

    times: tuple[int, ...]
    after: int | None
    cuts: tuple[int, ...]
    lightest: tuple[tuple[float, ...], tuple[float, ...]]


def about_film(path: Path) -> About:
    """What it is. These functions raise what `decode_photo` raises; they are to be called from a thread."""
    return About(**_ask(path, {"ask": "about"}))


def stretch_of(path: Path, start: int, stop: int) -> Stretch:
    """Times and cuts from `start` to before `stop`, microseconds."""
    return Stretch(**_ask(path, {"ask": "stretch", "start": start, "stop": stop}))


def small_frames(
    path: Path, times: Sequence[int], longest: int
) -> list[tuple[int, UInt8[np.ndarray, "h w"]]]:
    """Thumbnails of the frames that are shown at these times, with those at which they begin."""
    order = {"ask": "frames", "times": list(times), "longest": longest}
    found, pixels = in_child(path, {"film": order}, PIXELS, _arrays)
    return list(zip(found, pixels, strict=True))


def lumas_of(path: Path, start: int, stop: int) -> tuple[list[int], Pixels]:
    """Times and lumas, as they lie in the file, from `start` on: as many as go into AT_ONCE bytes, one at least."""
    order = {"ask": "lumas", "start": start, "stop": stop, "bytes": AT_ONCE}
    return in_child(path, {"film": order}, PIXELS, _arrays)


def decode_frame(path: Path, at: int) -> Photo:
    """The frame that begins at this time, as a photograph."""
    found, pixels = in_child(
        path, {"film": {"ask": "frames", "times": [at], "longest": None}}, PIXELS, _arrays
    )
    if found != [at]:
        raise ValueError(f"{path}: no frame of it begins at {at / 1e6:.3f} s")
    return Photo(pixels[0][..., None], bits=8 * pixels.dtype.itemsize, source=path)


def find_results(paths: Sequence[Path]) -> set[Path]:
    """Those that say they were made by `hybridvit film`; none if that cannot be found out."""
    if not paths:
        return set()
    try:
        said = _ask(paths[0], {"ask": "results", "paths": [str(path.absolute()) for path in paths]})
    except (ValueError, OSError):
        return set()
    return {path for path in paths if str(path.absolute()) in said["results"]}


def _ask(path: Path, order: dict[str, Any]) -> dict[str, Any]:
    return in_child(path, {"film": order}, PIXELS, _said)


def _said(path: Path, folder: Path) -> dict[str, Any]:
    return json.loads((folder / "rest").read_bytes())


def _arrays(path: Path, folder: Path) -> tuple[list[int], Pixels]:
    said = _said(path, folder)
    if not said["times"]:
        raise ValueError(f"{path}: no frame of it can be decoded there")
    return said["times"], mapped(folder / "pixels", tuple(said["shape"]), np.dtype(said["dtype"]).str)
