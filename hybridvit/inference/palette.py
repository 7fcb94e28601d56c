"""A palette for the whole picture: some colours with their shares, given as such or taken from a reference photograph.

The prediction (the mean) is first moved, lightness by lightness, by the difference between the palette's mean chroma
and its own there. Then each pixel becomes the mean of the palette's colours, weighted by how near they are to it in
lightness and chroma, and by their shares. So the result has the palette's colours and no others, and which goes where
is decided by the lightness and by what the model saw. Black and white belong to every palette, for without them a
palette of middle tones would tint highlights and shadows.

L is 0..100, ab in CIE units, float32; the view is [h, w].
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from hybridvit.hints.shapes import PaletteColor, color_lab

REFERENCE_COLORS = 16
REFERENCE_SIZE = 256  # px, to which the longer side of a reference photograph is reduced

_LIGHTNESS = 7.0  # L units: standard deviation of the kernel that says what is as light as what
_CHROMA = 10.0  # ab units: the same for chroma
_NEUTRAL_SHARE = 0.03  # of black, and of white
_LEVELS = np.arange(101)  # of L
_SMALLEST = 1e-30  # count of the levels that nothing is near to


def palette_of(reference: UInt8[np.ndarray, "h w 3"]) -> tuple[PaletteColor, ...]:
    """The palette of a photograph (sRGB): up to REFERENCE_COLORS colours, their shares adding up to 1."""
    image = Image.fromarray(reference)
    image.thumbnail((REFERENCE_SIZE, REFERENCE_SIZE), Image.Resampling.BOX)
    quantized = image.quantize(REFERENCE_COLORS, kmeans=1)
    colors = np.reshape(quantized.getpalette(), (-1, 3)).tolist()
    pixels = image.width * image.height
    return tuple(
        PaletteColor("#{:02x}{:02x}{:02x}".format(*colors[index]), count / pixels)
        for count, index in quantized.getcolors()
    )


def apply_palette(
    L: Float[np.ndarray, "h w"], ab: Float[np.ndarray, "h w 2"], palette: Sequence[PaletteColor]
) -> Float[np.ndarray, "h w 2"]:
    """`ab` in the colours of the palette; itself if that is empty."""
    if not palette:
        return ab
    lab = np.array([*(color_lab(color.color) for color in palette), (0, 0, 0), (100, 0, 0)])  # [n, 3]
    share = np.array([color.weight for color in palette])
    share = np.append(share / share.sum() * (1 - 2 * _NEUTRAL_SHARE), [_NEUTRAL_SHARE] * 2)
    wanted = _mean_by_lightness(lab[:, 0], lab[:, 1:], share)
    present = _mean_by_lightness(L.ravel(), ab.reshape(-1, 2), np.ones(L.size))
    shift = [np.interp(L, _LEVELS, channel) for channel in (wanted - present).T]
    moved = (ab + np.stack(shift, -1)).astype(np.float32)

    def affinity(color: list[float], share: float) -> Float[np.ndarray, "h w"]:
        far = np.square((L - color[0]) / _LIGHTNESS)
        for channel in (1, 2):
            far += np.square((moved[..., channel - 1] - color[channel]) / _CHROMA)
        return math.log(share) - far / 2

    colors = list(zip(lab.tolist(), share.tolist(), strict=True))
    largest = functools.reduce(np.maximum, (affinity(*color) for color in colors))
    total, mean = np.zeros_like(largest), np.zeros_like(moved)
    for color, part in colors:
        weight = np.exp(affinity(color, part) - largest)
        total += weight
        mean += weight[..., None] * np.array(color[1:], np.float32)
    return mean / total[..., None]


def _mean_by_lightness(
    L: Float[np.ndarray, " n"], ab: Float[np.ndarray, "n 2"], share: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "101 2"]:
    """Mean ab, weighted by share, of the colours that are about as light as each whole L from 0 to 100."""
    level = np.clip(np.rint(L), 0, 100).astype(int)
    sums = [np.bincount(level, weight, minlength=len(_LEVELS)) for weight in (share, *(share * ab.T))]
    near = np.exp(-np.square((_LEVELS[:, None] - _LEVELS) / _LIGHTNESS) / 2)
    count, a, b = (near @ total for total in sums)
    return np.stack([a, b], -1) / np.maximum(count, _SMALLEST)[:, None]
