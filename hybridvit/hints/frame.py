"""What of a photograph is shown and saved: a part of it, turned by quarter turns. It changes no colour and no original.

Hints and all other places stay those of the whole upright picture, as it is without a frame.
"""

import dataclasses
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Shaped

from hybridvit.hints.shapes import LARGEST_COORDINATE, HintError, whole_within


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Crop:
    """A rectangle of the whole upright picture, whole px."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self):
        for name, least in (("x", 0), ("y", 0), ("width", 1), ("height", 1)):
            value = whole_within(name, getattr(self, name), least, LARGEST_COORDINATE)
            object.__setattr__(self, name, value)  # frozen


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Frame:
    """First cropped (None: all of it), then turned clockwise by `turns` quarter turns, 0..3; HintError if it is not."""

    turns: int = 0
    crop: Crop | None = None

    def __post_init__(self):
        object.__setattr__(self, "turns", whole_within("turns", self.turns, 0, 3))  # frozen

    def check_within(self, width: int, height: int) -> None:
        """Raises HintError if the crop is not within a picture of `width` x `height` px."""
        crop = self.crop
        if crop and (crop.x + crop.width > width or crop.y + crop.height > height):
            raise HintError("crop", f"it is partly outside the picture, which is {width} x {height} px")

    def apply(self, pixels: Shaped[np.ndarray, "H W *c"]) -> Shaped[np.ndarray, "h w *c"]:
        """What the frame shows of the whole upright picture: the very same pixels, in a new array unless it is all."""
        if self == WHOLE:
            return pixels
        if self.crop:
            x, y, width, height = dataclasses.astuple(self.crop)
            pixels = pixels[y : y + height, x : x + width]
        return np.ascontiguousarray(np.rot90(pixels, -self.turns))

    def shrunk(self, step: int, width: int, height: int) -> "Frame":
        """The same of the picture shrunk `step` times, which has `width` x `height` px: all pixels that it touches."""
        if self.crop is None or step == 1:
            return self
        x, y = self.crop.x // step, self.crop.y // step
        right, bottom = (
            min(-(-end // step), most)
            for end, most in (
                (self.crop.x + self.crop.width, width),
                (self.crop.y + self.crop.height, height),
            )
        )
        return Frame(self.turns, Crop(x, y, right - x, bottom - y))

    def holds(self, x: Any, y: Any) -> Any:
        """Whether a place of the whole picture is shown: of numbers, or of arrays that fit each other."""
        crop = self.crop
        if crop is None:
            return True
        return (crop.x <= x) & (x < crop.x + crop.width) & (crop.y <= y) & (y < crop.y + crop.height)


WHOLE = Frame()  # the picture as it is


def told(frame: dict[str, Any]) -> str:
    """A frame, as the sidecar's JSON has it, in words: "cropped to 300 x 200 px from 40, 20, turned 90 degrees"."""
    said = []
    if crop := frame.get("crop"):
        said.append(f"cropped to {crop['width']} x {crop['height']} px from {crop['x']}, {crop['y']}")
    if turns := frame.get("turns"):
        said.append(f"turned clockwise by {90 * turns} degrees")
    return ", then ".join(said)
