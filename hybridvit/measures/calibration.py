"""Whether a model's confidence means what it says: one temperature, reliability, expected calibration error.

The confidence is the gate's (`objectives.consistency`): the probability that the colour lies within `radius` ab units
of the distribution's annealed mean. It is calibrated if that is how often the truth does. One temperature divides all
logits (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2); the calibration error is theirs too
(section 2), in bins of equal width. Logits are those without the weights of the bin loss, one row a cell.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from hybridvit.color import bins

SHARPEST, FLATTEST = 0.2, 5.0  # temperatures that are looked at
BINS = 10  # of confidence
BLOCK = 2**14  # cells at once


class Reliability(NamedTuple):
    """By bin of confidence, those that occur; `share` adds up to 1."""

    confidence: Float[np.ndarray, "k"]
    frequency: Float[np.ndarray, "k"]
    share: Float[np.ndarray, "k"]

    @property
    def error(self) -> float:
        """Expected calibration error, 0..1."""
        return float(np.sum(self.share * np.abs(self.confidence - self.frequency)))


def fit_temperature(logits: Float[np.ndarray, "n 313"], truth: Int[np.ndarray, "n"]) -> float:
    """The temperature under which the true bins are likeliest."""

    def loss(log_temperature: float) -> float:
        return -float(mean_log_likelihood(logits, truth, np.exp(log_temperature)))

    bounds = (np.log(SHARPEST), np.log(FLATTEST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def mean_log_likelihood(
    logits: Float[np.ndarray, "n 313"], truth: Int[np.ndarray, "n"], temperature: float = 1.0
) -> float:
    """Of the true bins, in nats."""
    total = 0.0
    for start in range(0, len(logits), BLOCK):
        part, bin_ = logits[start : start + BLOCK] / temperature, truth[start : start + BLOCK]
        chosen = np.take_along_axis(part, bin_[:, None], -1)[:, 0]
        total += float(np.sum(chosen - np.asarray(jax.nn.logsumexp(part, -1))))
    return total / len(logits)


def reliability(
    logits: Float[np.ndarray, "n 313"], ab: Float[np.ndarray, "n 2"], radius: float, temperature: float = 1.0
) -> Reliability:
    """How often the true `ab` (CIE units) lies within `radius` of the mean, by what was said of that."""
    parts = [
        _judge(logits[start : start + BLOCK] / temperature, ab[start : start + BLOCK], radius)
        for start in range(0, len(logits), BLOCK)
    ]
    confidence, hit = (np.concatenate(values) for values in zip(*parts, strict=True))
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    count = np.bincount(which, minlength=BINS)
    there = count > 0
    means = (np.bincount(which, weights=x, minlength=BINS)[there] / count[there] for x in (confidence, hit))
    return Reliability(*means, count[there] / len(logits))


@functools.partial(jax.jit, static_argnums=2)
def _judge(logits: jax.Array, ab: jax.Array, radius: float) -> tuple[jax.Array, jax.Array]:
    mean = bins.annealed_mean(logits)
    return bins.radial_mass(jax.nn.softmax(logits), mean, radius), jnp.linalg.norm(
        ab - mean, axis=-1
    ) <= radius
