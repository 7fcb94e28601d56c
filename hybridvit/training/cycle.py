"""CycleGAN (Zhu et al. 2017): what it has beside a generator of colours, and its image pool.

Gray and colour pictures do not correspond. Beside the generator of colours from gray stands one of gray from colours,
and a discriminator for each kind of picture; the step (`cycle_step`) trains all four. Colour pictures are RGB and gray
ones luma, both -1..1.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.models.discriminator import build_discriminator
from hybridvit.models.generator import build_generator

# Generators for which hints are further channels of the input, and no more: they can be given colours
FROM_COLOR = ("ResNetGenerator", "UNet", "UNetPlusPlus", "UNet3Plus", "LinkNet", "R2UNet")

Pool = dict[str, Array]  # pictures [size, h, w, c], count int32 []


class Cycle(NamedTuple):
    """The way back, as pure functions over dict pytrees.

    `init` gives `params`, `stats`, `disc_params`, `disc_stats` and the pools `color_pool` and `gray_pool`.
    """

    # params, stats, colours, key -> gray, stats; as in training
    to_gray: Callable[[Any, Any, Array, Array], tuple[Array, Any]]
    judge_gray: Callable[[Any, Any, Array], tuple[Array, Any]]  # params, stats, gray -> logits, stats
    init: Callable[[Array], dict[str, Any]]


def build_cycle(config: ConfigDict, channels: int) -> Cycle:
    """The way back from colours of so many channels, from the whole config.

    Raises ValueError for a generator that does not take colours.
    """
    if config.model.name not in FROM_COLOR:
        raise ValueError(
            f"config.model.name={config.model.name!r} cannot be given colours, as the way back of config.cycle "
            f"needs: choose one of {', '.join(FROM_COLOR)}"
        )
    generator = build_generator(config.model, 1, hint_channels=channels - 1)
    discriminator = build_discriminator(config.adversarial, 1, config.model.dtype)
    size = config.data.image_size

    def to_gray(params: Any, stats: Any, colors: Array, key: Array) -> tuple[Array, Any]:
        prediction, stats = generator.train_forward(params, stats, colors[..., :1], colors[..., 1:], key)
        return prediction.chroma, stats

    def init(key: Array) -> dict[str, Any]:
        generator_key, discriminator_key = jax.random.split(key)
        params, stats = generator.init(generator_key)
        disc_params, disc_stats = discriminator.init(discriminator_key)
        return {
            "params": params,
            "stats": stats,
            "disc_params": disc_params,
            "disc_stats": disc_stats,
            "color_pool": empty_pool(config.cycle.pool_size, size, channels),
            "gray_pool": empty_pool(config.cycle.pool_size, size, 1),
        }

    return Cycle(to_gray, discriminator.judge, init)


def empty_pool(count: int, size: int, channels: int) -> Pool:
    """A pool for `count` pictures of `size` px."""
    return {"pictures": jnp.zeros((count, size, size, channels)), "count": jnp.int32(0)}


def query_pool(
    key: Array, pool: Pool, pictures: Float[Array, "b h w c"]
) -> tuple[Float[Array, "b h w c"], Pool]:
    """What the discriminator is shown for `pictures`, and the pool afterwards (Shrivastava et al. 2017, section 2.3).

    One picture after the other: until the pool is full each is stored and shown; then half of them are shown, and each
    of the others takes the place of a stored one, which is shown.
    """
    size = len(pool["pictures"])
    swap_key, slot_key = jax.random.split(key)
    swaps = jax.random.bernoulli(swap_key, 0.5, (len(pictures),))
    slots = jax.random.randint(slot_key, (len(pictures),), 0, size)

    def show(pool: tuple[Array, Array], drawn: tuple[Array, Array, Array]) -> tuple[tuple, Array]:
        (stored, count), (picture, swap, slot) = pool, drawn
        full = count == size
        slot = jnp.where(full, slot, count)
        old = stored[slot]
        stored = stored.at[slot].set(jnp.where(full & ~swap, old, picture))
        return (stored, jnp.minimum(count + 1, size)), jnp.where(full & swap, old, picture)

    start = (pool["pictures"], pool["count"])
    (stored, count), shown = jax.lax.scan(show, start, (pictures, swaps, slots))
    return shown, {"pictures": stored, "count": count}
