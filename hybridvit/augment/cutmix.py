"""CutMix (Yun et al. 2019): pictures learn inside pieces of each other, so that a few are not soon known by heart.

For dense predictions French et al. (2020, "Semi-supervised semantic segmentation needs strong, varied perturbations")
found it to be what consistency needs. Here two pictures of a batch exchange a rectangle of half their area, the
network sees the two collages, and what it predicts is exchanged back: every loss is then of whole pictures, labeled or
not, and knows nothing of it.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

CELL = 8  # px, of the coarsest maps that are exchanged: the bins
AREA = 0.5


def make_exchange(
    key: Key[Array, ""], count: int, height: int, width: int, probability: float
) -> Callable[[Float[Array, "b h w c"]], Float[Array, "b h w c"]]:
    """An exchange among `count` pictures of `height` x `width` px, its own inverse.

    The pictures 0 and 1, 2 and 3, ... give each other the same rectangle of cells, with that probability; without a
    partner the last keeps all. Sides are multiples of 8 px; it takes maps at full resolution, 1/2, 1/4 and 1/8.
    """
    pairs = count // 2
    rows, columns = height // CELL, width // CELL
    side_key, flip_key, top_key, left_key, choice_key = jax.random.split(key, 5)
    # Shares of height and width with the area as their product, either of them as often the longer one
    longer = jax.random.uniform(side_key, (pairs, 1), minval=AREA**0.5, maxval=1.0)
    tall = jax.random.bernoulli(flip_key, 0.5, (pairs, 1))
    high = jnp.where(tall, longer, AREA / longer)

    def span(key: Array, share: Array, cells: int) -> Array:
        """The cells between a random start and the end, `[pairs, cells]`."""
        length = jnp.round(share * cells)
        start = jnp.floor(jax.random.uniform(key, share.shape) * (cells - length + 1))
        cell = jnp.arange(cells)
        return (cell >= start) & (cell < start + length)

    inside = span(top_key, high, rows)[:, :, None] & span(left_key, AREA / high, columns)[:, None]
    inside &= jax.random.bernoulli(choice_key, probability, (pairs, 1, 1))

    def exchange(maps: Array) -> Array:
        size = CELL * maps.shape[1] // height
        mask = jnp.repeat(jnp.repeat(inside, size, 1), size, 2)[:, None, :, :, None]
        paired = maps[: 2 * pairs].reshape(pairs, 2, *maps.shape[1:])  # neighbours, mostly on one device
        exchanged = jnp.where(mask, paired[:, ::-1], paired).reshape(-1, *maps.shape[1:])
        return jnp.concatenate([exchanged, maps[2 * pairs :]]) if count % 2 else exchanged

    return exchange
