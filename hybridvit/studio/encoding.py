"""Pixels as files for the page: PNG where they must be exact, JPEG where they need not."""

import numpy as np
import pyvips

from hybridvit.photo.profile import to_depth
from hybridvit.studio.pyramid import Pixels

QUALITY = 92


def png(pixels: Pixels) -> bytes:
    """A PNG of 8 bits; for a reader on the same machine: written fast rather than small."""
    return _image(pixels).write_to_buffer(".png", compression=1, filter="up")


def jpeg(pixels: Pixels) -> bytes:
    """A JPEG whose colours have the full resolution."""
    return _image(pixels).write_to_buffer(".jpg", Q=QUALITY, subsample_mode="off")


def _image(pixels: Pixels) -> pyvips.Image:
    height, width, channels = pixels.shape
    data = np.ascontiguousarray(to_depth(pixels, np.dtype(np.uint8)))
    image = pyvips.Image.new_from_memory(data.data, width, height, channels, "uchar")
    return image.copy(interpretation="b-w" if channels == 1 else "srgb")
