"""What is known of an album before it is coloured: what its photographs show, and what they say of one another.

The photographs are looked at one after the other, each once (`index`); then matched, and agreed on (`agree`). Hints of
the photographs, and reference photographs in colour, are what somebody knows. Results are a `Colorizer` a photograph.
"""

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab
from tqdm import tqdm

from hybridvit.album.agree import KNOWN, Agreement, Own, kept_links, link, nearest
from hybridvit.album.index import Index
from hybridvit.color.bins import NUM_BINS
from hybridvit.colorize.batch import recipe_of
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import THING
from hybridvit.hints.sidecar import recipe_to_json
from hybridvit.inference.bounded import known_bins
from hybridvit.inference.canvas import Canvas, inside_of, seen_lightness
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.places import CELL, VIEW, Describer, pooled, pooled_logarithms, summary
from hybridvit.inference.told import Seen, Told, digest_of
from hybridvit.inference.view import shrink, view_size
from hybridvit.photo.photo import Photo, read_photo
from hybridvit.runtime.blas import one_blas_thread

FOLDER = ".hybridvit-album"  # in the folder of the results
STEP = 16.0  # of a kept logarithm's unit: 255 of them are as good as never
_FINE = 4  # px of the view in which a reference's colours are told apart
_LEAST = 1e-9  # a probability


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
    index = Index(folder, {"weights": colorizer.digest, "view": VIEW})
    with one_blas_thread():
        found = describe(index, describer, pictures)
        return Album(colorizer, index, found).colorizer_of if found else lambda path: colorizer


def describe(index: Index, describer: Describer, pictures: Sequence[Picture]) -> list[tuple[Picture, str]]:
    """Adds what is not in the index; returns the pictures that could be read, and their keys."""
    found = []
    with concurrent.futures.ThreadPoolExecutor(1, "reader") as reader:
        ahead = reader.submit(_look, index, pictures[0])
        for i, picture in enumerate(
            tqdm(pictures, "looking", unit="picture", disable=None, dynamic_ncols=True)
        ):
            look = ahead.result()
            if i + 1 < len(pictures):
                ahead = reader.submit(_look, index, pictures[i + 1])
            if look is None:
                continue
            if isinstance(look, Look):
                _keep(index, describer, look)
            found.append((picture, look.key if isinstance(look, Look) else look))
    return found


def _keep(index: Index, describer: Describer, look: Look) -> None:
    seen = describer(look.L)
    likely = pooled_logarithms(seen.logits)
    arrays = {"places": seen.places.astype(np.float16), "likely": likely.astype(np.float16)}
    if look.known is not None:  # a reference is not coloured
        arrays["known"] = np.log(np.maximum(look.known, _LEAST)).astype(np.float16)
    else:
        steps = STEP * (seen.logits.max(-1, keepdims=True) - seen.logits)
        logits = np.minimum(np.rint(steps), 255).astype(np.uint8)
        arrays |= {"mean": seen.mean.astype(np.float16), "logits": logits}
        arrays["L"] = np.frombuffer(digest_of(look.L), np.uint8)
    index.put(look.key, **arrays)


def _look(index: Index, picture: Picture) -> Look | str | None:
    """The picture's view; its key alone if it is in the index; None if it cannot be read."""
    try:
        with open(picture.path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        settings = Settings(size=VIEW, borders=picture.recipe.settings.borders)
        key = f"{digest}-{settings.borders}{'-known' if picture.is_reference else ''}"
        if key in index:
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

    def __init__(self, colorizer: Colorizer, index: Index, found: list[tuple[Picture, str]]):
        self._colorizer, self._index, self._found = colorizer, index, found
        self.numbers = {picture.path: i for i, (picture, _) in enumerate(found) if not picture.is_reference}
        places = _digest([key for _, key in found])
        self.edges = kept_links(index, places, self._link)
        self._hinted = {
            i: self._key_with_hints(i)
            for i in self.edges
            if found[i][0].recipe.hints and not found[i][0].is_reference
        }
        sizes = {i: len(self._own(i).weight) for i in self.edges}
        known = _digest([f"{i} {key}" for i, key in self._hinted.items()])
        self.agreement = Agreement(index, self.edges, sizes, self._own, (places, known))

    # One reads while others colour, one a core
    @functools.lru_cache(maxsize=4 + (os.cpu_count() or 1))  # noqa: B019  the album lives as long
    def colorizer_of(self, path: pathlib.Path) -> Colorizer:
        """What colours a photograph."""
        i = self.numbers.get(path)
        if i is None or i not in self.edges:
            return self._colorizer
        key = self._found[i][1]
        rows, columns, _ = self._index.get(key, "places").shape
        told = self.agreement.change(i, self._places(i), columns).reshape(rows, columns, -1)
        logits = self._index.get(key, "logits") / np.float32(-STEP)
        seen = Seen(self._index.get(key, "L").tobytes(), self._index.get(key, "mean"), logits)
        about = self.known(i)._asdict()
        about |= {name: round(value, 3) for name, value in about.items() if isinstance(value, float)}
        return Colorizer(Told(self._colorizer.predictor, told, self.agreement.digest(i), about, seen))

    def known(self, i: int) -> Known:
        """What is known of a photograph that has edges."""
        before, now = self.agreement.disagreement(i)
        share = float(self.agreement.matched(i).mean())
        names = tuple(sorted({self._found[edge.other][0].path.name for edge in self.edges[i]}))
        return Known(share, now, before, names)

    def _link(self) -> dict[int, Any]:
        summaries = np.stack([summary(self._places(i)) for i in range(len(self._found))])
        return link(nearest(summaries), self._places, lambda i: self._likely(self._found[i][1]))

    def _places(self, i: int) -> Float[np.ndarray, "n d"]:
        places = self._index.get(self._found[i][1], "places")
        return places.reshape(-1, places.shape[-1]).astype(np.float32)

    def _likely(self, key: str, name: str = "likely") -> Float[np.ndarray, "n 313"]:
        return self._index.get(key, name).reshape(-1, NUM_BINS).astype(np.float32)

    def _own(self, i: int) -> Own:
        picture, key = self._found[i]
        if i in self._hinted:
            return Own(self._likely(self._hinted[i]), self._index.get(self._hinted[i], "weight"))
        likely = self._likely(key, "known" if picture.is_reference else "likely")
        return Own(likely, np.full(len(likely), KNOWN if picture.is_reference else 1.0, np.float32))

    def _key_with_hints(self, i: int) -> str:
        """Of what the model says of a photograph given its hints; where they reach, their colours are known."""
        picture, key = self._found[i]
        settings = Settings(size=VIEW, borders=picture.recipe.settings.borders, decode="mean")
        recipe = Recipe(picture.recipe.hints, settings=settings, protected=())
        hinted = f"{key}-{_digest(recipe_to_json(recipe))}"
        if hinted not in self._index:
            canvas = Canvas(self._colorizer.predictor, read_photo(picture.path))
            things = [dataclasses.replace(hint, reach=min(hint.reach, THING)) for hint in recipe.hints]
            reached = np.max([canvas.reach_of(hint, settings) for hint in things], 0)
            weight = pooled(reached[..., None], CELL)
            ab = pooled(canvas.chroma(recipe), CELL)
            likely = np.exp(pooled_logarithms(canvas.logits(recipe)))
            known = np.log(np.maximum((1 - weight) * likely + weight * known_bins(ab), _LEAST))
            counts = (1 + (KNOWN - 1) * weight).ravel().astype(np.float32)
            self._index.put(hinted, likely=known.astype(np.float16), weight=counts)
        return hinted


def _digest(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


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
