"""The likeliest, clearly different colours at a place of a photograph, from the model's distribution there.

The distribution is that of the 313 bins given the recipe's hints, interpolated between cells; each bin stands for its
colour as far as the gamut has room for it at the place's lightness. The bins are divided among the few colours that
have the least expected distance from the truth to the nearest of them (weighted k-medians from a greedy start, without
any chance). The likeliest bins themselves would mostly be neighbours of one another.

L is 0..100, ab in CIE units.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from skimage.color import rgb2lab

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point, check_within
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.composition import compose
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import probabilities

RADIUS = 13.0  # ab units: at the start, a colour stands for those within it
APART = 10.0  # ab units, at least between two colours
LEAST_SHARE = 0.005  # of the probability: rarer colours are not suggested

_ROUNDS = 20  # of k-medians
_NEAREST = 3.0  # ab units: what is nearer to a median pulls no harder


class LikelyColor(NamedTuple):
    """A colour that a place may have: an sRGB hex at the place's lightness, in the gamut, and the same as CIE a, b.

    `share` is the probability, 0..1, of the colours that are nearer to it than to the others of its list.
    """

    color: str
    ab: tuple[float, float]
    share: float


def likely_colors(
    canvas: Canvas, recipe: Recipe, x: float | int, y: float | int, count: int = 5
) -> list[LikelyColor]:
    """Up to `count` colours given the recipe's hints, likeliest first; fewer where the model is sure, or L extreme.

    `x` and `y` are full-resolution pixels; the lightness is that of the model's view there, so that a grain of the film
    does not count. Raises HintError if the place is outside the picture, ValueError as `distribution`.
    """
    height, width = canvas.photo.pixels.shape[:2]
    check_within(Point(x, y, (0, 0)), width, height)
    L = canvas.lightness(recipe.settings.size)
    row, column = y * L.shape[0] / height, x * L.shape[1] / width  # px of the view
    probs = _interpolate(distribution(canvas, recipe), row / STRIDE, column / STRIDE)
    here = L[int(row), int(column)]
    ab, share = divide(shown_at(here, BIN_CENTRES)[1], probs, count)
    colors, ab = shown_at(here, ab.astype(np.float32))
    return [
        LikelyColor(color, (a, b), part)
        for color, (a, b), part in zip(colors, ab.tolist(), share.tolist(), strict=True)
    ]


def distribution(canvas: Canvas, recipe: Recipe) -> Float[np.ndarray, "h8 w8 313"]:
    """Probabilities of the bins given the recipe's hints; raises ValueError if the canvas's method knows none."""
    logits = canvas.logits(recipe)
    if logits is None:
        raise ValueError(
            "this method finds one colour for each place, not the likely ones: use a model's weights"
        )
    return probabilities(logits)


def shown_at(
    L: float | np.floating, ab: Float[np.ndarray, "n 2"]
) -> tuple[list[str], Float[np.ndarray, "n 2"]]:
    """sRGB hexes, and ab, of colours (float32) as far as the gamut has room for them at a lightness."""
    rgb = np.asarray(compose(np.full(len(ab), L, np.float32), ab, np.uint8))
    return ["#{:02x}{:02x}{:02x}".format(*color) for color in rgb.tolist()], rgb2lab(rgb)[:, 1:]


def divide(
    colors: Float[np.ndarray, "n 2"], probs: Float[np.ndarray, " n"], count: int
) -> tuple[Float[np.ndarray, "k 2"], Float[np.ndarray, " k"]]:
    """Up to `count` colours, APART, that stand for `colors` (ab) of these probabilities; and their shares, falling."""
    medians = _start(colors, probs, count)
    for _ in range(_ROUNDS):
        far = _distances(colors, medians)
        nearest = far.argmin(1)
        # A step of Weiszfeld's (1937) way to the geometric median of each part
        pull = probs / np.maximum(far.min(1), _NEAREST)
        total, a, b = (
            np.bincount(nearest, pull * x, len(medians)) for x in (np.ones(len(colors)), *colors.T)
        )
        there = total > 0
        medians[there] = (np.stack([a, b], -1)[there]) / total[there, None]
    kept: list[Float[np.ndarray, 2]] = []
    for index in np.argsort(-_shares(colors, probs, medians), kind="stable"):
        if all(math.dist(medians[index], other) >= APART for other in kept):
            kept.append(medians[index])
    chosen = np.array(kept)
    chosen = chosen[_shares(colors, probs, chosen) >= LEAST_SHARE]
    share = _shares(colors, probs, chosen)
    order = np.argsort(-share, kind="stable")
    return chosen[order], share[order]


def _start(
    colors: Float[np.ndarray, "n 2"], probs: Float[np.ndarray, " n"], count: int
) -> Float[np.ndarray, "k 2"]:
    """Again and again the mean colour around where most is left."""
    within = _distances(colors, colors) <= RADIUS
    rest, medians = probs, []
    while len(medians) < count and rest.sum() > 0:
        around = rest * within[(within @ rest).argmax()]
        medians.append(around @ colors / around.sum())
        rest = np.where((around > 0) | (_distances(colors, medians[-1][None])[:, 0] <= RADIUS), 0, rest)
    return np.array(medians)


def _shares(
    colors: Float[np.ndarray, "n 2"], probs: Float[np.ndarray, " n"], medians: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, " k"]:
    return np.bincount(_distances(colors, medians).argmin(1), probs, len(medians))


def _distances(
    colors: Float[np.ndarray, "n 2"], medians: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, "n k"]:
    return np.linalg.norm(colors[:, None] - medians, axis=-1)


def _interpolate(probs: Float[np.ndarray, "h w n"], row: float, column: float) -> Float[np.ndarray, " n"]:
    """Bilinearly between the cells' middles, at a place in cells."""
    (top, bottom, low), (left, right, far) = (
        _neighbours(place, size) for place, size in zip((row, column), probs.shape, strict=False)
    )
    upper, lower = (probs[i, left] * (1 - far) + probs[i, right] * far for i in (top, bottom))
    return upper * (1 - low) + lower * low


def _neighbours(place: float, size: int) -> tuple[int, int, float]:
    """The cells whose middles are before and after a place, and how far it is from one to the other, 0..1."""
    place = min(max(place - 0.5, 0.0), size - 1.0)
    before = int(place)
    return before, min(before + 1, size - 1), place - before
