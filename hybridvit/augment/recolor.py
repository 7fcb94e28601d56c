"""One thing of a picture in another colour, in truth and hint alike: so it is learnt that a hint keeps to its thing.

In photographs as they are, a hint that contradicts what a model would have thought is rare, and mostly the whole
picture is warmer or greener than it thought. Then the best answer to a red sleeve is a red crowd. Here the sleeve alone
is red, and the crowd's truth stays as it was.

The thing is what lies near a random place and is like it in lightness and colour, with soft edges; its texture of
colours is kept, moved to the new colour as far as sRGB has room. A thing without its hint would teach noise, so there
is always one on it.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from hybridvit.color.lab import CHROMA_SCALE, to_luma_chroma, to_rgb

LIKE_AB = 14.0  # ab units, and
LIKE_L = 16.0  # L units of difference from the place, at which the thing ends
REACH = (0.1, 0.6)  # of the picture's shorter side: how far it goes at most, log-uniform
CHROMA = (10.0, 65.0)  # ab units, of the new colour
SOFT = 0.3  # of the sum of squared distances, on either side of 1, in which the thing fades
WINDOW = 5  # px: grain and texture are no edges


def recolor(
    key: Key[Array, ""],
    luma: Float[Array, "b h w 1"],
    chroma: Float[Array, "b h w 2"],
    probability: float,
    cell_sizes: tuple[int, ...],
) -> tuple[Float[Array, "b h w 2"], Float[Array, "b h w 3"]]:
    """Scaled Lab; the chroma with one thing of some of the pictures recoloured, and a hint on each such thing.

    A hint is the new mean chroma of a square of one of `cell_sizes` px around the place, and a 0/1 mask.
    """
    batch, height, width, _ = chroma.shape
    choice_key, place_key, reach_key, hue_key, chroma_key, size_key = jax.random.split(key, 6)
    chosen = jax.random.bernoulli(choice_key, probability, (batch, 1, 1, 1))
    place = jax.random.uniform(place_key, (batch, 2, 1, 1)) * jnp.array([height, width])[:, None, None]
    y, x = jnp.floor(place[:, 0]), jnp.floor(place[:, 1])
    rows, columns = jnp.arange(height)[:, None], jnp.arange(width)
    low, high = (jnp.log(share * min(height, width)) for share in REACH)
    reach = jnp.exp(jax.random.uniform(reach_key, (batch, 1, 1), minval=low, maxval=high))

    seen = _smoothed(jnp.concatenate([50 * (luma + 1), CHROMA_SCALE * chroma], -1))
    here = seen[jnp.arange(batch), y[:, 0, 0].astype(int), x[:, 0, 0].astype(int)][:, None, None]
    away = jnp.square((seen - here) / jnp.array([LIKE_L, LIKE_AB, LIKE_AB])).sum(-1)
    away += (jnp.square(rows - y) + jnp.square(columns - x)) / jnp.square(reach)
    thing = jnp.clip((1 + SOFT - away) / (2 * SOFT), 0, 1)[..., None]

    hue = jax.random.uniform(hue_key, (batch, 1, 1, 1)) * 2 * jnp.pi
    length = jax.random.uniform(chroma_key, (batch, 1, 1, 1), minval=CHROMA[0], maxval=CHROMA[1])
    color = length * jnp.concatenate([jnp.cos(hue), jnp.sin(hue)], -1)
    moved = chroma + thing * (color - here[..., 1:]) / CHROMA_SCALE
    chroma = jnp.where(chosen & (thing > 0), to_luma_chroma(to_rgb(luma, moved))[1], chroma)

    sizes = jnp.array(cell_sizes)[jax.random.randint(size_key, (batch, 1, 1), 0, len(cell_sizes))]
    top, left = y - y % sizes, x - x % sizes
    cell = (rows >= top) & (rows < top + sizes) & (columns >= left) & (columns < left + sizes)
    own = (cell[..., None] & chosen).astype(chroma.dtype)
    mean = (own * chroma).sum((1, 2), keepdims=True) / jnp.maximum(own.sum((1, 2), keepdims=True), 1)
    return chroma, jnp.concatenate([own * mean, own], -1)


def _smoothed(x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Means of windows."""
    for axis in (1, 2):
        window = [WINDOW if i == axis else 1 for i in range(4)]
        total = jax.lax.reduce_window(x, 0.0, jax.lax.add, window, (1, 1, 1, 1), "SAME")
        count = jax.lax.reduce_window(
            jnp.ones_like(x[:1, ..., :1]), 0.0, jax.lax.add, window, (1, 1, 1, 1), "SAME"
        )
        x = total / count
    return x
