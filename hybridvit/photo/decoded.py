"""What a decoder gives, before it is made a photograph."""

import dataclasses

import numpy as np

from hybridvit.photo.metadata import Metadata
from hybridvit.photo.tiff_pages import TiffEntry

GAIN_MAP_REMARK = "its gain map (HDR) goes with the old picture and is left out"


@dataclasses.dataclass(frozen=True)
class Decoded:
    """Pixels `[h, w, c]` of any number type, the first `colors` (1, 3, CMYK 4) of them colours, the next one alpha.

    `orientation` is EXIF's; with `upright`, the pixels are turned by it already. `pages` is how many pictures
    the file has, `further` are those of a TIFF that are pages after this one.
    """

    pixels: np.ndarray
    colors: int
    format: str
    icc: bytes | None = None
    orientation: int = 1
    metadata: Metadata = dataclasses.field(default_factory=Metadata)
    remarks: tuple[str, ...] = ()
    upright: bool = False
    pages: int = 1
    further: tuple[TiffEntry, ...] = ()


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises ValueError for more pixels than that."""
    if width * height > max_pixels:
        limit = f"{max_pixels / 1e6:.0f} megapixels"
        raise ValueError(f"{width} x {height} px are more than the {limit} that are read: reduce it first")
