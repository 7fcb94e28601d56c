"""A film coloured from end to end: looked at, split into parts, each coloured and coded once, and joined."""

import dataclasses
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt16
from safetensors.numpy import load_file, save

from hybridvit.film.carry import Carrier, Memory, pace
from hybridvit.film.decode import Film, Frame
from hybridvit.film.encode import Form, Part, encode_part
from hybridvit.film.geometry import Geometry
from hybridvit.film.join import join
from hybridvit.film.levels import Levels, fitted
from hybridvit.film.look import Readable, Seen
from hybridvit.film.scenes import FOLDER, Scenes, Start
from hybridvit.film.tracks import Tracks
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Hint
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.composition import lightness
from hybridvit.inference.predictor import Predict
from hybridvit.photo.photo import photo_of

LONGEST_PART = 240  # frames: what a crash loses at most


class Shown(NamedTuple):
    """A frame on its way: with its view, gray of 16 bits, its hints there, and whether they are a person's own."""

    frame: Frame
    view: UInt16[np.ndarray, "h w"]
    hints: tuple[Hint, ...]
    is_given: bool


def parts_of(seen: Seen, folder: Path) -> list[tuple[Part, int, int, bool]]:
    """Each part, its first frame, the first one behind it, and whether a shot begins with it."""
    parts = []
    for start, stop in zip(seen.shots, [*seen.shots[1:], len(seen.times)], strict=True):
        for first in range(start, stop, LONGEST_PART):
            part = Part(folder / f"{len(parts):06}.mkv")
            parts.append((part, first, min(stop, first + LONGEST_PART), first == start))
    return parts


def predict_view(predictor: Predict, recipe: Recipe) -> Callable[[Shown, Any], Float[np.ndarray, "h w 2"]]:
    """The picture model as a `Carrier` asks for it: a frame's view with its hints, by the recipe."""

    def predict(shown: Shown, _: Any) -> Float[np.ndarray, "h w 2"]:
        return Canvas(predictor, photo_of(shown.view)).chroma(dataclasses.replace(recipe, hints=shown.hints))

    return predict


def carrier_of(
    colorizer: Colorizer, recipe: Recipe, scenes: Scenes | None, size: tuple[int, int], levels: Levels
) -> Carrier[Shown]:
    """What colours shots of such frames, by the recipe; told of the other shots, if there are `scenes`."""

    def shift(shown: Shown, alone: Float[np.ndarray, "h w 2"]) -> Float[np.ndarray, "h w 2"] | None:
        own = dataclasses.replace(recipe, hints=shown.hints)
        return None if scenes is None else scenes.shift(shown.frame.index, shown.view, own, alone)

    predict = predict_view(colorizer.predictor, recipe)
    every = pace(size[0] * size[1] * np.dtype(levels.dtype).itemsize)
    return Carrier(predict, every, lambda shown: shown.is_given, shift)


def starts_of(film: Readable, geometry: Geometry, shots: Sequence[int], tracks: Tracks) -> Iterator[Start]:
    """The first frames of the shots, in a reading of their own."""
    wanted = set(shots)
    for frame in film.frames():
        if frame.index in wanted:
            yield Start(frame.index, geometry.view(frame.luma), tracks.get(frame.index, ()))
        if frame.index == shots[-1]:
            return


