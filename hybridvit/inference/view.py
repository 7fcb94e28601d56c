"""The model's view of a photograph: its size, and the full-resolution pixels shrunk to it.

Pixels are averaged over areas as they are encoded (not in linear light), because that is how the pictures were resized
that the model was trained on. The aspect is kept.
"""

import numpy as np
from jaxtyping import Float, UInt8, UInt16
from PIL import Image

from hybridvit.inference.composition import lightness

SMALLEST = (
    64  # px of the shorter side: below it a picture is enlarged, there being too few tokens to attend to
)
_AT_ONCE = 2**14  # px: views are filled up to multiples of it, so that few sizes are compiled
_GATHERED = 2**20  # values that are float at once: a large picture never is
LONGEST = 8  # times `shorter`: the longer side's limit, met by strips longer than 8 : 1 only


def view_size(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Height and width of the model's view of a picture: the picture's aspect, `shorter` px on the shorter side.

    The view is not larger than the picture, unless that is tiny; of very long strips the shorter side gets fewer px.
    """
    shortest, longest = min(height, width), max(height, width)
    scale = min(shorter / shortest, max(1.0, SMALLEST / shortest), LONGEST * shorter / longest)
    return max(1, round(height * scale)), max(1, round(width * scale))


def view_lightness(
    pixels: UInt8[np.ndarray, "H W c"] | UInt16[np.ndarray, "H W c"], height: int, width: int
) -> Float[np.ndarray, "h w"]:
    """L, float32 0..100, of sRGB pixels (1 or 3 channels) shrunk to `height` x `width`."""
    cells = shrink(pixels, height, width).reshape(-1, pixels.shape[-1])
    filled = np.zeros((-(-len(cells) // _AT_ONCE) * _AT_ONCE, cells.shape[1]), np.float32)
    filled[: len(cells)] = cells
    return np.asarray(lightness(filled))[: len(cells)].reshape(height, width)


def shrink(
    pixels: UInt8[np.ndarray, "H W c"] | UInt16[np.ndarray, "H W c"], height: int, width: int
) -> Float[np.ndarray, "h w c"]:
    """Pixels averaged over the areas of `height` x `width` cells, float32 0..1, still sRGB-encoded."""
    _, full_width, channels = pixels.shape
    rows = _average(pixels, height).reshape(height, full_width, channels)
    columns = rows.swapaxes(0, 1).reshape(full_width, -1)
    cells = _average(columns, width).reshape(width, height, channels).swapaxes(0, 1)
    return np.ascontiguousarray(cells) / np.float32(np.iinfo(pixels.dtype).max)


def resized(ab: Float[np.ndarray, "h w 2"], height: int, width: int) -> Float[np.ndarray, "h2 w2 2"]:
    """Chroma at another size of the view; itself at the same."""
    if ab.shape[:2] == (height, width):
        return ab
    planes = (
        Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
        for plane in np.moveaxis(ab, -1, 0)
    )
    return np.stack([np.asarray(plane) for plane in planes], -1)


def _average(values: np.ndarray, cells: int) -> Float[np.ndarray, "cells n"]:
    """Means of `values` [size, ...] over `cells` equal parts of the first axis, values being shared where cut."""
    size = len(values)
    ends = np.arange(cells + 1) * size / cells
    first, last = np.floor(ends[:-1]).astype(int), np.minimum(np.ceil(ends[1:]), size).astype(int)
    index = first[:, None] + np.arange((last - first).max())
    shares = np.minimum(index + 1, ends[1:, None]) - np.maximum(index, ends[:-1, None])
    shares = np.maximum(shares, 0)  # of rows beyond the last one, which shorter parts have
    weights = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    index = np.minimum(index, size - 1)
    means = np.empty((cells, values[0].size), np.float32)
    few = max(1, _GATHERED // (index.shape[1] * values[0].size))
    for start in range(0, cells, few):
        part = np.s_[start : start + few]
        taken = values[index[part]].astype(np.float32)
        means[part] = np.matmul(weights[part, None], taken.reshape(*index[part].shape, -1))[:, 0]
    return means
