"""Films asked in a process of their own, bounded as for photographs: how long they are, frames, where they are cut."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8, UInt16

from hybridvit.photo.photo import Photo
from hybridvit.studio.decode import in_child, mapped
from hybridvit.studio.decoded_fields import TYPES

PIXELS = 2**26  # of a frame; 8192 x 8192
AT_ONCE = 2**26  # bytes of lumas in an answer

Said = TypeVar("Said")
Pixels = UInt8[np.ndarray, "n h w"] | UInt16[np.ndarray, "n h w"]


class About(NamedTuple):
    """Of a film: px of a frame as it is shown, microseconds, and what a `Geometry` needs."""

    width: int
    height: int
    length: int
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

    def read(said: dict[str, Any]) -> About:
        own = said["geometry"]
        geometry = {
            "size": _whole(own["size"], 2),
            "levels": (*_whole(own["levels"][:1], 1), bool(own["levels"][1])),
            "matrix": (float(own["matrix"][0]), float(own["matrix"][1]), int(own["matrix"][2])),
            "turns": int(own["turns"]) % 4,
            "aspect": _whole(own["aspect"], 2),
        }
        width, height, length = _whole([said["width"], said["height"], said["length"]], 3)
        return About(width, height, length, bool(said["deinterlaced"]), geometry)

    return _ask(path, {"ask": "about"}, read)


def stretch_of(path: Path, start: int, stop: int) -> Stretch:
    """Times and cuts from `start` to before `stop`, microseconds."""

    def read(said: dict[str, Any]) -> Stretch:
        rows, columns = (tuple(map(float, one)) for one in said["lightest"])
        after = None if said["after"] is None else int(said["after"])
        return Stretch(_whole(said["times"]), after, _whole(said["cuts"]), (rows, columns))

    return _ask(path, {"ask": "stretch", "start": start, "stop": stop}, read)


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
    order = {"ask": "results", "paths": [str(path.absolute()) for path in paths]}
    try:
        said = _ask(paths[0], order, lambda said: set(map(str, said["results"])))
    except (ValueError, OSError):
        return set()
    return {path for path in paths if str(path.absolute()) in said}


def _ask(path: Path, order: dict[str, Any], read: Callable[[dict[str, Any]], Said]) -> Said:
    return in_child(path, {"film": order}, PIXELS, lambda path, folder: _read(path, folder, read))


def _read(path: Path, folder: Path, read: Callable[[dict[str, Any]], Said]) -> Said:
    """What the child says, which may have been taken over by the film."""
    try:
        return read(json.loads((folder / "rest").read_bytes()))
    except (ArithmeticError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: what its decoder says is no film ({type(error).__name__})") from None


def _arrays(path: Path, folder: Path) -> tuple[list[int], Pixels]:
    def read(said: dict[str, Any]) -> tuple[list[int], tuple[int, ...], str]:
        times, shape = _whole(said["times"]), _whole(said["shape"])
        if times and (said["dtype"] not in TYPES or len(shape) != 3 or shape[0] != len(times)):
            raise ValueError("no shape and type of frames")
        return list(times), shape, np.dtype(said["dtype"]).str

    times, shape, dtype = _read(path, folder, read)
    if not times:
        raise ValueError(f"{path}: no frame of it can be decoded there")
    return times, _read(path, folder, lambda _: mapped(folder / "pixels", shape, dtype))


def _whole(numbers: Sequence[Any], count: int | None = None) -> tuple[int, ...]:
    """Whole numbers, 0 or more, so many if `count` is given."""
    found = tuple(map(int, numbers))
    if min(found, default=0) < 0 or count not in (None, len(found)):
        raise ValueError("no such numbers")
    return found
