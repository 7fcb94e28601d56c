"""What the numbers of a film's planes mean: range and matrix, luma to lightness, and chroma that goes with a luma.

A film has a luma Y' and two colour differences, in the full range of their bits or a limited one, by one of several
matrices (ITU-T H.273, sections 8.3 and 8.4). Y' is kept to the bit. The colours of a picture model are at an
equal lightness, for which Y' would have to move; here the lightness moves instead: for each pixel the colour is taken
that has the ab asked for, and the film's own Y'.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Num, UInt8, UInt16

from hybridvit.color.lab import linear_to_srgb
from hybridvit.inference.composition import lightness, linear_rgb

Plane = UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"]
Halved = UInt8[np.ndarray, "Hc Wc"] | UInt16[np.ndarray, "Hc Wc"]  # of chroma
_STEPS = 3  # of the search for the lightness: Y' is then met within 0.0005 for colours that fit


class Levels(NamedTuple):
    """Of a plane: how many bits it has, and whether all of their range is used."""

    bits: int
    full: bool

    @property
    def black(self) -> int:
        """The luma of black."""
        return 0 if self.full else 16 << (self.bits - 8)

    @property
    def span(self) -> int:
        """From black to white."""
        return 2**self.bits - 1 if self.full else 219 << (self.bits - 8)

    @property
    def gray(self) -> int:
        """The chroma of gray."""
        return 1 << (self.bits - 1)

    @property
    def chroma_span(self) -> int:
        """From one end of the chroma to the other."""
        return 2**self.bits - 1 if self.full else 224 << (self.bits - 8)

    @property
    def dtype(self) -> type[np.unsignedinteger]:
        """Of an array that holds it."""
        return np.uint8 if self.bits == 8 else np.uint16


class Matrix(NamedTuple):
    """How much of red and of blue there is in Y'; `tag` is its number in ITU-T H.273."""

    red: float
    blue: float
    tag: int


BT709, BT601 = Matrix(0.2126, 0.0722, 1), Matrix(0.299, 0.114, 6)
MATRICES = {1: BT709, 4: Matrix(0.30, 0.11, 4), 5: BT601._replace(tag=5), 6: BT601}
MATRICES |= {7: Matrix(0.212, 0.087, 7), 9: Matrix(0.2627, 0.0593, 9)}


def values(plane: Num[np.ndarray, "h w"], levels: Levels) -> Float[np.ndarray, "h w"]:
    """Y' as float32, 0 black and 1 white; blacker than black and whiter than white are black and white."""
    return np.clip((plane.astype(np.float32) - levels.black) / levels.span, 0, 1)


def fitted(plane: Plane, levels: Levels, to: Levels) -> Plane:
    """A luma plane in other levels: itself in its own, and one to one where `to` has as many bits and range or more."""
    if levels == to:
        return plane
    table = np.arange(2**levels.bits, dtype=np.float64)
    table = (table - levels.black) * (to.span / levels.span) + to.black
    return np.clip(np.rint(table), 0, 2**to.bits - 1).astype(to.dtype)[plane]


@functools.partial(jax.jit, static_argnames=("matrix", "levels"))
def chroma_of(
    y: Float[Array, "r c"], maps: Float[Array, "r c 5"], matrix: Matrix, levels: Levels
) -> tuple[UInt8[Array, "r c"] | UInt16[Array, "r c"], UInt8[Array, "r c"] | UInt16[Array, "r c"]]:
    """Cb and Cr that go with Y' 0..1 so that the colour has the chroma of the `guide_maps`, as far as the gamut has it.

    Out of the gamut colours move towards gray, Y' staying what it is.
    """
    gray = lightness(y[..., None])
    detail = gray - maps[..., 2]
    a, b = maps[..., 0] + maps[..., 3] * detail, maps[..., 1] + maps[..., 4] * detail
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

    return coded(apart[2], matrix.blue), coded(apart[0], matrix.red)
