"""A model that is told something of one photograph's colours from outside: it holds some likelier, others less.

What is told is added to the logarithms of its probabilities; mean and vivid colours follow, brought to the view along
its edges. Where nothing is told, nothing changes, to the bit.
"""

import hashlib
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from PIL import Image

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.inference.decode import vivid_ab
from hybridvit.inference.predictor import Hints, Predicted, Predictor
from hybridvit.inference.reach import to_view
from hybridvit.inference.sampling import probabilities
from hybridvit.models.prediction import Prediction


class Told:
    """A `Predict` for one photograph, of which `told` says how much likelier the bins are, on a grid over its view.

    `about` is written into results, under "album".
    """

    def __init__(
        self, predictor: Predictor, told: Float[np.ndarray, "rows columns 313"], about: dict[str, Any]
    ):
        self._predictor, self._told = predictor, told.astype(np.float32)
        self.name = predictor.name
        digest = hashlib.sha256(f"{predictor.digest} {told.shape}".encode())
        digest.update(np.ascontiguousarray(told, np.float16).data)
        self.digest = digest.hexdigest()
        self.provenance = {**predictor.provenance, "album": about}

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        """As the model with what is told; L is 0..100."""
        found = self._predictor(L, hints)
        told = _resized(self._told, *found.logits.shape[1:3])
        logits = found.logits + told
        mean = np.stack([_moved(*one) for one in zip(found.mean, found.logits, logits, L, strict=True)])
        if found.vivid is None:
            return Predicted(mean, None, logits)
        prediction = Prediction(jnp.asarray(mean / CHROMA_SCALE), jnp.asarray(logits))
        vivid = np.asarray(vivid_ab(prediction, self._predictor.log_rarity))
        same = (mean == found.mean).all(-1, keepdims=True)
        return Predicted(mean, np.where(same, found.vivid, vivid), logits)


def _moved(
    mean: Float[np.ndarray, "h w 2"],
    before: Float[np.ndarray, "h8 w8 313"],
    after: Float[np.ndarray, "h8 w8 313"],
    L: Float[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w 2"]:
    """The mean colours by as much nearer to those of the new distribution as it is another one (total variation)."""
    was, now = (probabilities(logits) for logits in (before, after))
    new = np.where((before == after).all(-1), 0, np.abs(now - was).sum(-1) / 2)
    old = was @ BIN_CENTRES
    shift = np.where(new[..., None] > 0, now @ BIN_CENTRES - old, 0)
    if not new.any():
        return mean
    planes = to_view(np.moveaxis(np.dstack([shift, new, new[..., None] * old]), -1, 0), L).astype(np.float32)
    share = np.clip(planes[2], 0, 1)[..., None]
    return mean + np.moveaxis(planes[:2] + planes[3:], 0, -1) - share * mean


def _resized(x: Float[np.ndarray, "r c n"], height: int, width: int) -> Float[np.ndarray, "h w n"]:
    if x.shape[:2] == (height, width):
        return x
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in np.moveaxis(x, -1, 0)
    ]
    return np.stack(planes, -1)