def make_film(
    film: Film,
    seen: Seen,
    geometry: Geometry,
    form: Form,
    output: Path,
    *,
    colorizer: Colorizer,
    recipe: Recipe,
    tracks: Tracks,
    scenes: Callable[[Iterable[Start], Path], Scenes] | None,
    given: Sequence[int],
    record: Mapping[str, str],
    metadata: Mapping[str, str],
    progress: Any = None,
) -> int:
    """Makes the film; returns how many frames were there already from an earlier try.

    Args:
      film, seen, geometry, form, output: what is made, of what, as what, and where.
      colorizer: the picture model.
      recipe: settings and palette; its view's size is the geometry's, and borders are off.
      tracks: each frame's hints, px of the view; `given` are the frames whose hints a person gave.
      scenes: looks over the cuts, given the shots' first frames and a folder; None: each shot is by itself.
      record: what all that is made depends on: parts made by another one are thrown away.
      metadata: of the file.
      progress: is told of each finished frame by `update`.
    """
    folder = output.with_name(f"{output.name}.parts")
    parts = parts_of(seen, folder)
    _begin(folder, {**record, "shots": list(seen.shots), "frames": len(seen.times)})
    own = frozenset(given)
    known = scenes(starts_of(film, geometry, seen.shots, tracks), folder / FOLDER) if scenes else None
    carrier = carrier_of(colorizer, recipe, known, film.size, film.levels)
    frames, there = film.frames(), 0
    for number, (part, first, stop, is_new) in enumerate(parts):
        if part.is_done():
            for _ in range(first, stop):
                next(frames, None)
            there += stop - first
            _tell(progress, stop - first)
            continue
        carrier.memory = None if is_new else _remembered(parts[number - 1][0])
        encode_part(
            part, film, form, _planes(frames, stop, carrier, film, geometry, form, tracks, own, progress)
        )
        _remember(part, carrier.memory)
    join([part for part, *_ in parts], film, output, metadata)
    shutil.rmtree(folder)
    return there


def _planes(
    frames: Iterator[Frame],
    stop: int,
    carrier: Carrier[Shown],
    film: Film,
    geometry: Geometry,
    form: Form,
    tracks: Tracks,
    given: frozenset[int],
    progress: Any,
) -> Iterator[tuple[tuple[Any, Any, Any], int, int]]:
    """The planes of a part's frames, coloured, with their times."""

    def views() -> Iterator[tuple[Shown, Float[np.ndarray, "h w"]]]:
        for frame in frames:
            view = geometry.view(frame.luma)
            yield Shown(frame, view, tracks.get(frame.index, ()), frame.index in given), lightness_of(view)
            if frame.index == stop - 1:
                return

    def planes(
        frame: Frame, view: UInt16[np.ndarray, "h w"], ab: Float[np.ndarray, "h w 2"]
    ) -> tuple[Any, Any, Any]:
        chroma = geometry.chroma(frame.luma, lightness_of(view), ab, form.halves, form.levels)
        return fitted(frame.luma, film.levels, form.levels), *chroma

    for shown, ab in carrier.shot(views()):
        made = [(planes(shown.frame, shown.view, ab), shown.frame.pts, shown.frame.duration)]
        del shown, ab  # whoever codes it may let go of it
        yield made.pop()
        _tell(progress, 1)


def lightness_of(view: UInt16[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """L, 0..100, of a view."""
    return _lightness_of_gray()[view]


@functools.cache
def _lightness_of_gray() -> Float[np.ndarray, "65536"]:
    return np.asarray(lightness(np.arange(2**16, dtype=np.uint16)[:, None]))


def _begin(folder: Path, record: Mapping[str, Any]) -> None:
    """Makes the folder of the parts, or keeps it, if they were made by the same record."""
    plan = folder / "plan.json"
    told = json.dumps(record, sort_keys=True)
    if plan.exists() and plan.read_text() == told:
        return
    if folder.exists() and not plan.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is there, and holds no parts of a film: remove it, or choose another --output"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plan.write_text(told)


def _remember(part: Part, memory: Memory | None) -> None:
    assert memory is not None  # a part has frames
    unfinished = part.memory.with_suffix(".tmp")
    unfinished.write_bytes(save({name: np.ascontiguousarray(x) for name, x in memory._asdict().items()}))
    os.replace(unfinished, part.memory)


def _remembered(part: Part) -> Memory:
    return Memory(**load_file(part.memory))


def _tell(progress: Any, count: int) -> None:
    if progress is not None:
        progress.update(count)
