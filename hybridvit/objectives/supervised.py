"""Supervised chroma regression."""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float


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
