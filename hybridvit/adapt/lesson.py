"""What a photograph teaches: the colours that the model gives it once it has been told some of them.

Whoever corrects a photograph gives a few points. With them the model colours all of the picture better than without
(five points where it asks for them: 3 to 4 dB), and this is what it shall learn to say unasked. Pictures that nobody
corrected teach that all else stays as it is: of them it shall go on saying what it says now (Li and Hoiem 2016,
learning without forgetting), which needs no colours.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import probabilities


class Lesson(NamedTuple):
    """A view and what shall be said of it; ab in CIE units. `hint_ab` and `hinted` are what it was told."""

    L: Float[np.ndarray, "h w"]
    ab: Float[np.ndarray, "h w 2"]
    probs: Float[np.ndarray, "h8 w8 313"]
    hint_ab: Float[np.ndarray, "h w 2"]
    hinted: Bool[np.ndarray, "h w"]


def lesson_of(canvas: Canvas, recipe: Recipe) -> Lesson:
    """The canvas's own colours with the hints of a recipe; without any, an anchor.

    Its palette and areas are left out: they are wishes for one picture. Raises ValueError of a method without a
    distribution.
    """
    settings = Settings(size=recipe.settings.size, decode="mean", borders=recipe.settings.borders)
    told = Recipe(recipe.hints, settings=settings)
    logits = canvas.logits(told)
    if logits is None:
        raise ValueError(f"{canvas.predictor.name} does not say which colours are likely")
    hint_ab, hinted = canvas.hint_map(told.hints, settings)
    ab = canvas.chroma(told)
    return Lesson(canvas.lightness(settings), ab, probabilities(logits).astype(np.float16), hint_ab, hinted)


def crop(lesson: Lesson, side: int, rng: np.random.Generator) -> Lesson:
    """A random square of it, perhaps mirrored; `side` is a multiple of 8 and no more than its own."""
    top, left = (STRIDE * int(rng.integers((n - side) // STRIDE + 1)) for n in lesson.L.shape)
    whole = slice(top, top + side), slice(left, left + side)
    cells = tuple(slice(one.start // STRIDE, one.stop // STRIDE) for one in whole)
    parts = Lesson(
        lesson.L[whole], lesson.ab[whole], lesson.probs[cells], lesson.hint_ab[whole], lesson.hinted[whole]
    )
    return Lesson(*(part[:, ::-1] for part in parts)) if rng.random() < 0.5 else parts
