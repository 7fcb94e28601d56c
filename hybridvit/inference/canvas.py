"""A photograph opened for colouring, once or again and again: what hints do not change is done once.

Without hints there is one run of the model. With hints that it is given there is one more: what is vivid, and which
hints are given, is decided without them, and that run is kept. Hints that keep to their reach (`bounded`) are laid
over; of these, the ones that contradict the model take a run too (`sorting`). What a pretrained encoder sees is kept
from one run to the next (`Predictor`), so runs with other hints take less than half the time. A method without a
distribution is given all hints: it has nothing by which to tell what belongs together.

The model's view is of the photograph inside its borders (`borders`), unless the settings say otherwise.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from hybridvit.hints.raster import Window, rasterise_recipe, rasterise_view
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import HERE, PICTURE, THING, Hint, color_ab
from hybridvit.inference import bounded, reach, sampling, sorting
from hybridvit.inference.decode import KNOWN, with_hints
from hybridvit.inference.full_resolution import Painter, Rgb, paint_hints
from hybridvit.inference.hint_residual import spread_residual
from hybridvit.inference.influence import cell_means
from hybridvit.inference.kept import Kept
from hybridvit.inference.palette import apply_palette
from hybridvit.inference.predictor import Predict, Predicted
from hybridvit.inference.view import resized, view_lightness, view_size
from hybridvit.photo.borders import respanned
from hybridvit.photo.photo import Photo

KEPT_BYTES = 3 * 2**23  # of results, the last used ones; a canvas takes about so much beside the photograph
ALL = np.s_[:, :]


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
        self._once = Kept(KEPT_BYTES).once

    def inside(self, settings: Settings) -> Window:
        """The part of the photograph that is coloured: what the view, and all that is at the view, spans."""
        return inside_of(self.photo, settings)

    def view(self, settings: Settings) -> tuple[int, int]:
        """Height and width of the model's view."""
        return view_size(*self.inside(settings)[2:], settings.size)

    def lightness(self, settings: Settings) -> Float[np.ndarray, "h w"]:
        """L, 0..100, at the view."""
        return self._once(("L", *_of_view(settings)), lambda: seen_lightness(self.photo, settings))

    def hint_map(
        self, hints: Sequence[Hint], settings: Settings, view: tuple[int, int] | None = None
    ) -> sampling.HintMap:
        """ab `[h, w, 2]` of the hints at the view, or at one of another size, and where they are, `[h, w]`."""
        mask, known = self._marked(tuple(hints), settings, view or self.view(settings))
        ab = np.zeros((*mask.shape, 2), np.float32)
        ab[mask] = known
        return ab, mask

    def _marked(
        self, hints: tuple[Hint, ...], settings: Settings, view: tuple[int, int]
    ) -> tuple[Bool[np.ndarray, "h w"], Float[np.ndarray, "n 2"]]:
        """Where hints are at a view, and their ab there; kept as bits."""

        def mark() -> tuple[np.ndarray, np.ndarray]:
            ab, mask = rasterise_view(hints, *self.photo.pixels.shape[:2], *view, self.inside(settings))
            return np.packbits(mask, axis=-1), ab[mask]

        packed, known = self._once(("map", hints, view, settings.borders), mark)
        return np.unpackbits(packed, axis=-1, count=view[1]).view(bool), known

    def chroma(self, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        """ab in CIE units, float32, at the view of the recipe's size: all that it says is in it."""
        return self._once(("chroma", recipe), functools.partial(self._chroma, recipe))

    def logits(
        self, recipe: Recipe, cells: tuple[slice, slice] = ALL
    ) -> Float[np.ndarray, "h8 w8 313"] | None:
        """Logarithms of the probabilities of the bins, up to a constant for each cell of 8 px, given the hints.

        Of these cells: where hints are laid over, all of them take time.
        """
        hints, settings = self._sorted(recipe.hints, recipe.settings), recipe.settings
        logits = self._conditioned(hints.given, settings).logits
        if logits is None:
            return None
        if not hints.bounded:
            return logits[cells]
        laid = self._laid(recipe.hints, settings)
        weight = cell_means(laid.weight)[cells][..., None]
        ab = cell_means(laid.weight[..., None] * laid.ab)[cells] / np.maximum(weight, 1e-6)
        probs = (1 - weight) * sampling.probabilities(logits[cells]) + weight * bounded.known_bins(ab)
        return np.log(np.maximum(probs, 1e-9)).astype(np.float32)

    def laid_over(self, recipe: Recipe) -> tuple[Hint, ...]:
        """The recipe's hints that the model is not given, or with doubt (`sorting`)."""
        return self._sorted(recipe.hints, recipe.settings).bounded

    def doubt(self, recipe: Recipe) -> Float[np.ndarray, "h8 w8"] | None:
        """Probability that the colour is another one, given the hints (`sampling.doubt`); it spans the photograph.

        Its borders are gray without doubt.
        """
        logits = self.logits(recipe)
        if logits is None:
            return None
        whole = Window(0, 0, *self.photo.pixels.shape[:2])
        return respanned(sampling.doubt(logits), self.inside(recipe.settings), whole)

    def predict(
        self, hint_ab: Float[np.ndarray, "b h w 2"], mask: Bool[np.ndarray, "b h w"], settings: Settings
    ) -> tuple[Float[np.ndarray, "b h w 2"], Float[np.ndarray, "b h8 w8 313"] | None]:
        """Mean ab and logits of the view for each of several hint maps."""
        L = np.broadcast_to(self.lightness(settings), mask.shape)
        found = self.predictor(L, (hint_ab, mask))
        return found.mean, found.logits

    def picture(self, recipe: Recipe) -> Rgb:
        """The photograph coloured, at full resolution: sRGB `[H, W, 3]` of its depth."""
        pixels = self.photo.pixels
        height, width, _ = pixels.shape
        seen = self.chroma(recipe), self.lightness(recipe.settings), self.inside(recipe.settings)
        painter = Painter(pixels, *seen)
        rgb = painter.tile(0, 0, height, width)
        paint_hints(rgb, pixels, rasterise_recipe(recipe, height, width))
        return rgb

    def reach_of(self, hint: Hint, settings: Settings) -> Float[np.ndarray, "h w"]:
        """How much of a hint there is where, 0..1, at the view: by its reach and strength, were it the only one.

        All is within the reach of a hint for the whole picture, and of any with a method without a distribution.
        """
        L = self.lightness(settings)
        if hint.reach >= PICTURE or self._free(settings).logits is None:
            return np.full_like(L, hint.strength)
        known = self._known(hint, settings)
        if not known.own.any():
            return np.zeros_like(L)
        alone = [(known, self._distances(hint, settings))]
        return bounded.lay(self._terrain(settings), L, alone, np.zeros(L.shape, bool)).weight

    def _free(self, settings: Settings) -> Predicted:
        key = "free", *_of_view(settings)
        return self._once(key, lambda: self.predictor(self.lightness(settings)[None]))

    def _conditioned(self, hints: tuple[Hint, ...], settings: Settings) -> Conditioned:
        if not hints:
            free = self._free(settings)
            return Conditioned(free.mean[0], _first(free.logits))
        key = "conditioned", hints, settings.decode, *_of_view(settings)
        return self._once(key, lambda: self._with_map(self._model_map(hints, settings), settings))

    def _model_map(self, hints: tuple[Hint, ...], settings: Settings) -> sampling.HintMap:
        """`_given_map` as the model takes it: what is shown there already is no news to it.

        A vivid colour that a user confirms is the model's mean; else it would take the picture for that vivid, or that
        dull, all over. Where all hints only confirm, the model is given none.
        """
        ab, mask = self._given_map(hints, settings)
        if settings.decode == "vivid" and mask.any() and self._free(settings).logits is not None:
            known, mean, vivid = ab[mask], self._free(settings).mean[0][mask], self._shown(settings)[mask]
            news = np.linalg.norm(known - vivid, axis=-1, keepdims=True)
            if news.max() <= KNOWN:
                return np.zeros_like(ab), np.zeros_like(mask)
            ab[mask] = known - (vivid - mean) * np.exp(-np.square(news / KNOWN))
        return ab, mask

    def _given_map(self, hints: tuple[Hint, ...], settings: Settings) -> sampling.HintMap:
        """`hint_map` of what the model is given: colours of less than full strength are nearer to its own."""
        ab, mask = self.hint_map(hints, settings)
        if mask.any() and any(hint.strength < 1 for hint in hints):
            as_colors = [dataclasses.replace(hint, color=(100 * hint.strength, 0)) for hint in hints]
            strength = self.hint_map(as_colors, settings)[0][..., :1] / 100
            ab = np.where(mask[..., None], self._shown(settings) * (1 - strength) + ab * strength, 0)
        return ab.astype(np.float32), mask

    def _sorted(self, hints: tuple[Hint, ...], settings: Settings) -> sorting.Sorted:
        if not hints or self._free(settings).logits is None:
            return sorting.Sorted(hints)
        agreements = [self._agreement(hint, settings) for hint in hints]
        return sorting.sort_hints(hints, agreements, lambda hint: self._confirms(hint, settings))

    def _agreement(self, hint: Hint, settings: Settings) -> float:
        """Infinite of hints that the model is given anyway, -1 of those that it never is."""
        if not THING <= hint.reach < PICTURE:
            return -1.0 if hint.reach < THING else math.inf
        return self._once(
            ("agreement", hint, settings.decode, *_of_view(settings)), lambda: self._compare(hint, settings)
        )

    def _compare(self, hint: Hint, settings: Settings) -> float:
        known, free = self._known(hint, settings), self._free(settings)
        if not known.own.any() or math.dist(self._shown(settings)[known.own].mean(0), known.ab) <= KNOWN:
            return math.inf  # in the border, or no news
        return reach.agreement(free.logits[0], free.mean[0], known.ab, known.own)

    def _confirms(self, hint: Hint, settings: Settings) -> bool:
        """Whether a hint says of its place what is shown there without hints; draws are never confirmed."""
        if settings.decode == "sample":
            return False

        def compare() -> bool:
            L, known = self.lightness(settings), self._known(hint, settings)
            return not known.own.any() or sorting.is_shown(L, self._shown(settings), known.own, known.ab)

        return self._once(("confirms", hint, settings.decode, *_of_view(settings)), compare)

    def _shown(self, settings: Settings) -> Float[np.ndarray, "h w 2"]:
        """Without hints."""
        free = self._free(settings)
        return free.vivid[0] if settings.decode == "vivid" else free.mean[0]

    def _known(self, hint: Hint, settings: Settings) -> bounded.Known:
        alone = dataclasses.replace(hint, color=(0, 0), reach=HERE, strength=1)
        own, _ = self._marked((alone,), settings, self.view(settings))
        return bounded.Known(own, color_ab(hint.color), hint.reach, hint.strength)

    def _terrain(self, settings: Settings) -> reach.Terrain:
        key = "terrain", *_of_view(settings)
        L, free = self.lightness(settings), self._free(settings)
        return self._once(key, lambda: reach.terrain(L, free.logits[0]))

    def _distances(self, hint: Hint, settings: Settings) -> Float[np.ndarray, "rows columns"] | None:
        if hint.reach == HERE:
            return None
        key = "distances", dataclasses.replace(hint, color=(0, 0), reach=HERE), *_of_view(settings)
        land, own = self._terrain(settings), self._known(hint, settings).own
        return self._once(key, lambda: reach.distances(land, own))

    def _laid(self, hints: tuple[Hint, ...], settings: Settings) -> bounded.Bounded:
        """What the bounded ones of these hints change."""
        key = "laid", hints, settings.decode, *_of_view(settings)
        return self._once(key, lambda: self._lay(self._sorted(hints, settings), settings))

    def _lay(self, hints: sorting.Sorted, settings: Settings) -> bounded.Bounded:
        L = self.lightness(settings)
        both = ((hint, self._known(hint, settings)) for hint in hints.bounded)
        knowns = [(hint, known) for hint, known in both if known.own.any()]
        if not knowns:  # all lie in the border
            return bounded.Bounded(np.zeros_like(L), np.zeros((*L.shape, 2), np.float32))
        far = [hint for hint, _ in knowns if hint.reach > HERE]
        chosen = {far[i] for i in np.linspace(0, len(far) - 1, min(len(far), bounded.MOST)).astype(int)}
        laid = [
            (known, self._distances(hint, settings) if hint in chosen else None) for hint, known in knowns
        ]
        others = self.hint_map(hints.given, settings)[1]
        return bounded.lay(self._terrain(settings), L, laid, others)

    def _doubted(self, hints: tuple[Hint, ...], settings: Settings) -> Float[np.ndarray, "h w 2"]:
        """What those change that contradict the model, where they are not laid over."""
        order = self._sorted(hints, settings)
        with_them = tuple(hint for hint in hints if hint in order.given or hint in order.doubted)
        told = self._model_map(with_them, settings)
        said, theirs = told[0], self.hint_map(order.doubted, settings)[1]
        before = self._conditioned(order.given, settings).mean
        key = "doubted", with_them, settings.decode, *_of_view(settings)
        after = self._once(key, lambda: self._with_map(told, settings).mean)  # without its distribution
        tone = sorting.is_tone(after - before, (said - before)[theirs])
        change = sorting.limited(after - before, order.most / max(1 - tone, 1e-6))
        return np.where(self.hint_map(order.given, settings)[1][..., None], 0, change)

    def _with_map(self, given: sampling.HintMap, settings: Settings) -> Conditioned:
        if not given[1].any():  # all hints lie in the border
            return self._conditioned((), settings)
        mean, logits = self.predict(*(x[None] for x in given), settings)
        return Conditioned(mean[0], _first(logits))

    def _distribution(self, given: sampling.HintMap, settings: Settings) -> sampling.Logits:
        logits = self._with_map(given, settings).logits
        if logits is None:
            raise ValueError(f"{self.predictor.name} draws no samples: choose decode 'vivid' or 'mean'")
        return logits

    def _chroma(self, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        hints = self._sorted(recipe.hints, recipe.settings)
        given = dataclasses.replace(recipe, hints=hints.given)
        # Often as before: what contradicts is not in it
        key = "spread", given.hints, recipe.palette, recipe.settings
        ab = self._once(key, functools.partial(self._spread, given))
        if hints.most > 0:
            ab = ab + self._doubted(recipe.hints, recipe.settings) * np.float32(recipe.settings.strength)
        if hints.bounded:
            ab = self._laid(recipe.hints, recipe.settings).over(ab)
        return self._protect(ab, recipe)

    def _spread(self, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        """With hints that the model is all given."""
        settings, decode = recipe.settings, recipe.settings.decode
        L = self.lightness(settings)
        given = self._given_map(recipe.hints, settings)
        if decode == "sample":
            drawn = sampling.sample_hints(
                lambda hints: self._distribution(hints, settings), given, settings.seed
            )
            ab = self._with_map(drawn, settings).mean
        else:
            ab = self._conditioned(recipe.hints, settings).mean
            if decode == "vivid" and not recipe.palette:  # a palette says how vivid the picture is
                free = self._free(settings)
                ab = with_hints(ab, free.mean[0], free.vivid[0]) if recipe.hints else free.vivid[0]
        ab = apply_palette(L, ab, recipe.palette) * np.float32(settings.strength)
        if given[1].any():
            ab = spread_residual(L, ab, *given)
        return ab

    def _protect(self, ab: Float[np.ndarray, "h w 2"], recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
        for protected in reversed(recipe.protected):
            _, area = self.hint_map((protected.region,), recipe.settings)
            theirs, ours = (self.inside(one.settings) for one in (protected.recipe, recipe))
            kept = respanned(self.chroma(protected.recipe), theirs, ours)
            ab = np.where(area[..., None], resized(kept, *area.shape), ab)
        return ab


def inside_of(photo: Photo, settings: Settings) -> Window:
    """The part of a photograph that is coloured by these settings."""
    found = photo.inside if settings.borders == "auto" else None
    return found or Window(0, 0, *photo.pixels.shape[:2])


def seen_lightness(photo: Photo, settings: Settings) -> Float[np.ndarray, "h w"]:
    """L, 0..100, at the model's view of a photograph."""
    top, left, height, width = inside_of(photo, settings)
    pixels = photo.pixels[top : top + height, left : left + width]
    return view_lightness(pixels, *view_size(height, width, settings.size))


def _of_view(settings: Settings) -> tuple[int, str]:
    """What the view depends on."""
    return settings.size, settings.borders


def _first(logits: Float[np.ndarray, "b h8 w8 313"] | None) -> Float[np.ndarray, "h8 w8 313"] | None:
    return None if logits is None else logits[0]
