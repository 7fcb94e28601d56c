"""Chroma that goes with a luma.

Y' is kept to the bit. The colours of a picture model are at an equal lightness, for which Y' would have to move; here
the lightness moves instead: for each pixel the colour is taken that has the ab asked for, and the film's own Y'.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt8, UInt16

from hybridvit.color.lab import linear_to_srgb
from hybridvit.film.levels import Levels, Matrix
from hybridvit.inference.composition import lightness, linear_rgb
from hybridvit.inference.upsampling import chroma_planes

_STEPS = 3  # of the search for the lightness: Y' is then met within 0.0005 for colours that fit


@functools.partial(jax.jit, static_argnames=("matrix", "levels"))
def chroma_of(
    y: Float[Array, "r c"], maps: Float[Array, "5 r c"], matrix: Matrix, levels: Levels
) -> UInt8[Array, "2 r c"] | UInt16[Array, "2 r c"]:
    """Cb and Cr that go with Y' 0..1 so that the colour has the chroma of the `guide_maps`, as far as the gamut has it.

    Out of the gamut colours move towards gray, Y' staying what it is.
    """
    gray = lightness(y[..., None])
    a, b = chroma_planes(maps, gray)
    weights = (matrix.red, 1 - matrix.red - matrix.blue, matrix.blue)

    def encoded(L: Float[Array, "r c"]) -> list[Float[Array, "r c"]]:
        return [linear_to_srgb(channel) for channel in linear_rgb(L, a, b)]

    def step(_: Int[Array, ""], L: Float[Array, "r c"]) -> Float[Array, "r c"]:
        found = sum(weight * channel for weight, channel in zip(weights, encoded(L), strict=True))
        return L + 100 * (y - found)

    channels = encoded(jax.lax.fori_loop(0, _STEPS, step, gray))
    apart = [channel - y for channel in channels]
    # The last step's remainder: the three have to add up to Y'
    rest = sum(weight * one for weight, one in zip(weights, apart, strict=True))
    apart = [one - rest for one in apart]
    room = [
        jnp.where(one > 0, (1 - y) / jnp.maximum(one, 1e-6), y / jnp.maximum(-one, 1e-6)) for one in apart
    ]
    share = jnp.clip(jnp.minimum(jnp.minimum(*room[:2]), room[2]), 0, 1)
    top = 2**levels.bits - 1

    def coded(difference: Float[Array, "r c"], weight: float) -> Array:
        number = levels.gray + levels.chroma_span * share * difference / (2 * (1 - weight))
        return jnp.clip(jnp.rint(number), 0, top).astype(levels.dtype)

    return jnp.stack([coded(apart[2], matrix.blue), coded(apart[0], matrix.red)])
