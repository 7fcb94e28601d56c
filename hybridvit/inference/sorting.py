"""Which hints the model is given, and what becomes of the others.

- One that the model holds possible, or that reaches all of the picture, is given to it.
- One that only confirms what is shown says nothing new of the rest: it keeps its own pixels as they are. As soon as
  there is news, it is given to the model with that, to hold its place.
- One that contradicts the model is laid over its thing in full (`bounded`), and doubted elsewhere: what the model makes
  of it there counts as far as it stays below what is seen at once, and the less the less likely the hint was. Each
  further one counts on top, and all the more the nearer its reach comes to the whole picture. But where the model takes
  it for the tone of all of the picture (`is_tone`; a brown print), all of that counts.
- One that does not reach its whole thing is laid over alone.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from hybridvit.hints.shapes import HERE, PICTURE, Hint
from hybridvit.inference.composition import compose_ab

AGREES = (
    0.15  # of the likelihood of the model's own colour: a hint of a likelier colour does not contradict it
)
FAINT = (
    4.9  # ab units: below 5 a change is hardly seen, and worth half of what the model would gain by all of it
)
CONFIRMS = 3.0  # ab units from the colour that is shown: the same colour
# Of what hints change at their places, mean of the picture: below, a thing's colour; above, a tone of all
TONE = (0.3, 0.4)
_TRUST = 1 / 8  # power of the likelihood
_PIXELS = 16  # of a hint, evenly spread, that are compared


class Sorted(NamedTuple):
    """Hints in their order: given to the model; laid over; and of these, the ones that it is given with doubt.

    `most`, ab units, is how far the doubted ones may move what they are not laid over.
    """

    given: tuple[Hint, ...]
    bounded: tuple[Hint, ...] = ()
    doubted: tuple[Hint, ...] = ()
    most: float = 0.0


def sort_hints(
    hints: Sequence[Hint], agreements: Sequence[float], confirms: Callable[[Hint], bool]
) -> Sorted:
    """By how far each agrees with the model (`reach.agreement`; infinite: it is given anyway; -1: it never is)."""
    least = least_agreement(agreements)
    both = list(zip(hints, agreements, strict=True))
    given = tuple(hint for hint, agreement in both if agreement >= least)
    doubted = [(hint, agreement) for hint, agreement in both if 0 <= agreement < least]
    bounded = tuple(hint for hint, agreement in both if agreement < least)
    if all(map(confirms, given)):
        here = [dataclasses.replace(hint, reach=HERE) if a >= least else hint for hint, a in both]
        given, bounded = (), tuple(here)
    most = sum(_most(hint, agreement) for hint, agreement in doubted)
    return Sorted(given, bounded, tuple(hint for hint, _ in doubted), most)


def least_agreement(agreements: Sequence[float]) -> float:
    """From which of these on hints are given to the model.

    The more of them agree, the better they hold the picture, and the less another one can do elsewhere: then it may say
    what is less likely. Of ten true colours one contradicts the model, and is right.
    """
    agreeing = sum(agreement >= AGREES for agreement in agreements)
    return AGREES / max(1, agreeing) ** 3


def limited(change: Float[np.ndarray, "h w 2"], most: float) -> Float[np.ndarray, "h w 2"]:
    """No vector of it longer than `most`."""
    length = np.hypot(change[..., 0], change[..., 1])
    return change * np.minimum(1, most / np.maximum(length, 1e-6))[..., None]


def is_tone(change: Float[np.ndarray, "h w 2"], news: Float[np.ndarray, "n 2"]) -> float:
    """Whether what the model makes of hints is a tone of all of the picture rather than a thing's colour, 0..1.

    `change` is what it makes of them; `news`, how far their own pixels were told to change: compared are mean lengths.
    """
    if not len(news):
        return 0.0
    far, told = (float(np.linalg.norm(x, axis=-1).mean()) for x in (change, news))
    x = min(max((far / max(told, 1e-6) - TONE[0]) / (TONE[1] - TONE[0]), 0.0), 1.0)
    return x * x * (3 - 2 * x)


def is_shown(
    L: Float[np.ndarray, "h w"],
    shown: Float[np.ndarray, "h w 2"],
    own: Bool[np.ndarray, "h w"],
    ab: Float[np.ndarray, "2"],
) -> bool:
    """Whether half of a hint's own pixels (at least one) show its colour `ab`, by `shown` or what the gamut leaves."""
    some = np.linspace(0, np.count_nonzero(own) - 1, _PIXELS).astype(
        int
    )  # always as many: it is compiled once
    L, shown = L[own][some], shown[own][some]
    seen = np.stack([shown, compose_ab(L, shown)])
    return bool((np.linalg.norm(seen - ab, axis=-1).min(0) <= CONFIRMS).mean() >= 0.5)


def _most(hint: Hint, agreement: float) -> float:
    """THING counts once, PICTURE without end."""
    nearer = 2 * (PICTURE - hint.reach)
    return FAINT * hint.strength * min(1, agreement / AGREES) ** _TRUST / max(nearer, 1e-6)
