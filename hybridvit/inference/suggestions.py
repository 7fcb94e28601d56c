"""The colour that a place of a photograph has in the picture, and the likeliest other ones it may have.

The distribution is that of the 313 bins given the recipe's hints, interpolated between cells, and between the bins to a
lattice of twice their fineness, of which only the colours that the gamut has at the place's lightness are left: others
cannot be the truth. One colour after the other is taken, each the one around which most of the probability is that the
colours before do not stand for (greedy coverage, Nemhauser, Wolsey and Fisher 1978). The likeliest themselves would
mostly be neighbours of one another. Nearly gray ones are taken only where they are modes of the distribution: gray lies
between brown and blue, and is not likely where these are.

L is 0..100, ab in CIE units.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from skimage.color import rgb2lab

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point, check_within
from hybridvit.inference.canvas import ALL, Canvas
from hybridvit.inference.composition import compose, lightness
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import probabilities

RADIUS = 10.0  # ab units: a colour stands for those within it
APART = 15.0  # ab units, at least between two colours
GRAY = 6.0  # ab units: colours of less chroma are nearly gray
LEAST_SHARE = 0.002  # of the probability: rarer colours are not suggested

_BINS_STEP = 10.0  # ab units, of the bins' grid
_STEP = 5.0  # ab units, of the lattice
_EDGE = 2.0  # ab units on either side of RADIUS, in which a colour ceases to stand for others
_IN_GAMUT = 1.0  # ab units: what the gamut moves by more lies out of it
_LIKELY = 0.7  # of the likeliest near: what is as likely counts as a mode
_MODE = 5.0  # ab units: standard deviation of the kernel in which modes are sought


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
    """Up to `count` colours: the one shown with this recipe, then others by their share; fewer where the model is sure.

    They are APART from one another; of extreme lightness there are fewer. `x` and `y` are full-resolution pixels; the
    lightness is that of the model's view there, so that a grain of the film does not count. In a border there is gray
    alone. Raises HintError if the place is outside the picture, ValueError as `distribution`.
    """
    height, width = canvas.photo.pixels.shape[:2]
    check_within(Point(x, y, (0, 0)), width, height)
    top, left, height, width = canvas.inside(recipe.settings)
    if not (top <= y < top + height and left <= x < left + width):
        L = float(np.asarray(lightness(canvas.photo.pixels[int(y), int(x)])))
        return [LikelyColor(shown_at(L, np.zeros((1, 2), np.float32))[0][0], (0.0, 0.0), 1.0)]
    L = canvas.lightness(recipe.settings)
    row, column = (y - top) * L.shape[0] / height, (x - left) * L.shape[1] / width  # px of the view
    (top, bottom, low), (left, right, far) = (
        _neighbours(place / STRIDE, -(-size // STRIDE))
        for place, size in zip((row, column), L.shape, strict=True)
    )
    cells = distribution(canvas, recipe, np.s_[top : bottom + 1, left : right + 1])
    probs = _interpolate(cells, low, far)
    here = L[int(row), int(column)]
    shown = canvas.chroma(recipe)[int(row), int(column)]
    first = shown_at(here, shown[None])[1][0]
    ab, share = choose(*in_gamut(here, probs), count, first)
    colors, ab = shown_at(here, ab.astype(np.float32))
    return [
        LikelyColor(color, (a, b), part)
        for color, (a, b), part in zip(colors, ab.tolist(), share.tolist(), strict=True)
    ]


def distribution(
    canvas: Canvas, recipe: Recipe, cells: tuple[slice, slice] = ALL
) -> Float[np.ndarray, "h8 w8 313"]:
    """Probabilities of the bins given the recipe's hints, of these cells of 8 px.

    Raises ValueError if the canvas's method knows none.
    """
    logits = canvas.logits(recipe, cells)
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


def in_gamut(
    L: float | np.floating, probs: Float[np.ndarray, "313"]
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
    """The lattice's colours (ab) that there are at a lightness, gray at least, and their probabilities."""
    colors, shares = _lattice()
    moved = np.linalg.norm(shown_at(L, colors)[1] - colors, axis=-1)
    there = (moved <= _IN_GAMUT) | ~colors.any(-1)
    density = shares[there] @ probs
    total = density.sum()
    return colors[there], density / total if total > 0 else np.where(colors[there].any(-1), 0.0, 1.0)


