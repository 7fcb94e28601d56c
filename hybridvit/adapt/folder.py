"""A folder's lessons: the photographs that somebody corrected or accepted; and anchors: photographs of other kinds.

A corrected photograph has hints in its sidecar. An accepted result without hints is taken at its word at the places
where a hint would help most: so what an album or other weights found is learnt where it was accepted, and what the
model said itself stays as it is. Photographs to be done again, and rejected ones, teach nothing.
"""

import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

from hybridvit.adapt.lesson import Lesson, lesson_of
from hybridvit.adapt.prospects import Anchor, anchor_of
from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.data.bundled import BundledColor, BundledGray
from hybridvit.hints.frame import WHOLE
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import load_hints
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.next_hint import next_hints
from hybridvit.photo.photo import read_photo
from hybridvit.review.found import Reviewed, find_reviewed

MOST_LESSONS, MOST_ANCHORS = 400, 240  # photographs; they are all in memory, 2 MB each
ACCEPTED = 5  # places of an accepted result
REACH = 2  # px around a place: its colour is their mean


class Taught(NamedTuple):
    """A photograph to learn from, and what is known of it."""

    path: pathlib.Path
    recipe: Recipe
    accepted: pathlib.Path | None  # a result, where nothing but it says which colours are right


class Sorted(NamedTuple):
    """A folder's photographs to learn from, and what could not be read, with why."""

    taught: list[Taught]
    failed: dict[str, str]


def sort_folder(folder: pathlib.Path, results: pathlib.Path) -> Sorted:
    """By their sidecars; results are looked for in `results`. Raises as `find_reviewed`."""
    found, neighbours = Sorted([], {}), Neighbours()
    for one in find_reviewed(folder, results):
        try:
            place = find_sidecar(one.path, neighbours)
            recipe = load_hints(place).recipe if place else Recipe()
        except (ValueError, OSError) as error:
            found.failed[one.name] = str(error)
            continue
        accepted = one.result if is_accepted(one, recipe) else None
        if one.state in ("redo", "rejected"):
            continue
        if recipe.hints or accepted:
            found.taught.append(Taught(one.path, recipe, accepted))
    return found


def is_accepted(one: Reviewed, recipe: Recipe) -> bool:
    """Whether its result alone says which colours are right; one that was cropped or turned lies elsewhere."""
    return one.state == "accepted" and one.result is not None and not recipe.hints and recipe.frame == WHOLE


def lessons_of(colorizer: Colorizer, found: Sorted) -> list[Lesson]:
    """Of the photographs to learn from; adds to those that failed."""
    lessons = []
    for taught in _told(evenly(found.taught, MOST_LESSONS), "reading what was corrected"):
        try:
            canvas = colorizer.open(taught.path)
            recipe = taught.recipe
            if taught.accepted is not None:
                places = [(place.x, place.y) for place in next_hints(canvas, recipe, ACCEPTED)]
                recipe = Recipe(colors_at(taught.accepted, places), settings=recipe.settings)
            lessons.append(lesson_of(canvas, recipe))
        except (ValueError, OSError) as error:
            found.failed[str(taught.path)] = str(error)
    return lessons


def anchors_of(colorizer: Colorizer, replay: Sequence[str], failed: dict[str, str]) -> list[Anchor]:
    """Of photographs that shall stay as they are: `replay` (pictures, folders, globs), gray or in colour.

    Without them, those that scikit-image brings. The collection's own are none: to hold on to what is
    said of them now is not to learn. Adds to those that `failed`; raises ValueError or OSError if nothing is named.
    """
    pictures: list[Any] = _bundled()
    if replay:
        sources = find_sources(replay, os.devnull).sources
        pictures = evenly([source.path for source in sources], MOST_ANCHORS)
    anchors = []
    for picture in _told(pictures, "reading what shall stay"):
        try:
            anchors.append(anchor_of(colorizer.open(picture)))
        except (ValueError, OSError) as error:
            failed[str(picture)] = str(error)
    return anchors


def _bundled() -> list[Image.Image]:
    """The whole photographs, and four parts of each: they are few."""
    whole = [source.read(i, 0) for source in (BundledColor(), BundledGray()) for i in range(len(source))]
    parts = [
        picture.crop((left, top, left + picture.width // 2, top + picture.height // 2))
        for picture in whole
        for left in (0, picture.width // 2)
        for top in (0, picture.height // 2)
    ]
    return whole + parts


def colors_at(result: pathlib.Path, places: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    """The colours of a picture's file at some places, in its pixels. Raises as `read_photo`."""
    pixels = read_photo(result).pixels
    hints = []
    for x, y in places:
        rows, columns = (slice(max(int(v) - REACH, 0), int(v) + REACH + 1) for v in (y, x))
        share = pixels[rows, columns].reshape(-1, pixels.shape[2]).mean(0) / np.iinfo(pixels.dtype).max
        r, g, b = np.broadcast_to(np.rint(255 * share).astype(int), 3).tolist()
        hints.append(Point(x, y, f"#{r:02x}{g:02x}{b:02x}"))
    return tuple(hints)


def evenly(some: Sequence[Any], most: int) -> list[Any]:
    """All of them, or as many as that, from all of the list."""
    places = np.linspace(0, len(some) - 1, min(most, len(some))).astype(int)
    return [some[i] for i in places]


def _told(some: Sequence[Any], what: str) -> Any:
    return tqdm(some, what, unit="picture", disable=None, dynamic_ncols=True)
