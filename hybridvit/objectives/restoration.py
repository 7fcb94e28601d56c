"""What an aged grayscale picture teaches about itself: the generator's features must give back the luma before ageing.

An auxiliary objective, as in denoising autoencoders (Vincent et al. 2008): no colour is needed, so every picture, gray
or colour, tells the encoder what edges, textures and things look like under their damage. One linear map over the last
features at 1/4 draws the picture; it belongs to training alone, and no released weights hold it.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.models.blocks import depth_to_space
from hybridvit.objectives.joint_batch import interleave
from hybridvit.objectives.term import Material, Metrics, Networks, Prepared, Seen, State, Term

FACTOR = 4  # of the features' grid


def make_term(networks: Networks, config: ConfigDict, restoring: bool) -> Term | None:
    """All pictures' undamaged luma, from the whole config; the first `pretrain_steps` learn nothing else."""
    if networks.restorer is None:
        return None

    def prepare(state: State, material: Material) -> Prepared:
        keys = jax.random.split(material.labeled_key, len(material.target))
        whole = networks.task.examine(keys, material.pictures)
        return Prepared(interleave(whole.luma, material.gray))

    def loss(own: Any, undamaged: Array, seen: Seen) -> tuple[Array, Metrics]:
        value = restoration_loss(own, seen.features, undamaged)
        return config.restoration.weight * value, {"loss/restoration": value}

    return Term(prepare, loss, own="restorer", needs_gray=True)


def init_restoration(key: Array, width: int) -> dict[str, Any]:
    """The map's parameters, for features of `width` channels."""
    kernel = jax.random.normal(key, (width, FACTOR**2), jnp.float32) * width**-0.5
    return {"kernel": kernel, "bias": jnp.zeros(FACTOR**2, jnp.float32)}


def restore_luma(
    params: dict[str, Any], features: Float[Array, "b h4 w4 c"], height: int, width: int
) -> Float[Array, "b h w 1"]:
    """The picture that the features hold, cropped to `height` x `width`."""
    luma = depth_to_space(features.astype(jnp.float32) @ params["kernel"] + params["bias"], FACTOR)
    return luma[:, :height, :width]


def restoration_loss(
    params: dict[str, Any], features: Float[Array, "b h4 w4 c"], luma: Float[Array, "b h w 1"]
) -> Float[Array, ""]:
    """Mean absolute error against the undamaged `luma`, -1..1."""
    return jnp.mean(jnp.abs(restore_luma(params, features, *luma.shape[1:3]) - luma))
