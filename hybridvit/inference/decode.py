"""From a prediction to the one chroma that is shown: the mean, or a vivid one.

The mean errs least and is dull, for it averages the colours that a thing may have. The distribution over bins knows
them apart: sharpened by a temperature below 1, its mean moves towards the likeliest of them (the annealed mean of Zhang
et al. 2016, section 2.3). By how far it moves, the mean is moved too; edges and hints stay the mean's, which knows
them best.
"""

from jaxtyping import Array, Float

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.models.blocks import upsample
from hybridvit.models.prediction import Prediction

TEMPERATURE = 0.38
STRIDE = 8  # of the bins


def mean_ab(prediction: Prediction) -> Float[Array, "b h w 2"]:
    """The expected colour, ab in CIE units."""
    return prediction.chroma * CHROMA_SCALE


def vivid_ab(prediction: Prediction, temperature: float = TEMPERATURE) -> Float[Array, "b h w 2"]:
    """The expected colour, moved towards the likeliest, ab in CIE units."""
    _, height, width, _ = prediction.chroma.shape
    towards = bins.annealed_mean(prediction.bins, temperature) - bins.annealed_mean(prediction.bins, 1.0)
    return mean_ab(prediction) + upsample(towards, STRIDE)[:, :height, :width]
