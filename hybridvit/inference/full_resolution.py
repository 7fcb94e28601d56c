"""Colouring a picture at full resolution: the loop over its tiles.

Only whole-picture integers are held in memory; what is float lives for a tile at a time, so that 100 megapixels of
16 bits take little more than their pixels in and out. All tiles have one shape, whatever the picture's, so that little
is compiled: one program for a depth, gray or colour, and a range of scales.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, UInt8, UInt16

from hybridvit.hints.raster import HintPixels
from hybridvit.inference.composition import compose, compose_planes, lightness
from hybridvit.inference.upsampling import (
    chroma_planes,
    cubic_weights,
    guide_maps,
    interpolate,
    window_size,
)

Pixels = UInt8[np.ndarray, "H W c"] | UInt16[np.ndarray, "H W c"]
Rgb = UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]
Number = float | int
Inside = tuple[Number, Number, Number, Number]  # top, left, height, width
_BandWeights = Float[np.ndarray, "bands pixels window"]

TILE = (256, 512)  # px: small enough for a CPU's cache, large enough for the cost of a call not to count
_BANDS = (
    4  # of a tile's rows, and of its columns, each interpolated from the few pixels of the view that it needs
)
_WINDOW_STEP = 32  # px of the view: windows are rounded up to it, for scales to share a program
_HINT_CHUNKS = (1024, 65536)  # px: hints are composed by so many pixels at a time, small and large ones


class Painter:
    """Gives a picture, or any rectangle of it, the chroma of the view, upsampled along edges.

    `pixels` are sRGB-encoded, gray (1 channel) or colour (3, of which the lightness counts), `[H, W, c]`. `ab_view`,
    CIE units, `[h, w, 2]`, has any size; it spans `inside`, px of the picture and parts of them, or all of the picture,
    and `L_view` is its lightness. Pixels whose middles are not inside are gray. Rectangles that begin at multiples of
    TILE have the very pixels of the whole.
    """

    def __init__(
        self,
        pixels: Pixels,
        ab_view: Float[np.ndarray, "h w 2"],
        L_view: Float[np.ndarray, "h w"],
        inside: Inside | None = None,
    ):
        self._pixels, self._view = pixels, L_view.shape
        top, left, height, width = inside or (0, 0, *pixels.shape[:2])
        self._starts, self._sizes = (top, left), (height, width)
        sizes = zip(self._sizes, self._view, TILE, strict=True)
        self._windows, self._bands = zip(*(_windows(*size) for size in sizes), strict=True)
        short = [max(0, window - size) for window, size in zip(self._windows, self._view, strict=True)]
        self._maps = np.pad(guide_maps(ab_view, L_view), ((0, 0), (0, short[0]), (0, short[1])))

    def tile(self, top: int, left: int, height: int, width: int) -> Rgb:
        """sRGB pixels `[height, width, 3]` of the picture's depth; the rectangle lies within the picture."""
        rgb = np.empty((height, width, 3), self._pixels.dtype)
        column_weights = {column: self._weights(1, left + column) for column in range(0, width, TILE[1])}
        for row in range(0, height, TILE[0]):
            first_row, *rows = self._weights(0, top + row)
            for column, (first_column, *columns) in column_weights.items():
                box = np.s_[row : row + TILE[0], column : column + TILE[1]]
                given = self._pixels[top : top + height, left : left + width][box]
                maps = self._maps[:, first_row : first_row + self._windows[0]]
                maps = maps[:, :, first_column : first_column + self._windows[1]]
                coloured = np.asarray(_colour_tile(_filled_up(given, TILE), maps, *rows, *columns))
                rgb[box] = coloured[: given.shape[0], : given.shape[1]]
        return rgb

    def _weights(self, axis: int, start: int) -> tuple[int, Int[np.ndarray, " bands"], _BandWeights]:
        """The first pixel of the tile's window, of its bands' within that, and the bands' weights."""
        size, view = self._sizes[axis], self._view[axis]
        window, band = self._windows[axis], self._bands[axis]
        first, weights = cubic_weights(size, view, start - self._starts[axis], TILE[axis], window)
        parts = weights.reshape(_BANDS, -1, window)
        firsts = np.minimum(parts.any(1).argmax(1), window - band)
        kept = [part[:, begin : begin + band] for part, begin in zip(parts, firsts, strict=True)]
        return first, firsts.astype(np.int32), np.stack(kept)


