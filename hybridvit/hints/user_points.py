"""Hints as the user of Zhang et al. (2017, Real-Time User-Guided Image Colorization, section 3.2) gives them.

Few points, towards the middle of the picture, each a small square of its mean colour; now and then the whole picture,
so that the network learns to keep what it is given. `simulate.simulate_hints` draws more, and from everywhere.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

MOST_POINTS = 64  # a picture is given more once in 5000, and then the first ones


def simulate_points(
    key: Array,
    chroma: Float[Array, "b h w c"],
    allowed: Bool[Array, "b h w 1"] | None = None,
    *,
    stop_probability: float = 1 / 8,
    largest_patch: int = 9,
    whole_fraction: float = 0.01,
) -> Float[Array, "b h w hint"]:
    """Hints, chroma then a 0/1 mask, drawn for each picture by itself.

    The number of points is geometric: before each one the user stops with `stop_probability`, so there may be none. A
    point's place is Gaussian about the middle, its standard deviation a quarter of the height and of the width; its
    square has a side of 1 to `largest_patch` px, all as likely, lies within the picture, and shows its mean chroma.
    Later squares cover earlier ones; those that hold a pixel that is not `allowed` are left out. Of `whole_fraction` of
    the pictures all allowed pixels are given.
    """
    b, height, width, _ = chroma.shape
    allowed = jnp.ones((b, height, width, 1), bool) if allowed is None else allowed
    count_key, size_key, place_key, whole_key = jax.random.split(key, 4)
    order = jnp.arange(MOST_POINTS)
    draw = jax.random.uniform(count_key, (b, 1), minval=jnp.finfo(jnp.float32).tiny)
    count = jnp.floor(jnp.log(draw) / jnp.log(1 - stop_probability))  # geometric from 0, by its inverse
    sides = jax.random.randint(size_key, (b, MOST_POINTS), 1, min(largest_patch, height, width) + 1)
    free = jnp.array([height, width]) - sides[..., None]  # of the square's upper left corner
    places = free * (0.5 + 0.25 * jax.random.normal(place_key, (b, MOST_POINTS, 2)))
    corners = jnp.clip(jnp.round(places).astype(jnp.int32), 0, free)

    def draw_one(
        chroma: Float[Array, "h w c"],
        allowed: Bool[Array, "h w 1"],
        corners: Int[Array, "p 2"],
        sides: Int[Array, " p"],
        wanted: Bool[Array, " p"],
    ) -> tuple[Float[Array, "h w c"], Bool[Array, "h w 1"]]:
        steps = jnp.arange(min(largest_patch, height, width))
        rows, columns = corners[:, 0, None] + steps, corners[:, 1, None] + steps
        within = steps < sides[:, None]
        within = (within[:, :, None] & within[:, None])[..., None]  # [p, side, side, 1]
        at = (jnp.minimum(rows, height - 1)[:, :, None], jnp.minimum(columns, width - 1)[:, None])
        wanted &= (allowed[at] | ~within).all((1, 2, 3))
        mean = jnp.where(within, chroma[at], 0).sum((1, 2)) / within.sum((1, 2))
        # The number of the last square over each pixel, from 1; the largest wins in whatever order they are written
        number = jnp.where(within[..., 0] & wanted[:, None, None], order[:, None, None] + 1, 0)
        last = jnp.zeros((height, width), jnp.int32).at[at].max(number)
        return mean[last - 1], (last > 0)[..., None]

    value, mask = jax.vmap(draw_one)(chroma, allowed, corners, sides, order < count)
    whole = jax.random.bernoulli(whole_key, whole_fraction, (b, 1, 1, 1))
    value, mask = jnp.where(whole, chroma, value), jnp.where(whole, allowed, mask)
    return jnp.concatenate([jnp.where(mask, value, 0.0), mask.astype(chroma.dtype)], -1)
