"""Two batches as one, for one pass through the network."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hybridvit.models.prediction import Prediction


def interleave(first: Float[Array, "m ..."], second: Float[Array, "n ..."]) -> Float[Array, "mn ..."]:
    """Joins two batches in equal groups of both, so that no picture changes its device (a concatenation would)."""
    groups = math.gcd(len(first), len(second))
    parts = [x.reshape(groups, -1, *x.shape[1:]) for x in (first, second)]
    return jnp.concatenate(parts, 1).reshape(-1, *first.shape[1:])


def separate(both: Prediction, m: int, n: int) -> tuple[Prediction, Prediction]:
    """Undoes `interleave` of `m` and `n` pictures."""
    groups = math.gcd(m, n)
    grouped = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), both)
    first = jax.tree.map(lambda x: x[:, : m // groups].reshape(m, *x.shape[2:]), grouped)
    second = jax.tree.map(lambda x: x[:, m // groups :].reshape(n, *x.shape[2:]), grouped)
    return first, second
