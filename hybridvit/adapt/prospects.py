"""What pictures stand to gain, or to lose, by a change of the weights, in dB, before anybody sees them.

A picture's squared error has two parts: how far what is said lies from the mean of what is likely, and the variance
about that mean, which the model's own distribution tells. A change moves the first alone; so pictures without a truth
can be judged. Where the distribution errs, so does this: of anchors in colour the truth is asked as well.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hybridvit.adapt.lesson import Lesson, lesson_of
from hybridvit.color.bins import BIN_CENTRES
from hybridvit.color.lab import rgb_to_lab
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.decode import mean_ab
from hybridvit.inference.predictor import padded
from hybridvit.inference.view import shrink
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import build_generator

GRAY = 4.0  # ab units: a picture without one pixel in a hundred above it is gray
LEAST = 1.0  # squared ab units: smaller errors are as good as none

Said = list[Float[np.ndarray, "h w 2"]]
Say = Callable[[Any, Sequence[Lesson]], Said]


class Anchor(NamedTuple):
    """What is said now of a picture that shall stay as it is, and its true ab at the view if it is in colour."""

    said: Lesson
    truth: Float[np.ndarray, "h w 2"] | None = None


def anchor_of(canvas: Canvas) -> Anchor:
    """Of a photograph, gray or in colour (as a toned print counts). Raises ValueError as `lesson_of`."""
    said, settings, pixels = lesson_of(canvas, Recipe()), Settings(), canvas.photo.pixels
    if pixels.shape[2] == 1:
        return Anchor(said)
    top, left, height, width = canvas.inside(settings)
    part = pixels[top : top + height, left : left + width]
    ab = np.asarray(rgb_to_lab(jnp.asarray(shrink(part, *canvas.view(settings)))))[..., 1:]
    return Anchor(said, ab if np.percentile(np.linalg.norm(ab, axis=-1), 99) >= GRAY else None)


def make_say(weights: Weights) -> Say:
    """What other parameters of these weights say of pictures, unasked: their mean ab."""
    generate = build_generator(at_inference(weights.model)).generate
    compiled = jax.jit(lambda params, L: mean_ab(generate(params, L[..., None] / 50 - 1, None)))

    def say(params: Any, pictures: Sequence[Lesson]) -> Said:
        params = jax.device_put(params)
        views = (padded(one.L[None], None)[0] for one in pictures)
        found = (np.asarray(compiled(params, view))[0] for view in views)
        return [ab[: one.L.shape[0], : one.L.shape[1]] for ab, one in zip(found, pictures, strict=True)]

    return say


def gain(before: Said, after: Said, lessons: Sequence[Lesson]) -> float:
    """What pictures like those of the lessons stand to gain, dB: the mean over them."""
    each = [
        _decibels(_far(old, one.ab), _far(new, one.ab), _variance(one))
        for old, new, one in zip(before, after, lessons, strict=True)
    ]
    return float(np.mean(each))


def loss(after: Said, anchors: Sequence[Anchor]) -> float:
    """What pictures like the anchors stand to lose, dB, their mean: by their distributions, or by truth if more."""
    pairs = list(zip(after, anchors, strict=True))
    expected = [-_decibels(0.0, _far(new, one.said.ab), _variance(one.said)) for new, one in pairs]
    true = [(new, one.said.ab, one.truth) for new, one in pairs if one.truth is not None]
    measured = [-_decibels(_far(old, truth), _far(new, truth)) for new, old, truth in true]
    return float(max(np.mean(some) for some in (expected, measured) if some))


def _decibels(before: float, after: float, variance: float = 0.0) -> float:
    """Gained where the error goes from `before` to `after`, squared ab units beside a variance that stays."""
    return 10 * np.log10((before + variance + LEAST) / (after + variance + LEAST))


def _far(said: Float[np.ndarray, "h w 2"], told: Float[np.ndarray, "h w 2"]) -> float:
    return float(np.square(said - told).sum(-1).mean())


def _variance(one: Lesson) -> float:
    """Of the colours, squared ab units, mean over the picture."""
    probs = one.probs.astype(np.float32)
    mean = probs @ BIN_CENTRES
    return float((probs @ np.square(BIN_CENTRES).sum(-1) - np.square(mean).sum(-1)).mean())