@functools.cache
def _lattice() -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 313"]]:
    """Colours, ab, and what each has of each bin: bilinear interpolation between the bins' centres."""
    ends = BIN_CENTRES.min(0) - _BINS_STEP, BIN_CENTRES.max(0) + _BINS_STEP
    axes = [np.arange(start, end + _STEP / 2, _STEP, np.float32) for start, end in zip(*ends, strict=True)]
    colors = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    near = np.maximum(0, 1 - np.abs(colors[:, None] - BIN_CENTRES) / _BINS_STEP).prod(-1)
    some = near.any(-1)
    return colors[some], near[some]


def choose(
    colors: Float[np.ndarray, "n 2"],
    probs: Float[np.ndarray, " n"],
    count: int,
    first: Float[np.ndarray, "2"],
) -> tuple[Float[np.ndarray, "k 2"], Float[np.ndarray, " k"]]:
    """`first` and up to `count` - 1 others, APART, from `colors` (ab) of these probabilities; and their shares.

    The shares of the others fall.
    """
    far = _distances(colors, colors)
    stands = _stands_for(far)
    allowed = (np.linalg.norm(colors, axis=-1) >= GRAY) | _is_mode(far, probs)
    chosen = [np.asarray(first, np.float64)]
    away = _distances(colors, chosen[0][None])[:, 0]
    rest = probs * (1 - _stands_for(away))
    while len(chosen) < count:
        covered = np.where(allowed & (away >= APART), stands @ rest, 0)
        if covered.max() < LEAST_SHARE:
            break
        best = int(covered.argmax())
        chosen.append(colors[best])
        rest = rest * (1 - stands[best])
        away = np.minimum(away, far[best])
    share = _shares(colors, probs, np.array(chosen))
    order = np.append(0, 1 + np.argsort(-share[1:], kind="stable"))
    return np.array(chosen)[order], share[order]


def _stands_for(far: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """1 at a distance of less than RADIUS, 0 beyond it, its edge soft: the lattice is coarse."""
    return np.clip((RADIUS + _EDGE - far) / (2 * _EDGE), 0, 1)


def _is_mode(far: Float[np.ndarray, "n n"], probs: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether no colour near is much likelier, all smoothed."""
    density = np.exp(-np.square(far / _MODE) / 2) @ probs
    return density >= _LIKELY * np.where(far <= RADIUS, density, 0).max(1)


def _shares(
    colors: Float[np.ndarray, "n 2"], probs: Float[np.ndarray, " n"], medians: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, " k"]:
    return np.bincount(_distances(colors, medians).argmin(1), probs, len(medians))


def _distances(
    colors: Float[np.ndarray, "n 2"], medians: Float[np.ndarray, "k 2"]
) -> Float[np.ndarray, "n k"]:
    return np.linalg.norm(colors[:, None] - medians, axis=-1)


def _interpolate(probs: Float[np.ndarray, "h w n"], low: float, far: float) -> Float[np.ndarray, " n"]:
    """Bilinearly between the corners of a few cells: `low` of the way down, `far` of that to the right."""
    upper, lower = (probs[i, 0] * (1 - far) + probs[i, -1] * far for i in (0, -1))
    return upper * (1 - low) + lower * low


def _neighbours(place: float, size: int) -> tuple[int, int, float]:
    """The cells whose middles are before and after a place, and how far it is from one to the other, 0..1."""
    place = min(max(place - 0.5, 0.0), size - 1.0)
    before = int(place)
    return before, min(before + 1, size - 1), place - before
