"""The evaluation step: a pure function, jitted by its callers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.color import bins
from hybridvit.objectives import bin_cross_entropy
from hybridvit.training.state import Networks


class Evaluated(NamedTuple):
    """What a model makes of a picture; the last two are None of a generator without a distribution.

    `rgb` is drawn from `chroma`; `logits` are calibrated (the weights of the bin loss taken off); `confidence`, 0..1,
    is their radial mass.
    """

    rgb: Float[Array, "b h w 3"]
    chroma: Float[Array, "b h w c"]
    logits: Float[Array, "b h8 w8 q"] | None
    confidence: Float[Array, "b h8 w8"] | None


def make_eval_step(
    networks: Networks, config: ConfigDict
) -> Callable[[Any, Array | None, Array, Array | None], Evaluated]:
    """`(variables, bin_prior [313] or None, luma, hints) -> Evaluated`, from the whole config.

    The confidence is the mass within `config.consistency.radius` (ab units) of the distribution's annealed mean.
    """

    def eval_step(variables: Any, bin_prior: Array | None, luma: Array, hints: Array | None) -> Evaluated:
        prediction = networks.generate(variables, luma, hints)
        rgb = networks.task.draw(luma, prediction.chroma)
        if prediction.bins is None:
            return Evaluated(rgb, prediction.chroma, None, None)
        logits = prediction.bins - bin_cross_entropy.log_rarity(bin_prior, config.bins)
        mean = bins.annealed_mean(logits)
        confidence = bins.radial_mass(jax.nn.softmax(logits), mean, config.consistency.radius)
        return Evaluated(rgb, prediction.chroma, logits, confidence)

    return eval_step
