"""A photograph opened for colouring, once or again and again: what hints do not change is done once.

Without hints there is one run of the model. With hints there is one more: what is vivid is decided without them, and
that run is kept. Hints enter the network's first layer, so nothing inside it can be kept from one set of hints to the
next; a run costs less than what a person notices.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image

from hybridvit.hints.raster import rasterise_recipe, rasterise_view
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Hint
from hybridvit.inference import sampling
from hybridvit.inference.decode import with_hints
from hybridvit.inference.full_resolution import Painter, Rgb, paint_hints
from hybridvit.inference.hint_residual import spread_residual
from hybridvit.inference.palette import apply_palette
from hybridvit.inference.photo import Photo
from hybridvit.inference.predictor import Predict, Predicted
from hybridvit.inference.view import view_lightness, view_size

KEPT_BYTES = 2**24  # of results, the last used ones; a canvas takes about so much beside the photograph
_KEPT_ANYHOW = 6  # results: what the next hint needs, at a large view too

T = TypeVar("T")


class Conditioned(NamedTuple):
    """What the model says of a picture with hints: mean ab `[h, w, 2]`, calibrated logits `[h8, w8, 313]` if any."""

    mean: Float[np.ndarray, "h w 2"]
    logits: Float[np.ndarray, "h8 w8 313"] | None


class Canvas:
    """One photograph and one set of weights, or another method; may be used by several threads.

    A method without a distribution of colours has no logits, no doubt, and draws no samples (ValueError). Recipes are
    checked by whoever made them (`Recipe.check_within`); a hint outside the picture raises HintError.
    """

    def __init__(self, predictor: Predict, photo: Photo):
        self.photo = photo
        self.predictor = predictor
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.RLock()

    def view(self, size: int) -> tuple[int, int]:
        """Height and width of the model's view whose shorter side is `size` px."""
        return view_size(*self.photo.pixels.shape[:2], size)

    def lightness(self, size: int) -> Float[np.ndarray, "h w"]:
        """L, 0..100, at the view."""
        return self._once(("L", size), lambda: view_lightness(self.photo.pixels, *self.view(size)))

    def chroma(self, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        """ab in CIE units, float32, at the view of the recipe's size: all that it says is in it."""
        return self._once(("chroma", recipe), functools.partial(self._chroma, recipe))

    def logits(self, recipe: Recipe) -> Float[np.ndarray, "h8 w8 313"] | None:
        """Logarithms of the probabilities of the bins, up to a constant for each cell of 8 px, given the hints."""
        return self._conditioned(recipe.hints, recipe.settings.size).logits

    def doubt(self, recipe: Recipe) -> Float[np.ndarray, "h8 w8"] | None:
        """Probability that the colour is another one, given the hints (`sampling.doubt`)."""
        logits = self.logits(recipe)
        return None if logits is None else sampling.doubt(logits)

    def predict(
        self, hint_ab: Float[np.ndarray, "b h w 2"], mask: Bool[np.ndarray, "b h w"], size: int
    ) -> tuple[Float[np.ndarray, "b h w 2"], Float[np.ndarray, "b h8 w8 313"] | None]:
        """Mean ab and logits of the view of that size for each of several hint maps."""
        L = np.broadcast_to(self.lightness(size), mask.shape)
        found = self.predictor(L, (hint_ab, mask))
        return found.mean, found.logits

    def picture(self, recipe: Recipe) -> Rgb:
        """The photograph coloured, at full resolution: sRGB `[H, W, 3]` of its depth."""
        pixels = self.photo.pixels
        height, width, _ = pixels.shape
        painter = Painter(pixels, self.chroma(recipe), self.lightness(recipe.settings.size))
        rgb = painter.tile(0, 0, height, width)
        paint_hints(rgb, pixels, rasterise_recipe(recipe, height, width))
        return rgb

    def _free(self, size: int) -> Predicted:
        return self._once(("free", size), lambda: self.predictor(self.lightness(size)[None]))

    def _given(self, hints: tuple[Hint, ...], size: int) -> sampling.HintMap:
        return rasterise_view(hints, *self.photo.pixels.shape[:2], *self.view(size))

    def _conditioned(self, hints: tuple[Hint, ...], size: int) -> Conditioned:
        if not hints:
            free = self._free(size)
            return Conditioned(free.mean[0], _first(free.logits))
        key = "conditioned", hints, size
        return self._once(key, lambda: self._with_map(self._given(hints, size), size))

    def _with_map(self, given: sampling.HintMap, size: int) -> Conditioned:
        mean, logits = self.predict(*(x[None] for x in given), size)
        return Conditioned(mean[0], _first(logits))

    def _distribution(self, given: sampling.HintMap, size: int) -> sampling.Logits:
        logits = self._with_map(given, size).logits
        if logits is None:
            raise ValueError(f"{self.predictor.name} draws no samples: choose decode 'vivid' or 'mean'")
        return logits

    def _chroma(self, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        size, decode = recipe.settings.size, recipe.settings.decode
        L = self.lightness(size)
        given = self._given(recipe.hints, size)
        if decode == "sample":
            drawn = sampling.sample_hints(
                lambda hints: self._distribution(hints, size), given, recipe.settings.seed
            )
            ab = self._with_map(drawn, size).mean
        else:
            ab = self._conditioned(recipe.hints, size).mean
            if decode == "vivid" and not recipe.palette:  # a palette says how vivid the picture is
                free = self._free(size)
                ab = with_hints(ab, free.mean[0], free.vivid[0]) if recipe.hints else free.vivid[0]
        ab = apply_palette(L, ab, recipe.palette) * np.float32(recipe.settings.strength)
        if recipe.hints:
            ab = spread_residual(L, ab, *given)
        return self._protect(ab, recipe)

    def _protect(self, ab: Float[np.ndarray, "h w 2"], recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        for protected in reversed(recipe.protected):
            _, area = self._given((protected.region,), recipe.settings.size)
            kept = _resized(self.chroma(protected.recipe), *area.shape)
            ab = np.where(area[..., None], kept, ab)
        return ab

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:  # others who want the same wait for it, rather than make it too
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            made = self._kept[key] = make()
            while len(self._kept) > _KEPT_ANYHOW and sum(map(_bytes, self._kept.values())) > KEPT_BYTES:
                self._kept.popitem(last=False)
            return made


def _first(logits: Float[np.ndarray, "b h8 w8 313"] | None) -> Float[np.ndarray, "h8 w8 313"] | None:
    return None if logits is None else logits[0]


def _bytes(result: Any) -> int:
    if isinstance(result, tuple):
        return sum(map(_bytes, result))
    return getattr(result, "nbytes", 0)


def _resized(ab: Float[np.ndarray, "h w 2"], height: int, width: int) -> Float[np.ndarray, "h2 w2 2"]:
    if ab.shape[:2] == (height, width):
        return ab
    planes = (
        Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
        for plane in np.moveaxis(ab, -1, 0)
    )
    return np.stack([np.asarray(plane) for plane in planes], -1)
