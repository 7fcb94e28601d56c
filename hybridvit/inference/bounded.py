"""Hints that keep to their reach, laid over the colours that a picture has without them.

Hints that the model is given, it spreads as it was trained to. The others are laid over its picture: each to the end of
its reach (`reach`), all of them together by inverse distance weights (Shepard 1968), in whatever order they came, and
kept off the things of the hints that the model has.

L is 0..100, ab in CIE units, at the view.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.hints.shapes import THING
from hybridvit.inference import reach

MOST = (
    128  # hints whose things are looked for, evenly spread; of more, the rest change their own pixels alone
)
_POWER = 4.0  # of the inverse distance
_NEAR = 0.05  # of distance, that counts as none
_BIN = 6.0  # ab units: standard deviation of what is known of a colour, once it is given


class Bounded(NamedTuple):
    """What is laid over: a colour, and how much of it, 0..1; on the grid and at the view."""

    weight: Float[np.ndarray, "h w"]
    ab: Float[np.ndarray, "h w 2"]

    def over(self, below: Float[np.ndarray, "h w 2"]) -> Float[np.ndarray, "h w 2"]:
        """The colours with it, float32."""
        weight = self.weight.astype(np.float32)[..., None]
        return (below + weight * (self.ab - below)).astype(np.float32)


class Known(NamedTuple):
    """A hint at the view: its own pixels, its colour, how far it reaches and how strong it is, 0..1 each."""

    own: Bool[np.ndarray, "h w"]
    ab: Float[np.ndarray, "2"]
    reach: float
    strength: float


def lay(
    land: reach.Terrain,
    L: Float[np.ndarray, "h w"],
    hints: Sequence[tuple[Known, Float[np.ndarray, "rows columns"] | None]],
    others: Bool[np.ndarray, "h w"],
) -> Bounded:
    """What hints change, each given with its `distances` (None: it changes its own pixels alone).

    `others` are the own pixels of hints that the model has.
    """
    weight, ab = _things(land, L, [(hint, far) for hint, far in hints if far is not None], others)
    owner = np.full(L.shape, -1)
    for index, (hint, _) in enumerate(hints):  # where they overlap, the later one counts
        owner[hint.own] = index
    edge = reach.soft_edge(L, owner >= 0)
    near = edge.weight > 0
    whose = owner[edge.nearest[0][near], edge.nearest[1][near]]
    strengths, colors = (
        np.array([hint.strength for hint, _ in hints]),
        np.array([hint.ab for hint, _ in hints]),
    )
    share = edge.weight[near] * strengths[whose]
    below = weight[near] * (1 - edge.weight[near])  # a hint's strength is said at its edge
    weight[near] = share + below
    mixed = share[:, None] * colors[whose] + below[:, None] * ab[near]
    ab[near] = mixed / np.maximum(weight[near], 1e-6)[:, None]
    weight[others] = 0
    return Bounded(weight, ab)


def known_bins(ab: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 313"]:
    """What a distribution is where a colour is known."""
    away = np.square(ab[..., None, :] - BIN_CENTRES).sum(-1) / _BIN**2 / 2
    probs = np.exp(away.min(-1, keepdims=True) - away)
    return probs / probs.sum(-1, keepdims=True)


def _things(
    land: reach.Terrain,
    L: Float[np.ndarray, "h w"],
    hints: Sequence[tuple[Known, Float[np.ndarray, "rows columns"]]],
    others: Bool[np.ndarray, "h w"],
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w 2"]]:
    """How much of the hints' colours there is at the view, and which colour."""
    near, mixed = np.zeros_like(land.L), np.zeros((*land.L.shape, 2), np.float32)
    most = np.zeros_like(land.L)
    for hint, far in hints:
        there = reach.within(far, hint.reach)
        pull = there * _pull(far)
        most = np.maximum(most, hint.strength * there)
        near += pull
        mixed += pull[..., None] * hint.ab
    if not near.any():
        return np.zeros_like(L), np.zeros((*L.shape, 2), np.float32)
    ab = mixed / np.maximum(near, 1e-6)[..., None]
    if others.any():
        far = reach.distances(land, others)
        most *= near / np.maximum(near + reach.within(far, THING) * _pull(far), 1e-6)
    if len(hints) == 1:  # the commonest, in a third of the time
        (weight,) = reach.to_view(most[None], L)
        return np.clip(weight, 0, 1), np.broadcast_to(hints[0][0].ab, (*L.shape, 2)).astype(np.float32)
    weight, a, b = reach.to_view(np.stack([most, *np.moveaxis(most[..., None] * ab, -1, 0)]), L)
    scale = np.maximum(weight, 0.05)
    return np.clip(weight, 0, 1), np.stack([a / scale, b / scale], -1)


def _pull(far: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    return (np.minimum(far, 1e3) + _NEAR) ** -_POWER
