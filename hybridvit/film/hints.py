"""Colours that are known in single frames of a film: clip.hints.json beside clip.mp4, each with its time.

    {"version": 1, "film": {"width": 854, "height": 480},
     "frames": [{"time": 12.48, "hints": [{"type": "point", "x": 300, "y": 120, "color": "#7a2e2e"}]}]}

`film` is the size of a frame as it is shown, upright, in its own pixels; `time` is in seconds from the film's first
frame; `hints` are points, strokes and polygons as in a photograph's sidecar (version 2). `palette` and `settings` may
be there as in that. schema.json, in this folder, is its JSON schema.
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from hybridvit.hints.recipe import Recipe, within
from hybridvit.hints.shapes import Hint, HintError, Mask, Region, check_within, shown
from hybridvit.hints.sidecar import LARGEST_FILE, from_json, hint_from_json, recipe_to_json, write_json

VERSION = 1
SCHEMA = Path(__file__).with_name("schema.json")
_FIELDS = ("version", "film", "frames", "palette", "settings")


@dataclasses.dataclass(frozen=True)
class FilmHints:
    """What is known of a film of `width` x `height` px: hints by time, s, and a recipe without hints for all of it."""

    width: int
    height: int
    frames: tuple[tuple[float, tuple[Hint, ...]], ...] = ()
    recipe: Recipe = dataclasses.field(default_factory=Recipe)


def load_film_hints(path: Path) -> FilmHints:
    """Reads a file; raises ValueError, one line that names file and field, if it is malformed, or OSError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE // 2**20} MiB, so it holds no hints")
        return film_hints_of(json.loads(path.read_bytes()))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError(f"{path}: not JSON") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def save_film_hints(path: Path, hints: FilmHints) -> None:
    """Writes a file, as `load_film_hints` reads it; raises OSError if it cannot."""
    frames = [
        {"time": time, "hints": recipe_to_json(Recipe(hints=found))["hints"]} for time, found in hints.frames
    ]
    whole = recipe_to_json(hints.recipe)
    del whole["hints"]
    film = {"width": hints.width, "height": hints.height}
    write_json(path, {"version": VERSION, "film": film, "frames": frames, **whole})


def film_hints_of(data: Any) -> FilmHints:
    """The hints in what `json.loads` returned; raises HintError if it is malformed."""
    if isinstance(data, dict) and "picture" in data:
        raise HintError("", "it is the sidecar of a photograph: that of a film has `film` and `frames`")
    if not isinstance(data, dict) or not {"version", "film", "frames"} <= data.keys() <= set(_FIELDS):
        raise HintError(
            "", f"an object with version, film and frames is expected; it may have {', '.join(_FIELDS[3:])}"
        )
    if data["version"] != VERSION or isinstance(data["version"], bool):
        raise HintError(
            "version", f"{shown(data['version'])} is not known to this hybridvit, only {VERSION} is"
        )
    with within("film"):  # as a photograph's of that size
        whole = {name: data[name] for name in ("palette", "settings") if name in data}
        like = from_json({"version": 2, "picture": data["film"], "hints": [], **whole})
    if not isinstance(data["frames"], list):
        raise HintError("frames", f"{shown(data['frames'])} is not a list")
    frames = []
    for index, frame in enumerate(data["frames"]):
        with within(f"frames[{index}]"):
            frames.append(_frame_of(frame, like.width, like.height))
    return FilmHints(like.width, like.height, tuple(sorted(frames, key=lambda one: one[0])), like.recipe)


def _frame_of(data: Any, width: int, height: int) -> tuple[float, tuple[Hint, ...]]:
    if not isinstance(data, dict) or data.keys() != {"time", "hints"}:
        raise HintError("", "an object with time and hints is expected")
    time = data["time"]
    if isinstance(time, bool) or not isinstance(time, int | float) or not (math.isfinite(time) and time >= 0):
        raise HintError("time", f"{shown(time)} is not a number of seconds, 0 or more")
    if not isinstance(data["hints"], list):
        raise HintError("hints", f"{shown(data['hints'])} is not a list")
    hints = []
    for index, one in enumerate(data["hints"]):
        with within(f"hints[{index}]"):
            hint = hint_from_json(one)
            if isinstance(hint, Region) and isinstance(hint.area, Mask):
                raise HintError("mask", "a mask does not move with what it lies on: give a polygon")
            check_within(hint, width, height)
            hints.append(hint)
    return float(time), tuple(hints)