def paint_hints(
    rgb: Rgb, pixels: Pixels, hint_pixels: Iterable[HintPixels], top: int = 0, left: int = 0
) -> None:
    """Gives hints their colour in `rgb`, in place, exactly as far as the gamut has room at their pixels' lightness.

    `rgb` and `pixels` are the rectangle at `top`, `left` of the picture that the hints lie in; no hint juts out of it.
    Of hints that overlap, the last one counts.
    """
    gathered: list[_Piece] = []
    count = 0  # of their pixels
    for hint in hint_pixels:
        for piece in _pieces(pixels, hint._replace(top=hint.top - top, left=hint.left - left)):
            gathered.append(piece)
            count += len(piece.given)
            if count >= _HINT_CHUNKS[1]:
                _paint(rgb, gathered)
                gathered, count = [], 0
    _paint(rgb, gathered)


@jax.jit
def _colour_tile(
    pixels: UInt8[Array, "r c _"] | UInt16[Array, "r c _"],
    maps: Float[Array, "5 h w"],
    first_rows: Int[Array, " bands"],
    rows: Float[Array, "bands rows_of_band h_of_band"],
    first_columns: Int[Array, " bands"],
    columns: Float[Array, "bands columns_of_band w_of_band"],
) -> UInt8[Array, "r c 3"] | UInt16[Array, "r c 3"]:
    L = lightness(pixels)
    for axis, firsts, weights in ((1, first_rows, rows), (2, first_columns, columns)):
        parts = [
            interpolate(jax.lax.dynamic_slice_in_dim(maps, first, part.shape[1], axis), part, axis)
            for first, part in zip(firsts, weights, strict=True)
        ]
        maps = jnp.concatenate(parts, axis)
    a, b = chroma_planes(maps, L)
    return compose_planes(L, a, b, pixels.dtype.type)


class _Piece(NamedTuple):
    """Some rows of a hint: their box in the rectangle, the hint's pixels in it, what they are, and their ab to be."""

    box: tuple[slice, slice]
    mask: Bool[np.ndarray, "h w"]
    given: UInt8[np.ndarray, "n c"] | UInt16[np.ndarray, "n c"]
    ab: Float[np.ndarray, "2"]


def _pieces(pixels: Pixels, hint: HintPixels) -> Iterator[_Piece]:
    height, width = hint.mask.shape
    for row in range(0, height, TILE[0]):
        mask = hint.mask[row : row + TILE[0]]
        box = np.s_[hint.top + row : hint.top + row + len(mask), hint.left : hint.left + width]
        yield _Piece(box, mask, pixels[box][mask], hint.ab.astype(np.float32))


def _paint(rgb: Rgb, pieces: Sequence[_Piece]) -> None:
    """Gives the pieces of `rgb` their colours, in place: all at once, for a call costs more than a small hint."""
    if not pieces:
        return
    counts = [len(piece.given) for piece in pieces]
    given = np.concatenate([piece.given for piece in pieces])  # [n, c]
    ab = np.repeat([piece.ab for piece in pieces], counts, axis=0)
    painted = np.empty((len(given), 3), rgb.dtype)
    size = _HINT_CHUNKS[len(given) > _HINT_CHUNKS[0]]
    for start in range(0, len(given), size):
        part = np.s_[start : start + size]
        chunk = np.asarray(_paint_chunk(_filled_up(given[part], (size,)), _filled_up(ab[part], (size,))))
        painted[part] = chunk[: len(given[part])]  # by NumPy: JAX would compile for each number of pixels
    for piece, colors in zip(pieces, np.split(painted, np.cumsum(counts)[:-1]), strict=True):
        rgb[piece.box][piece.mask] = colors


@jax.jit
def _paint_chunk(
    pixels: UInt8[Array, "n c"] | UInt16[Array, "n c"], ab: Float[Array, "n 2"]
) -> UInt8[Array, "n 3"] | UInt16[Array, "n 3"]:
    return compose(lightness(pixels), ab, pixels.dtype.type)


def _windows(size: float | int, view: int, tile: int) -> tuple[int, int]:
    """Pixels of the view under a tile and under a band of it, along an axis."""
    window, band = (
        -(-window_size(size, view, count) // _WINDOW_STEP) * _WINDOW_STEP for count in (tile, tile // _BANDS)
    )
    return window, min(window, band)


def _filled_up(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`pixels` with zeros after them, so that the first axes are of `shape`."""
    if pixels.shape[: len(shape)] == shape:
        return pixels
    filled = np.zeros((*shape, *pixels.shape[len(shape) :]), pixels.dtype)
    filled[tuple(slice(size) for size in pixels.shape)] = pixels
    return filled
