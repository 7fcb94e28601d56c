"""What is known of an album before it is coloured: what its photographs show, and what they say of one another.

The photographs are looked at one after the other, each once (`index`); then matched, and agreed on (`agree`). Hints of
the photographs, and reference photographs in colour, are what somebody knows. Results are a `Colorizer` a photograph.
"""

import concurrent.futures
import dataclasses
import functools
import hashlib
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab
from tqdm import tqdm

from hybridvit.album.agree import KNOWN, Agreement, Own, link, nearest
from hybridvit.album.index import Index
from hybridvit.colorize.batch import recipe_of
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import THING
from hybridvit.inference.bounded import known_bins
from hybridvit.inference.canvas import Canvas, inside_of, seen_lightness
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.places import CELL, VIEW, Described, Describer, pooled, pooled_logarithms, summary
from hybridvit.inference.told import Told
from hybridvit.inference.view import shrink, view_size
from hybridvit.photo.photo import Photo, read_photo

FOLDER = ".hybridvit-album"  # in the folder of the results
_FINE = 4  # px of the view in which a reference's colours are told apart


class Picture(NamedTuple):
    """A photograph of the album, or a reference; `recipe` says whether borders are cut, and its hints."""

    path: pathlib.Path
    recipe: Recipe
    is_reference: bool = False


class Look(NamedTuple):
    """What is read of a photograph to describe it: L at the view, of a reference also its colours' bins."""

    key: str
    L: Float[np.ndarray, "h w"]
    known: Float[np.ndarray, "rows columns 313"] | None


class Known(NamedTuple):
    """What an album knows of one photograph, for its result's provenance."""

    matched: float  # share of its cells
    disagreement: float  # ab units, to the places that match, once all have agreed
    before: float
    photographs: tuple[str, ...]


def know_album(
    colorizer: Colorizer,
    pictures: Sequence[Picture],
    folder: pathlib.Path,
    describer: Describer,
) -> Callable[[pathlib.Path], Colorizer]:
    """A Colorizer for each of the pictures, which is `colorizer` for one that matches no other.

    What is seen is kept in `folder`, and not looked for again. A picture that cannot be read is left out.
    """
    about = {"weights": colorizer.digest, "view": VIEW}
    index = Index(folder, about)
    found = describe(index, describer, pictures)
    if not found:
        return lambda path: colorizer
    return Album(colorizer, index, found, folder).colorizer_of


def describe(index: Index, describer: Describer, pictures: Sequence[Picture]) -> list[tuple[Picture, str]]:
    """Adds what is not in the index; returns the pictures that could be read, and their keys."""
    found = []
    with concurrent.futures.ThreadPoolExecutor(1, "reader") as reader:
        ahead = reader.submit(_look, index.pictures.keys(), pictures[0])
        for i, picture in enumerate(
            tqdm(pictures, "looking", unit="picture", disable=None, dynamic_ncols=True)
        ):
            look = ahead.result()
            if i + 1 < len(pictures):
                ahead = reader.submit(_look, index.pictures.keys(), pictures[i + 1])
            if look is None:
                continue
            if isinstance(look, Look):
                seen = describer(look.L)
                likely = seen.likely if look.known is None else np.log(np.maximum(look.known, 1e-9))
                if look.key not in index.pictures:  # the same file may be there twice
                    index.add(look.key, Described(seen.places, likely))
            found.append((picture, look.key if isinstance(look, Look) else look))
    return found


