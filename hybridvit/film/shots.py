"""Where a film is cut: the frames at which another shot begins.

Frames are compared as thumbnails whose mean and contrast are the same, so that a flicker of exposure is none: one minus
their correlation. A cut is a frame that is unlike the one before and the one before that, more than its neighbours are;
a frame that is unlike both its neighbours while those are alike is a flash, or dirt, and no cut. A dissolve is no cut
either: there the flow is not to be trusted, and key frames follow one another.

PySceneDetect compares hues first, which gray film lacks, and counts on a whole film's mean brightness for the rest;
these lines, over numbers that are there anyway, miss none of the cuts of tests/benchmarks/film.py.
"""

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16

THUMBNAIL = (32, 18)  # px
LEAST = 0.35  # of 1, the distance from which on there may be a cut
TIMES = 3.0  # more than the frames around
AROUND = 5  # frames on each side
_FAINT = 2.0  # levels of 255: contrast below which there is no picture to compare


class CutFinder:
    """Takes frames in their order; keeps two numbers of each."""

    def __init__(self):
        self._last: list[np.ndarray] = []
        self._steps: list[tuple[float, float]] = []  # from the frame before, from the one before that

    def add(self, gray: UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]) -> None:
        """The next frame, all of it or a part that is always the same."""
        small = cv2.resize(gray, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
        small *= 255 / np.iinfo(gray.dtype).max
        even = (small - small.mean()) / max(float(small.std()), _FAINT)
        steps = [1 - float((even * other).mean()) for other in reversed(self._last)]
        self._steps.append(tuple((steps + steps[-1:] * 2 + [0.0, 0.0])[:2]))
        self._last = [*self._last, even][-2:]

    def is_cut(self, t: int) -> bool:
        """Whether frame t, which was added, begins a shot; AROUND frames behind it should be there, or the end."""
        if t == 0:
            return True
        near, far = self._steps[t]
        behind = self._steps[t + 1 : t + 1 + AROUND]
        if near <= LEAST or far <= LEAST or (behind and behind[0][1] < near / 2):  # the last is a flash
            return False
        around = [step for step, _ in self._steps[max(1, t - AROUND) : t] + behind]
        return near > TIMES * (float(np.median(around)) if around else 0.0)

    def cuts(self) -> list[int]:
        """The first frame of each shot, the film's first frame among them."""
        return [t for t in range(len(self._steps)) if self.is_cut(t)]
