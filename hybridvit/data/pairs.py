"""Side-by-side pairs, as pix2pix has them: two squares beside each other, a gray picture and its colours.

Each is given as a Pillow image of mode "CMYK", the one mode of four plain bands: red, green, blue, and the gray
picture. So whatever crops, flips and resizes it does the same to both halves.
"""

import numpy as np
from PIL import Image

from hybridvit.data.decode import UnreadableImageError
from hybridvit.data.sources import FilePictures
from hybridvit.data.transforms import chroma_percentile

ORDERS = ("gray-color", "color-gray")
MODE = "CMYK"
LOOKED_AT = 16  # pictures of a folder, evenly spread, from which a wrong order shows


class PairPictures:
    """Side-by-side pairs of a folder tree; `order` is one of `ORDERS`, from left to right."""

    def __init__(self, files: FilePictures, order: str):
        self._files = files
        self._color_first = order == "color-gray"

    def __len__(self) -> int:
        return len(self._files)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`; never reduced. A picture that is not twice as wide as high is unreadable."""
        color, gray = self.halves(index)
        return Image.merge(MODE, (*color.convert("RGB").split(), gray.convert("L")))

    def halves(self, index: int) -> tuple[Image.Image, Image.Image]:
        """The colours and the gray picture, as they are in the file."""
        # A reduced JPEG's sides are rounded, and might no more be one the double of the other
        picture = self._files.read(index, 0)
        width, height = picture.size
        if width != 2 * height:
            raise UnreadableImageError(f"{width} x {height} px is not twice as wide as high: no pair")
        left, right = picture.crop((0, 0, height, height)), picture.crop((height, 0, width, height))
        return (left, right) if self._color_first else (right, left)

    def key(self, index: int) -> str:
        """The path inside the folder."""
        return self._files.key(index)

    def name(self, index: int) -> str:
        """The folder's own name, and the path inside."""
        return self._files.name(index)


def open_pairs(files: FilePictures, order: str, gray_chroma: float, flag: str) -> PairPictures:
    """The pairs of a folder, some of which are looked at.

    Args:
      files: from `open_folder`.
      order: one of `ORDERS`.
      gray_chroma: ab units; a half whose `chroma_percentile` is below this is gray.
      flag: the flag that names the folder, for errors.

    Raises:
      ValueError: another order; most of those looked at have their halves the other way round, or are no pairs.
    """
    if order not in ORDERS:
        raise ValueError(f"--config.data.pairs_order '{order}' is none of {', '.join(ORDERS)}")
    pairs = PairPictures(files, order)
    swapped, wrong, sound = [], [], 0
    for index in np.linspace(0, len(pairs) - 1, min(len(pairs), LOOKED_AT)).astype(int).tolist():
        try:
            color, gray = pairs.halves(index)
        except UnreadableImageError as error:
            wrong.append(f"{pairs.name(index)}: {error}")
            continue
        if chroma_percentile(color) < gray_chroma <= chroma_percentile(gray):
            swapped.append(pairs.name(index))
        else:
            sound += 1
    if len(swapped) > sound:
        other = ORDERS[1 - ORDERS.index(order)]
        raise ValueError(
            f"{flag}: the halves of {swapped[0]} and others look swapped: set --config.data.pairs_order={other}"
        )
    if not sound and wrong:
        raise ValueError(f"{flag}: {wrong[0]} (config.data.kind 'pairs' wants two squares beside each other)")
    return pairs
