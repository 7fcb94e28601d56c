"""What the numbers of a film's planes mean: range and matrix, and which luma is which brightness.

A film has a luma Y' and two colour differences, in the full range of their bits or a limited one, by one of several
matrices (ITU-T H.273, sections 8.3 and 8.4). Nothing here needs JAX: processes that only decode have none.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num, UInt8, UInt16

Plane = UInt8[np.ndarray, "H W"] | UInt16[np.ndarray, "H W"]
Halved = UInt8[np.ndarray, "Hc Wc"] | UInt16[np.ndarray, "Hc Wc"]  # of chroma


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
    y = plane.astype(np.float32)
    y -= levels.black
    y /= levels.span
    return np.clip(y, 0, 1, out=y)


def fitted(plane: Plane, levels: Levels, to: Levels) -> Plane:
    """A luma plane in other levels: itself in its own, and one to one where `to` has as many bits and range or more."""
    if levels == to:
        return plane
    table = np.arange(2**levels.bits, dtype=np.float64)
    table = (table - levels.black) * (to.span / levels.span) + to.black
    return np.clip(np.rint(table), 0, 2**to.bits - 1).astype(to.dtype)[plane]
