"""The 313 ab bins of Zhang, Isola and Efros 2016 (Colorful Image Colorization): encode, decode, weigh.

The bins are the cells of a grid of 10 ab units that lie in the gamut of sRGB, in the order of the paper's
published weights (a outer, b inner). In and out, float32: `ab` [..., 2] in CIE units; `logits` and `probs`
(0..1, sum 1) [..., 313].
Also the chroma rings, a coarse division of colours by how vivid they are, used in logs and thresholds.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

# Of each row of the grid: a, first b, last b.
_ROWS = (
    (-90, 50, 90),
    (-80, 20, 90),
    (-70, 0, 90),
    (-60, -20, 90),
    (-50, -30, 100),
    (-40, -40, 100),
    (-30, -50, 100),
    (-20, -50, 100),
    (-10, -60, 100),
    (0, -70, 100),
    (10, -80, 90),
    (20, -80, 90),
    (30, -90, 90),
    (40, -100, 90),
    (50, -100, 80),
    (60, -110, 80),
    (70, -110, 80),
    (80, -110, 70),
    (90, -110, 70),
    (100, -90, 0),
)
_STEP = 10
FACTOR = 8  # px, the side of a cell that has one distribution

BIN_CENTRES = np.array(
    [(a, b) for a, first, last in _ROWS for b in range(first, last + _STEP, _STEP)], dtype=np.float32
)
NUM_BINS = len(BIN_CENTRES)

RING_EDGES = (5.0, 10.0, 20.0, 30.0, 45.0)  # ab units; ring 0 is below the first, the last has no upper edge
NUM_RINGS = len(RING_EDGES) + 1

# Slack, in squared ab units, of comparing squared distances (up to 10^5). It swallows their rounding, which
# may differ from one compiled loop to the next, so that bins at equal distances are taken together.
_TIE = 1e-2
_RAREST = 1e-6  # of the uniform probability: no bin is weighed as if it were rarer
_SMALLEST_VARIANCE = 1e-6  # squared ab units


def soft_encode(
    ab: Float[Array, "*shape 2"], sigma: float = 5.0, neighbours: int = 5
) -> Float[Array, "*shape 313"]:
    """Distribution over the bins: a Gaussian of width `sigma` (ab units) on the nearest bins (paper, 2.2).

    Bins as far as the last of the `neighbours` nearest are taken too, so that the code is as symmetric as the
    bins around a colour. Colours out of the gamut fall on the bins at its border.
    """
    squared = _squared_distances(ab)
    # Pass by pass to the next greater distance, to to the last neighbour's; top_k is 30 times slower.
    farthest = squared.min(-1, keepdims=True)
    nearest = farthest
    for _ in range(neighbours - 1):
        taken = squared <= farthest + _TIE
        following = jnp.where(taken, jnp.inf, squared).min(-1, keepdims=True)
        farthest = jnp.where(taken.sum(-1, keepdims=True) < neighbours, following, farthest)
    # Relative to the nearest, so that nothing underflows far out of the gamut.
    weights = jnp.exp((nearest - squared) / (2 * sigma**2))
    weights = jnp.where(squared <= farthest + _TIE, weights, 0.0)
    return weights / weights.sum(-1, keepdims=True)


def nearest_bin(ab: Float[Array, "*shape 2"]) -> Int[Array, "*shape"]:
    """Index, int32 in 0..312, of the bin whose centre is nearest; the first of those at equal distances."""
    return _squared_distances(ab).argmin(-1).astype(jnp.int32)


def annealed_mean(logits: Float[Array, "*shape 313"], temperature: float = 0.38) -> Float[Array, "*shape 2"]:
    """Mean ab of the distribution sharpened by `temperature`: 1 the mean, towards 0 the mode (paper, 2.3)."""
    return _mean(jax.nn.softmax(logits / temperature, axis=-1))


def radial_mass(
    probs: Float[Array, "*shape 313"], centre_ab: Float[Array, "*shape 2"], radius: float
) -> Float[Array, "*shape"]:
    """Probability, 0..1, of the bins whose centres are at most `radius` (ab units) from `centre_ab`."""
    within = _squared_distances(centre_ab) <= radius**2
    return jnp.where(within, probs, 0.0).sum(-1)


def spread(probs: Float[Array, "*shape 313"]) -> Float[Array, "*shape"]:
    """Standard deviation, ab units: the root of the expected squared distance to the mean; 0 for one bin."""
    variance = (probs * _squared_distances(_mean(probs))).sum(-1)
    positive = variance > _SMALLEST_VARIANCE
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)


def rebalancing_weights(prior: Float[Array, "313"], uniform_mix: float) -> Float[Array, "313"]:
    """Weights of the bins, 1 / ((1 - mix) prior + mix / 313), with mean 1 over the prior (paper, 2.2).

    The prior sums to 1. `uniform_mix`: 1 weighs all bins alike, 0.5 is the paper's, 0 undoes the prior wholly
    (where a bin that was never seen still gets a finite weight).
    """
    mixed = (1.0 - uniform_mix) * prior + uniform_mix / NUM_BINS
    weights = 1.0 / jnp.maximum(mixed, _RAREST / NUM_BINS)
    return weights / jnp.sum(prior * weights)


def chroma_ring(ab: Float[Array, "*shape 2"]) -> Int[Array, "*shape"]:
    """Ring of each colour, int32 in 0..NUM_RINGS - 1: the number of RING_EDGES that its chroma reaches."""
    squared = jnp.sum(ab**2, axis=-1)
    start = jnp.zeros(squared.shape, jnp.int32)
    return sum(((squared >= edge**2).astype(jnp.int32) for edge in RING_EDGES), start)


def _squared_distances(ab: Float[Array, "*shape 2"]) -> Float[Array, "*shape 313"]:
    """Squared distances of colours to the centres of all bins, by differences: a matmul rounds too much."""
    return (ab[..., 0:1] - BIN_CENTRES[:, 0]) ** 2 + (ab[..., 1:2] - BIN_CENTRES[:, 1]) ** 2


def _mean(probs: Float[Array, "*shape 313"]) -> Float[Array, "*shape 2"]:
    return jnp.matmul(probs, BIN_CENTRES, precision=jax.lax.Precision.HIGHEST)


def pool(x: Float[Array, "b h w c"], factor: int = FACTOR) -> Float[Array, "b hs ws c"]:
    """Mean over squares of `factor` px; the last row and column of squares may be smaller."""
    b, h, w, c = x.shape
    x = jnp.pad(x, ((0, 0), (0, -h % factor), (0, -w % factor), (0, 0)), mode="edge")
    return x.reshape(b, -(-h // factor), factor, -(-w // factor), factor, c).mean((2, 4))
