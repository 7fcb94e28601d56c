"""Flicker of exposure, evened: asked for by `--deflicker` alone, for it changes the luma.

From frame to frame the exposure changes by the median ratio of all places' Y', which motion of less than half the frame
does not move. The product of these ratios, smoothed over some frames of the shot, is what the exposure should have
been: slow changes (fades, a sun behind clouds) stay, what jumps goes. A gain on Y' is one on light, but for the power.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float

from hybridvit.film.levels import Levels, Plane, values

THUMBNAIL = (48, 27)  # px
SMOOTH = 8.0  # frames, standard deviation of the Gaussian
MOST = 1.6  # times, that a frame is made lighter or darker at most
_DARK, _LIGHT = 0.05, 0.95  # of white: what is darker or lighter may be clipped, and says nothing


class Exposure:
    """Takes frames in their order; keeps one number of each."""

    def __init__(self, levels: Levels):
        self._levels = levels
        self._last: np.ndarray | None = None
        self._steps: list[float] = []  # logarithms of the ratios

    def add(self, luma: Plane) -> None:
        """The next frame."""
        small = values(cv2.resize(luma, THUMBNAIL, interpolation=cv2.INTER_AREA), self._levels)
        last = small if self._last is None else self._last
        told = (np.minimum(small, last) > _DARK) & (np.maximum(small, last) < _LIGHT)
        self._steps.append(float(np.median(np.log(small[told] / last[told]))) if told.any() else 0.0)
        self._last = small

    def gains(self, shots: Sequence[int]) -> Float[np.ndarray, " n"]:
        """By what each frame's Y' is to be multiplied, given the first frames of the shots."""
        gains = np.ones(len(self._steps))
        for start, stop in zip(shots, [*shots[1:], len(gains)], strict=True):
            found = np.cumsum([0.0, *self._steps[start + 1 : stop]])
            gains[start:stop] = np.exp(_smoothed(found) - found)
        return np.clip(gains, 1 / MOST, MOST).astype(np.float32)


def levelled(luma: Plane, levels: Levels, gain: float) -> Plane:
    """Y' times the gain, in the same levels; black stays."""
    top = levels.black + levels.span
    table = (np.arange(2**levels.bits) - levels.black) * float(gain) + levels.black
    # What is whiter than white, or blacker than black, is so still, but no more than it was
    most = np.maximum(np.arange(2**levels.bits), top)
    return np.clip(np.rint(table), 0, most).astype(luma.dtype)[luma]


def _smoothed(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """By a Gaussian that is cut, and weighed anew, at the shot's ends; a slope goes on to them."""
    reach = int(3 * SMOOTH)
    kernel = np.exp(-np.square(np.arange(-reach, reach + 1) / SMOOTH) / 2)
    padded = (
        np.pad(x, reach, mode="reflect", reflect_type="odd")
        if len(x) > reach
        else np.pad(x, reach, mode="edge")
    )
    return np.convolve(padded, kernel / kernel.sum(), "valid")
