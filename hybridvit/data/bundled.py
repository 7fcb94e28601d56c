"""The photographs inside the scikit-image wheel: something to train on without a download.

Colour ones give their left two thirds to training and their right third to evaluation, as square tiles.
Left out: what is no photograph, the telescope's and the microscope's pictures, the second of the stereo pair
`motorcycle`, and `clock_motion`, blurred beyond recognition.
"""

import functools
from pathlib import Path

import skimage
from PIL import Image

from hybridvit.data.decode import read_picture

COLOR = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
GRAY = ("brick.png", "camera.png", "coins.png", "grass.png", "gravel.png", "moon.png")


class BundledColor:
    """The training part of the colour photographs: all but the right third."""

    def __len__(self) -> int:
        return len(COLOR)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`; the picture ends where its held-out third begins. Never reduced."""
        return _training_part(COLOR[index])

    def key(self, index: int) -> str:
        """The file."""
        return COLOR[index]

    def name(self, index: int) -> str:
        """The set, and the file."""
        return f"bundled/{COLOR[index]}"


class BundledGray:
    """The grayscale photographs, whole."""

    def __len__(self) -> int:
        return len(GRAY)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`. Never reduced."""
        return _photograph(GRAY[index])

    def key(self, index: int) -> str:
        """The file."""
        return GRAY[index]

    def name(self, index: int) -> str:
        """The set, and the file."""
        return f"bundled/{GRAY[index]}"


class BundledTiles:
    """The held-out right thirds, in squares of the third's width, counted from the top: "astronaut/2"."""

    def __init__(self):
        self._tiles = [
            (file, row) for file in COLOR for row in range(_photograph(file).height // _held_out_width(file))
        ]

    def __len__(self) -> int:
        return len(self._tiles)

    def read(self, index: int, min_side: int) -> Image.Image:
        """See `PictureSource`. Never reduced."""
        file, row = self._tiles[index]
        photograph, side = _photograph(file), _held_out_width(file)
        return photograph.crop((photograph.width - side, row * side, photograph.width, (row + 1) * side))

    def key(self, index: int) -> str:
        """The photograph and its tile."""
        file, row = self._tiles[index]
        return f"{Path(file).stem}/{row}"

    def name(self, index: int) -> str:
        """The set, the photograph and its tile."""
        return f"bundled/{self.key(index)}"


@functools.cache
def _photograph(file: str) -> Image.Image:
    # Straight from the wheel: skimage.data would ask for pooch, and download what is missing
    return read_picture(Path(skimage.__file__).parent / "data" / file)


@functools.cache
def _training_part(file: str) -> Image.Image:
    photograph = _photograph(file)
    return photograph.crop((0, 0, photograph.width - _held_out_width(file), photograph.height))


def _held_out_width(file: str) -> int:
    return _photograph(file).width // 3
