"""A model that is told something of one photograph's colours from outside: it holds some likelier, others less.

What is told is added to the logarithms of its probabilities; mean and vivid colours follow, brought to the view along
its edges. Where nothing is told, nothing changes, to the bit.
"""

import hashlib
from typing import Any

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
        changed = np.abs(told).max(-1) > 0
        shift = np.where(changed[..., None], _means(logits) - _means(found.logits), 0)
        planes = [to_view(np.moveaxis(one, -1, 0), seen) for one, seen in zip(shift, L, strict=True)]
        mean = (found.mean + np.moveaxis(np.stack(planes), 1, -1)).astype(np.float32)
        if found.vivid is None:
            return Predicted(mean, None, logits)
        vivid = np.asarray(vivid_ab(Prediction(mean / CHROMA_SCALE, logits), self._predictor.log_rarity))
        same = (mean == found.mean).all(-1, keepdims=True)
        return Predicted(mean, np.where(same, found.vivid, vivid), logits)


def _means(logits: Float[np.ndarray, "b h8 w8 313"]) -> Float[np.ndarray, "b h8 w8 2"]:
    return np.stack([probabilities(one) @ BIN_CENTRES for one in logits])


def _resized(x: Float[np.ndarray, "r c n"], height: int, width: int) -> Float[np.ndarray, "h w n"]:
    if x.shape[:2] == (height, width):
        return x
    planes = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in np.moveaxis(x, -1, 0)
    ]
    return np.stack(planes, -1)
