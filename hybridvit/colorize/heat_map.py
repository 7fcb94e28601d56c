"""A heat map of how unsure the model is of its colours, as a picture.

Legend: the probability that the true colour is more than 10 CIE ab units from the model's (2 are just visible), from 0,
dark blue (sure), by magenta (a third) and salmon (two thirds) to 1, pale yellow (any colour may be right). The scale is
the same for every picture, and equal steps are equal steps to the eye: the colour map is a curve through CIE Lab of
rising lightness, cut into pieces of equal CIEDE2000.
"""

import functools

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb

CELL = 8  # px of the heat map that one cell of the uncertainty becomes, along the shorter side
_KNOTS = np.array([[10, 14, -32], [36, 82, -17], [63, 58, 40], [95, -10, 18]], float)  # Lab, all in gamut


def draw_heat_map(
    uncertainty: Float[np.ndarray, "h8 w8"], height: int, width: int
) -> UInt8[np.ndarray, "h w 3"]:
    """The map in sRGB, smoothly enlarged to 8 px a cell, with the aspect of a picture of `height` x `width`.

    Args:
      uncertainty: probability, 0..1.
      height: px of the picture.
      width: px of the picture.
    """
    shorter = CELL * min(uncertainty.shape)
    scale = shorter / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    enlarged = np.asarray(Image.fromarray(uncertainty).resize(size, Image.Resampling.BILINEAR))
    level = np.clip(enlarged, 0, 1) * 255
    return colour_map()[np.rint(level).astype(np.uint8)]


@functools.cache
def colour_map() -> UInt8[np.ndarray, "256 3"]:
    """The colours in sRGB, from sure to unsure."""
    t = np.linspace(0, 1, 2001)[:, None]
    weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]  # a cubic Bezier curve
    curve = sum(weight * knot for weight, knot in zip(weights, _KNOTS, strict=True))
    way = np.concatenate([[0], np.cumsum(deltaE_ciede2000(curve[1:], curve[:-1]))])
    even = np.linspace(0, way[-1], 256)
    lab = np.stack([np.interp(even, way, channel) for channel in curve.T], -1)
    return np.rint(lab2rgb(lab) * 255).astype(np.uint8)
