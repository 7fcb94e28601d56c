"""A photograph at every scale of a zoom, for the screen: level k is shrunk 2^k times, and cut into square tiles.

A pixel of level k is the mean of the 2^k x 2^k pixels it stands for, as far as they are there, in sRGB, 8 bits. Level 0
is the photograph itself, of its own depth.
"""

import dataclasses
import math

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from hybridvit.photo.profile import to_depth

TILE = 512  # px
_STRIP = 2**22  # pixels that are shrunk at a time

Pixels = UInt8[np.ndarray, "_ _ c"] | UInt16[np.ndarray, "_ _ c"]  # [height, width, 1 or 3]


@dataclasses.dataclass(frozen=True)
class Box:
    """A tile's place at its level, px."""

    top: int
    left: int
    height: int
    width: int

    def of(self, pixels: Pixels) -> Pixels:
        """Its pixels."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclasses.dataclass(frozen=True)
class Grid:
    """The levels and tiles of a picture of `width` x `height` px."""

    width: int
    height: int

    @property
    def levels(self) -> int:
        """How many there are: the last one is the first that fits into a tile."""
        return 1 + max(0, math.ceil(math.log2(max(self.width, self.height) / TILE)))

    def size(self, level: int) -> tuple[int, int]:
        """Height and width of a level."""
        return -(-self.height // 2**level), -(-self.width // 2**level)

    def tiles(self, level: int) -> tuple[int, int]:
        """Rows and columns of tiles."""
        height, width = self.size(level)
        return -(-height // TILE), -(-width // TILE)

    def box(self, level: int, row: int, column: int) -> Box:
        """The tile's place; smaller tiles end the rows and columns."""
        height, width = self.size(level)
        top, left = row * TILE, column * TILE
        return Box(top, left, min(TILE, height - top), min(TILE, width - left))


def build_pyramid(pixels: Pixels) -> tuple[Pixels, ...]:
    """The pixels of all levels."""
    levels = [pixels]
    while len(levels) < Grid(pixels.shape[1], pixels.shape[0]).levels:
        levels.append(shrink(levels[-1], 2))
    return tuple(levels)


def shrink(pixels: Pixels, factor: int) -> UInt8[np.ndarray, "_ _ c"]:
    """Means over squares of `factor` px, and over what is left of them at the right and bottom."""
    height, width, channels = pixels.shape
    out = np.empty((-(-height // factor), -(-width // factor), channels), np.uint8)
    rows = max(1, _STRIP // (width * factor))  # of `out`
    for top in range(0, len(out), rows):
        strip = to_depth(pixels[top * factor : (top + rows) * factor], np.dtype(np.uint8))
        small = _image(strip).reduce(factor)
        out[top : top + rows] = np.asarray(small).reshape(-1, *out.shape[1:])
    return out


def preview(pixels: Pixels, longest: int) -> UInt8[np.ndarray, "_ _ c"]:
    """The picture with at most `longest` px on its longer side."""
    height, width, channels = pixels.shape
    scale = min(1.0, longest / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = shrink(pixels, max(1, math.floor(1 / scale) // 2))
    resized = _image(small).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(resized).reshape(size[1], size[0], channels)


def _image(pixels: UInt8[np.ndarray, "_ _ c"]) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
