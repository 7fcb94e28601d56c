"""A whole picture from its colours at the size of the view, as tests and benchmarks look at it."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from hybridvit.hints.raster import HintPixels
from hybridvit.inference.full_resolution import Painter, Pixels, Rgb, paint_hints
from hybridvit.inference.view import view_lightness


def colour_picture(
    pixels: Pixels, ab_view: Float[np.ndarray, "h w 2"], hint_pixels: Iterable[HintPixels] = ()
) -> Rgb:
    """The whole picture: a `Painter`'s, and `paint_hints`."""
    height, width, _ = pixels.shape
    rgb = Painter(pixels, ab_view, view_lightness(pixels, *ab_view.shape[:2])).tile(0, 0, height, width)
    paint_hints(rgb, pixels, hint_pixels)
    return rgb
