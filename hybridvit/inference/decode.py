"""From a prediction to the one chroma that is shown: the mean, or a vivid one.

The mean errs least and is dull, for it averages the colours that a thing may have. The vivid decode goes from it
towards the likelier colours, in two steps. The distribution over bins knows the colours apart: with rare ones weighted
up by a third and sharpened by a temperature, its mean lies nearer to the likeliest of them (the annealed mean of Zhang
et al. 2016, section 2.3); by how far that is from its plain mean, the prediction is moved, so edges stay the
prediction's. Then chroma is stretched by a power: what the model is sure of and coloured becomes more so, what is
nearly gray turns gray, and the picture errs less in CIEDE2000 than if all of it were scaled.

The constants were chosen on photographs held out of the released weights' training, to reach nine tenths of the
truth's colorfulness at the least CIEDE2000, which is still below that of the gray picture.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.models.blocks import upsample
from hybridvit.models.prediction import Prediction

TEMPERATURE = 0.6
RARITY = 0.35  # share of the training's weights of rare bins
POWER = 0.65
PIVOT = 10.0  # ab units: chroma above it is raised, chroma below it lowered
MOST = 2.0  # times: what is vivid already is not raised further
KNOWN = (
    8.0  # ab units: where hints move the mean by more, they know the colour, and nothing is made more vivid
)
STRIDE = 8  # of the bins


def mean_ab(prediction: Prediction) -> Float[Array, "b h w 2"]:
    """The expected colour, ab in CIE units."""
    return prediction.chroma * CHROMA_SCALE


def vivid_ab(
    prediction: Prediction, log_rarity: Float[np.ndarray, "313"] | Float[Array, "313"]
) -> Float[Array, "b h w 2"]:
    """A vivid colour, ab in CIE units, from a prediction whose bins are calibrated (`Weights.log_rarity`)."""
    _, height, width, _ = prediction.chroma.shape
    likely = bins.annealed_mean(prediction.bins + RARITY * log_rarity, TEMPERATURE)
    towards = likely - bins.annealed_mean(prediction.bins, 1.0)
    ab = mean_ab(prediction) + upsample(towards, STRIDE)[:, :height, :width]
    chroma = jnp.linalg.norm(ab, axis=-1, keepdims=True)
    return ab * jnp.minimum((chroma / PIVOT) ** POWER, MOST)


def with_hints(
    mean: Float[np.ndarray, "*b h w 2"],
    free_mean: Float[np.ndarray, "*b h w 2"],
    free_vivid: Float[np.ndarray, "*b h w 2"],
) -> Float[np.ndarray, "*b h w 2"]:
    """The mean given hints, made as vivid as without them (`free`) where they say nothing.

    What is left of the way from the free mean to its vivid colour is gone, as far as hints do not lead elsewhere.
    """
    way, moved = free_vivid - free_mean, mean - free_mean
    (way_a, way_b), (a, b) = np.moveaxis(way, -1, 0), np.moveaxis(moved, -1, 0)
    length = np.maximum(way_a * way_a + way_b * way_b, 1e-6)
    gone = np.clip((a * way_a + b * way_b) / length, 0, 1)
    aside = np.hypot(a - gone * way_a, b - gone * way_b)
    return mean + ((1 - gone) * np.exp(aside * np.float32(-1 / KNOWN)))[..., None] * way
