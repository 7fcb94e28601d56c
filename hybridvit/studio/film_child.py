"""What a decoding process says of a film: its answer as files in a folder, as `films` takes it.

The order: {"ask": "about"}, {"ask": "frames", "times", "longest"}, {"ask": "stretch", "start", "stop"}, {"ask":
"lumas", "start", "stop", "bytes"} or, of several files, {"ask": "results", "paths"}. The answer: "rest", JSON, and for
frames and lumas "pixels", one array of all of them.
"""

import itertools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hybridvit.film.excerpt import Excerpts, open_excerpts, thumbnail, upright
from hybridvit.film.statement import statement_of


def answer(path: Path, folder: Path, order: dict[str, Any], max_pixels: int) -> None:
    """Carries the order out. Raises ValueError or OSError, one line."""
    if order["ask"] == "results":
        return _tell(folder, {"results": [name for name in order["paths"] if statement_of(name)]})
    film = open_excerpts(path)
    height, width = film.film.size
    if height * width > max_pixels:
        raise ValueError(f"{path}: its frames have {width} x {height} px, too many for the studio")
    match order["ask"]:
        case "about":
            _tell(folder, _about(film))
        case "frames":
            longest = order["longest"]
            found = [
                (time, upright(luma, film.film) if longest is None else thumbnail(luma, film.film, longest))
                for time, luma in film.at(order["times"])
            ]
            _tell_arrays(folder, found)
        case "stretch":
            _tell(folder, film.stretch(order["start"], order["stop"])._asdict())
        case "lumas":
            most = max(1, order["bytes"] // (height * width * np.dtype(film.film.levels.dtype).itemsize))
            _tell_arrays(folder, itertools.islice(film.between(order["start"], order["stop"]), most))


def _about(film: Excerpts) -> dict[str, Any]:
    one = film.film
    height, width = one.size[:: -1 if one.turns % 2 else 1]
    return {
        "width": width,
        "height": height,
        "length": film.length,
        "deinterlaced": one.deinterlaced,
        "geometry": {
            "size": one.size,
            "levels": one.levels,
            "matrix": one.matrix,
            "turns": one.turns,
            "aspect": [one.aspect.numerator, one.aspect.denominator],
        },
    }


def _tell_arrays(folder: Path, found: Iterable[tuple[int, np.ndarray]]) -> None:
    times, shape, dtype = [], (), np.dtype(np.uint8)
    with (folder / "pixels").open("wb") as file:
        for time, pixels in found:
            times.append(time)
            shape, dtype = pixels.shape, pixels.dtype
            file.write(np.ascontiguousarray(pixels).data.cast("B"))
    _tell(folder, {"times": times, "shape": [len(times), *shape], "dtype": dtype.str})


def _tell(folder: Path, said: dict[str, Any]) -> None:
    (folder / "unfinished").write_text(json.dumps(said), encoding="utf-8")
    os.replace(folder / "unfinished", folder / "rest")
