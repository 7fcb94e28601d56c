"""Supervised chroma regression."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.models.prediction import Prediction
from hybridvit.objectives.ssim_loss import l1_ssim_loss
from hybridvit.objectives.term import Metrics, Networks, Prepared, Seen, Term

LOSSES: dict[str, Callable] = {  # of `config.supervised.loss`: (chroma, truth, delta) -> scalar
    "huber": lambda chroma, truth, delta: chroma_loss(chroma, truth, delta),
    "l1": lambda chroma, truth, delta: jnp.mean(jnp.abs(chroma - truth)),  # pix2pix (Isola et al. 2017)
    "l2": lambda chroma, truth, delta: jnp.mean(jnp.square(chroma - truth)),
    "l1_ssim": lambda chroma, truth, delta: l1_ssim_loss(chroma, truth),  # HSCAU-Net
}


def make_term(networks: Networks, config: ConfigDict, restoring: bool) -> Term | None:
    """The labeled pictures' chroma, from the whole config; with a weight of 0 it is still logged."""
    if restoring:
        return None

    def loss(own: Any, truth: Array, seen: Seen) -> tuple[Array, Metrics]:
        value = supervised_loss(seen.labeled, truth, config.supervised)
        return config.supervised.weight * value, {"loss/chroma": value}

    return Term(lambda state, material: Prepared(material.target), loss)


def supervised_loss(
    prediction: Prediction, truth: Float[Array, "b h w c"], config: ConfigDict
) -> Float[Array, ""]:
    """The loss of `config.supervised`, averaged over the chroma and its side outputs (deep supervision)."""
    loss = LOSSES[config.loss]
    outputs = (prediction.chroma, *prediction.side_outputs)
    return sum(loss(output, truth, config.delta) for output in outputs) / len(outputs)


def chroma_loss(
    chroma: Float[Array, "b h w c"],
    truth: Float[Array, "b h w c"],
    delta: float,
    weight: Float[Array, "b h w 1"] | None = None,
) -> Float[Array, ""]:
    """Huber loss over the chroma channels' sum, divided by `delta` so that far errors cost their absolute value.

    iColoriT (Yun et al. 2023, section 3.3) uses the same loss. `weight` (0..1) multiplies each pixel; the mean is over
    all pixels, so a gate that lets few pixels through also speaks softly.
    """
    loss = optax.losses.huber_loss(chroma, truth, delta=delta).sum(-1, keepdims=True) / delta
    return jnp.mean(loss if weight is None else loss * weight)