def _look(keys: Any, picture: Picture) -> Look | str | None:
    """The picture's view; its key alone if it is in the index; None if it cannot be read."""
    try:
        with open(picture.path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        settings = Settings(size=VIEW, borders=picture.recipe.settings.borders)
        key = f"{digest} {settings.borders}{' known' if picture.is_reference else ''}"
        if key in keys:
            return key
        photo = read_photo(picture.path)
        known = _colors(photo, settings) if picture.is_reference else None
        return Look(key, seen_lightness(photo, settings), known)
    except (OSError, ValueError, MemoryError):  # said of it when it is coloured
        return None


def _colors(photo: Photo, settings: Settings) -> Float[np.ndarray, "rows columns 313"]:
    """How often each bin is in each cell. Raises ValueError for a gray photograph."""
    if photo.pixels.shape[2] == 1:
        raise ValueError(f"{photo.source}: a gray picture has no colours to take")
    top, left, height, width = inside_of(photo, settings)
    size = view_size(height, width, settings.size)
    rgb = shrink(photo.pixels[top : top + height, left : left + width], *size)
    ab = pooled(rgb2lab(rgb)[..., 1:].astype(np.float32), _FINE)
    return pooled(known_bins(ab), CELL // _FINE)


class Album:
    """Photographs that have agreed."""

    def __init__(
        self, colorizer: Colorizer, index: Index, found: list[tuple[Picture, str]], folder: pathlib.Path
    ):
        self._colorizer, self._index, self._found = colorizer, index, found
        self._numbers = {picture.path: i for i, (picture, _) in enumerate(found) if not picture.is_reference}
        summaries = np.stack([summary(self._places(i)) for i in range(len(found))])
        self._edges = link(nearest(summaries), self._places)
        self._hinted = {
            i: self._with_hints(i)
            for i in self._edges
            if found[i][0].recipe.hints and not found[i][0].is_reference
        }
        self._agreement = Agreement(folder, self._edges, self._own)

    @functools.lru_cache(maxsize=4)  # noqa: B019  one reads while the other colours, and the album lives as long
    def colorizer_of(self, path: pathlib.Path) -> Colorizer:
        """What colours a photograph."""
        i = self._numbers.get(path)
        if i is None or i not in self._edges:
            return self._colorizer
        cells = self._index.pictures[self._found[i][1]]
        change = self._agreement.change(i, self._places(i), cells.columns)
        told = change.reshape(cells.rows, cells.columns, -1)
        about = self.known(i)._asdict()
        about |= {name: round(value, 3) for name, value in about.items() if isinstance(value, float)}
        return Colorizer(Told(self._colorizer.predictor, told, about))

    def known(self, i: int) -> Known:
        """What is known of a photograph that has edges."""
        before, now = self._agreement.disagreement(i)
        matched = np.unique(np.concatenate([edge.here for edge in self._edges[i]]))
        share = len(matched) / self._index.pictures[self._found[i][1]].count
        names = tuple(sorted({self._found[edge.other][0].path.name for edge in self._edges[i]}))
        return Known(share, now, before, names)

    def _places(self, i: int) -> Float[np.ndarray, "n d"]:
        return self._index.places(self._found[i][1])

    def _own(self, i: int) -> Own:
        if i in self._hinted:
            return self._hinted[i]
        picture, key = self._found[i]
        likely = self._index.likely(key)
        return Own(likely, np.full(len(likely), KNOWN if picture.is_reference else 1.0, np.float32))

    def _with_hints(self, i: int) -> Own:
        """What the model says of a photograph given its hints; where they reach, their colours are known."""
        picture, key = self._found[i]
        settings = Settings(size=VIEW, borders=picture.recipe.settings.borders, decode="mean")
        recipe = Recipe(picture.recipe.hints, settings=settings, protected=())
        canvas = Canvas(self._colorizer.predictor, read_photo(picture.path))
        things = [dataclasses.replace(hint, reach=min(hint.reach, THING)) for hint in recipe.hints]
        reached = np.max([canvas.reach_of(hint, settings) for hint in things], 0)
        weight = pooled(reached[..., None], CELL)
        ab = pooled(canvas.chroma(recipe), CELL)
        likely = np.exp(pooled_logarithms(canvas.logits(recipe)))
        known = (1 - weight) * likely + weight * known_bins(ab)
        count = self._index.pictures[key].count
        return Own(
            np.log(np.maximum(known, 1e-9)).reshape(count, -1).astype(np.float32),
            (1 + (KNOWN - 1) * weight).reshape(count),
        )


def picture_of(
    path: pathlib.Path,
    sidecar_of: Callable[[pathlib.Path], pathlib.Path | None],
    settings: Mapping[str, Any],
) -> Picture:
    """A photograph with its hints; one whose sidecar cannot be read has none here, and fails when it is coloured."""
    try:
        recipe, _ = recipe_of(sidecar_of(path), settings, ())
    except (OSError, ValueError):
        recipe = Recipe()
    return Picture(path, recipe)
