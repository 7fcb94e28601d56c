"""A model that is told something of one photograph's colours from outside: it holds some likelier, others less.

What is told is added to the logarithms of its probabilities. Mean colours go to those of the new distribution as far as
it is another one, brought to the view along its edges; vivid colours follow. Where nothing is told, nothing changes.
"""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference.decode import MOST, PIVOT, POWER, RARITY, TEMPERATURE
from hybridvit.inference.predictor import STRIDE, Hints, Predicted, Predictor
from hybridvit.inference.reach import to_view
from hybridvit.models.blocks import interpolation_matrix

_GO = 2.0  # power: where half of a distribution is another one, mean colours go three quarters of the way


class Seen(NamedTuple):
    """What the model said of the photograph without hints, when it was described: it need not be asked again."""

    L: bytes  # `digest_of` the lightness
    mean: Float[np.ndarray, "h w 2"]
    logits: Float[np.ndarray, "h8 w8 313"]


class Told:
    """A `Predict` for one photograph, of which `told` says how much likelier the bins are, on a grid over its view.

    `digest` is of what that was found from; `about` is written into results, under "album".
    """

    def __init__(
        self,
        predictor: Predictor,
        told: Float[np.ndarray, "rows columns 313"],
        digest: str,
        about: dict[str, Any],
        seen: Seen | None = None,
    ):
        self._predictor, self._told, self._seen = predictor, told.astype(np.float32), seen
        self.name = predictor.name
        self.digest = hashlib.sha256(f"{predictor.digest} {digest}".encode()).hexdigest()
        self.provenance = {**predictor.provenance, "album": about}

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        """As the model with what is told; L is 0..100."""
        mean, _, logits = self._alone(L, hints)
        after = logits + _resized(self._told, *logits.shape[1:3])
        probs = _probabilities(after)
        mean = np.stack([_moved(*one) for one in zip(mean, logits, after, probs, L, strict=True)])
        if hints is not None:
            return Predicted(mean, None, after)
        rarity = self._predictor.log_rarity
        assert rarity is not None  # of a model that says which colours are likely
        return Predicted(
            mean, np.stack([_vivid(*one, rarity) for one in zip(mean, after, probs, strict=True)]), after
        )

    def _alone(self, L: Float[np.ndarray, "b h w"], hints: Hints | None) -> Predicted:
        seen = self._seen
        if hints is None and seen is not None and len(L) == 1 and digest_of(L[0]) == seen.L:
            return Predicted(seen.mean[None].astype(np.float32), None, seen.logits[None].astype(np.float32))
        return self._predictor(L, hints)


def digest_of(L: Float[np.ndarray, "h w"]) -> bytes:
    """Of a view's lightness."""
    return hashlib.sha256(f"{L.shape}".encode() + np.ascontiguousarray(L, np.float32).tobytes()).digest()


def _moved(
    mean: Float[np.ndarray, "h w 2"],
    before: Float[np.ndarray, "h8 w8 313"],
    after: Float[np.ndarray, "h8 w8 313"],
    probs: Float[np.ndarray, "h8 w8 313"],
    L: Float[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w 2"]:
    """The mean colours by as much nearer to those of the new distribution as it is another one (total variation)."""
    changed = (before != after).any(-1)
    if not changed.any():
        return mean
    new, old, shift = (np.zeros((*changed.shape, n), np.float32) for n in (1, 2, 2))
    was, now = _probabilities(before[changed]), probs[changed]
    new[changed] = 1 - (1 - np.abs(now - was).sum(-1, keepdims=True) / 2) ** _GO
    old[changed] = was @ BIN_CENTRES
    shift[changed] = (now - was) @ BIN_CENTRES
    planes = to_view(np.moveaxis(np.dstack([shift + new * old, new]), -1, 0), L).astype(np.float32)
    return mean + np.moveaxis(planes[:2], 0, -1) - np.clip(planes[2], 0, 1)[..., None] * mean


def _vivid(
    mean: Float[np.ndarray, "h w 2"],
    logits: Float[np.ndarray, "h8 w8 313"],
    probs: Float[np.ndarray, "h8 w8 313"],
    log_rarity: Float[np.ndarray, "313"],
) -> Float[np.ndarray, "h w 2"]:
    """As `decode.vivid_ab`, of which a program would have to be compiled for each shape."""
    sharp = _probabilities((logits + np.float32(RARITY) * log_rarity) / np.float32(TEMPERATURE))
    rows, columns = mean.shape[:2]
    towards = (sharp - probs) @ BIN_CENTRES
    cells = towards.shape[:2]
    up = [interpolation_matrix(n, STRIDE)[:size] for n, size in zip(cells, (rows, columns), strict=True)]
    planes = up[0] @ np.moveaxis(towards, -1, 0) @ up[1].T
    ab = mean + np.moveaxis(planes, 0, -1)
    chroma = np.sqrt(np.square(ab[..., 0]) + np.square(ab[..., 1]))
    return ab * np.minimum((chroma / np.float32(PIVOT)) ** np.float32(POWER), np.float32(MOST))[..., None]


def _resized(x: Float[np.ndarray, "r c n"], height: int, width: int) -> Float[np.ndarray, "h w n"]:
    """As Pillow's bilinear resize of each plane, all of them at once."""
    rows, columns, planes = x.shape
    tall = (_bilinear(height, rows) @ x.reshape(rows, -1)).reshape(height, columns, planes)
    return _bilinear(width, columns) @ tall


def _bilinear(new: int, old: int) -> Float[np.ndarray, "new old"]:
    """Weights of the old cells in the new ones."""
    reach = max(1.0, old / new)
    middles = (np.arange(new)[:, None] + 0.5) * old / new
    weights = np.maximum(0, 1 - np.abs(np.arange(old) + 0.5 - middles) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def _probabilities(logits: Float[np.ndarray, "*n 313"]) -> Float[np.ndarray, "*n 313"]:
    """In float32, in a third of the time that `sampling.probabilities` takes."""
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)
