"""A set of weights as a function: lightness and hints at the model's view to chroma and its distribution."""

import threading
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.inference.decode import mean_ab, vivid_ab
from hybridvit.inference.kept import Kept
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import build_generator

BUCKET = 64  # px: views are padded to multiples of it, and compiled once for each padded shape
STRIDE = 8  # px of the view, a cell of the distribution
SEEN_BYTES = 2**24  # of what is seen of the views before: 1.7 MB of one of 256 x 384 px

Hints = tuple[Float[np.ndarray, "b h w 2"], Bool[np.ndarray, "b h w"]]  # ab, and where it is known


class Predicted(NamedTuple):
    """ab in CIE units, float32; `vivid` is None where hints were given; `logits` are calibrated, for cells of 8 px.

    A method without a distribution of colours has no `logits`.
    """

    mean: Float[np.ndarray, "b h w 2"]
    vivid: Float[np.ndarray, "b h w 2"] | None
    logits: Float[np.ndarray, "b h8 w8 313"] | None


@runtime_checkable
class Predict(Protocol):
    """What colours views: a `Predictor`, or a method of `hybridvit.classical`.

    `digest` is of all that its colours depend on beside lightness and hints; `provenance` says in files what it was.
    """

    name: str
    digest: str
    provenance: dict[str, str]

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted: ...


class Predictor:
    """Runs one set of weights; may be called by several threads, which then wait for one another.

    Weights that were trained without the bins know one colour for each place: the mean stands for the vivid one too.
    What a pretrained encoder sees does not depend on the hints: of single views it is kept, and other hints on the same
    view take half the time or less. What is answered does not depend on what was kept.
    """

    def __init__(self, weights: Weights):
        self.name, self.digest = weights.name, weights.digest
        self.provenance = {"model": weights.name, "weights_sha256": weights.digest}
        self._params = jax.device_put(weights.params)
        self.weights = weights._replace(params=self._params)  # in memory once
        self._turn = threading.Lock()  # two runs at once would take longer than one after the other
        self._seen = Kept(SEEN_BYTES, least=1)
        generator = build_generator(at_inference(weights.model))
        log_rarity = weights.log_rarity
        self.log_rarity, self.has_distribution = log_rarity, log_rarity is not None

        def predict(
            params: Any, L: Float[Array, "b h w"], seen: Any, hints: tuple[Array, Array] | None
        ) -> tuple[
            Float[Array, "b h w 2"], Float[Array, "b h w 2"] | None, Float[Array, "b h8 w8 313"] | None
        ]:
            given = None
            if hints is not None:
                ab, mask = hints
                known = mask[..., None].astype(jnp.float32)
                given = jnp.concatenate([ab / CHROMA_SCALE * known, known], -1)
            prediction = generator.paint(params, L[..., None] / 50 - 1, seen, given)
            if log_rarity is None:
                mean = mean_ab(prediction)
                return mean, mean if hints is None else None, None
            prediction = prediction._replace(bins=prediction.bins - log_rarity)
            vivid = vivid_ab(prediction, log_rarity) if hints is None else None
            return mean_ab(prediction), vivid, prediction.bins

        see, describe = generator.see_described, generator.describe
        self._see = see and jax.jit(lambda params, L: see(params, L[..., None] / 50 - 1))
        self._describe = describe and jax.jit(lambda params, L: describe(params, L[..., None] / 50 - 1))
        self._predict = jax.jit(predict)

    def __call__(self, L: Float[np.ndarray, "b h w"], hints: Hints | None = None) -> Predicted:
        """Colours pictures of any height and width at the model's own scale; L is 0..100."""
        height, width = L.shape[1:]
        L, hints = padded(L, hints)
        with self._turn:
            said = self._predict(self._params, L, self._look(L)[0], hints)
            found = (None if x is None else np.asarray(x) for x in said)
        return cropped(Predicted(*found), height, width)

    @property
    def describes(self) -> bool:
        """Whether the weights have an encoder that sees things."""
        return self._describe is not None

    def describe(self, L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h16 w16 d"]:
        """What the encoder sees where, for cells of 16 px of a view that is `padded`; only if it `describes`.

        The model has not to look again at a view that it has just coloured, nor at one that it colours next.
        """
        view = padded(L[None], None)[0]
        with self._turn:
            seen = self._look(view)[1]
            found = self._describe(self._params, view) if seen is None else seen
            return np.asarray(found)[0]

    def _look(self, L: Float[np.ndarray, "b hp wp"]) -> tuple[Any, Any]:
        """What is seen whatever the hints, and described; None where the network does not tell it from them."""
        if self._see is None:
            return None, None
        if len(L) > 1:  # of many pictures, for hints on none of them
            return self._see(self._params, L)
        return self._seen.once((L.shape, L.tobytes()), lambda: self._see(self._params, L))


def padded(
    L: Float[np.ndarray, "b h w"], hints: Hints | None
) -> tuple[Float[np.ndarray, "b hp wp"], tuple[np.ndarray, np.ndarray] | None]:
    """Float32, with pixels on the right and below up to multiples of BUCKET; `cropped` cuts them off again."""
    height, width = L.shape[1:]
    pad = ((0, 0), (0, -height % BUCKET), (0, -width % BUCKET))
    if hints is not None:
        ab, mask = hints
        hints = np.pad(ab.astype(np.float32), (*pad, (0, 0))), np.pad(mask, pad)
    return np.pad(L.astype(np.float32), pad, mode="edge"), hints


def cropped(predicted: Predicted, height: int, width: int) -> Predicted:
    """The prediction for the upper left `height` x `width` px."""
    mean, vivid, logits = predicted
    return Predicted(
        mean[:, :height, :width],
        None if vivid is None else vivid[:, :height, :width],
        None if logits is None else logits[:, : -(-height // STRIDE), : -(-width // STRIDE)],
    )
