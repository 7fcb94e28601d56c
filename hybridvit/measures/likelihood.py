"""How likely a model holds the true colours: a proper score, which neither dull nor garish colours can game.

Of each cell of the distribution (8 x 8 px) the truth is the bin nearest to the cell's mean colour; its log-likelihood
is in nats, 0 at best. `logits` are calibrated: those of a network less the log of the weights it was trained with
(`bins.rebalancing_weights`). The balanced one weighs each cell by the rarity of its bin among the pictures measured,
lambda 0.5, as Zhang et al. 2016 (section 2.2) weigh their loss.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hybridvit.color import bins
from hybridvit.color.lab import CHROMA_SCALE

LIKELIHOODS = ("log_likelihood", "log_likelihood_balanced")
UNIFORM_MIX = 0.5  # lambda of the balanced score


class Cells(NamedTuple):
    """The bin of the truth in each cell, and its log-likelihood."""

    truth: Int[Array, "b h8 w8"]
    log_likelihood: Float[Array, "b h8 w8"]


def score_cells(logits: Float[Array, "b h8 w8 313"], chroma: Float[Array, "b h w 2"]) -> Cells:
    """Of calibrated logits, under the true chroma (1 = 110 ab units)."""
    truth = true_bins(chroma)
    chosen = jnp.take_along_axis(logits, truth[..., None], -1)[..., 0]
    return Cells(truth, chosen - jax.nn.logsumexp(logits, -1))


def true_bins(chroma: Float[Array, "b h w 2"]) -> Int[Array, "b h8 w8"]:
    """The bin of each cell's mean colour."""
    return bins.nearest_bin(bins.pool(chroma) * CHROMA_SCALE)


def summarize(cells: Cells) -> dict[str, Float[np.ndarray, "b"]]:
    """Mean over each picture's cells; the weights of the balanced one have mean 1 over all cells."""
    truth, log_likelihood = (np.asarray(part) for part in cells)
    weights = rarity(truth)[truth]
    means = (log_likelihood.mean((1, 2)), (weights * log_likelihood).mean((1, 2)))
    return dict(zip(LIKELIHOODS, means, strict=True))


def rarity(truth: Int[np.ndarray, "*shape"]) -> Float[np.ndarray, "313"]:
    """The weight of each bin, from how often it occurs."""
    shares = np.bincount(truth.ravel(), minlength=bins.NUM_BINS) / truth.size
    return np.asarray(bins.rebalancing_weights(jnp.asarray(shares, jnp.float32), UNIFORM_MIX))
