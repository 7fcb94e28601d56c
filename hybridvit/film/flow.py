"""What moved where between two frames: dense optical flow both ways, and how far it is to be trusted.

The flow is OpenCV's DIS (Kroeger et al. 2016), on lightness alone, at a fraction of the model's view: patches are
compared by what is left without their mean, so that a flicker of exposure is no motion. A place is trusted where the
way there and the way back end where they began (Sundaram, Brox and Keutzer 2010): behind what moves they do not, and
dirt that lies on one frame alone does not matter to it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from hybridvit.extras import needing

with needing("film", "films need"):
    import cv2

SHORTER = 112  # px, shorter side of what the flow is computed on
_RELATIVE, _ABSOLUTE = (
    0.01,
    0.5,
)  # of the squared lengths, and px squared: a round trip that misses its start by so much has 1 / e of the trust

Small = UInt8[np.ndarray, "r c"]


class Match(NamedTuple):
    """From each place of one frame to the same thing in another: px of the small frames, and the trust, 0..1."""

    there: Float[np.ndarray, "r c 2"]
    back: Float[np.ndarray, "r c 2"]
    trust: Float[np.ndarray, "r c"]
    trust_back: Float[np.ndarray, "r c"]

    def reversed(self) -> "Match":
        """From the other frame to the one."""
        return Match(self.back, self.there, self.trust_back, self.trust)


def shrunk(L: Float[np.ndarray, "h w"]) -> Small:
    """What the flow is computed on, of lightness 0..100 at the view."""
    height, width = L.shape
    scale = min(1.0, SHORTER / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(L, size, interpolation=cv2.INTER_AREA) if scale < 1 else L
    return np.clip(small * 2.55 + 0.5, 0, 255).astype(np.uint8)


class Matcher:
    """Finds matches between small frames of one size."""

    def __init__(self):
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._flow.setFinestScale(1)

    def __call__(self, one: Small, other: Small, near: Match | None = None) -> Match:
        """The match from `one` to `other`; `near` is one that is nearly it, to begin with.

        Frames of less than 16 px on a side are taken to be still.
        """
        if min(one.shape) < 16:
            still, sure = np.zeros((*one.shape, 2), np.float32), np.ones(one.shape, np.float32)
            return Match(still, still, sure, sure)
        there = self._flow.calc(one, other, None if near is None else near.there.copy())
        back = self._flow.calc(other, one, None if near is None else near.back.copy())
        return Match(there, back, _trust(there, back), _trust(back, there))


def warp(
    planes: Float[np.ndarray, "h w *c"], there: Float[np.ndarray, "r c 2"]
) -> Float[np.ndarray, "h w *c"]:
    """Planes of the other frame, seen from the one, where `there` leads; the border's pixels go on beyond it."""
    height, width = planes.shape[:2]
    return cv2.remap(
        planes, _places(there, height, width), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def enlarged(plane: Float[np.ndarray, "r c *k"], height: int, width: int) -> Float[np.ndarray, "h w *k"]:
    """A plane of the small frame at the view."""
    if plane.shape[:2] == (height, width):
        return plane
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)


def _places(there: Float[np.ndarray, "r c 2"], height: int, width: int) -> Float[np.ndarray, "h w 2"]:
    rows, columns = there.shape[:2]
    scale = np.array([width / columns, height / rows], np.float32)
    places = enlarged(there * scale, height, width).copy()
    places[..., 0] += np.arange(width, dtype=np.float32)
    places[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return places


def _trust(there: Float[np.ndarray, "r c 2"], back: Float[np.ndarray, "r c 2"]) -> Float[np.ndarray, "r c"]:
    rows, columns = there.shape[:2]
    places = _places(there, rows, columns)
    returned = cv2.remap(back, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    allowed = _RELATIVE * (_squared(there) + _squared(returned)) + _ABSOLUTE
    trust = np.exp(-_squared(there + returned) / allowed)
    x, y = places[..., 0], places[..., 1]
    trust[(x < -0.5) | (y < -0.5) | (x > columns - 0.5) | (y > rows - 0.5)] = 0
    return trust


def _squared(there: Float[np.ndarray, "r c 2"]) -> Float[np.ndarray, "r c"]:
    return there[..., 0] ** 2 + there[..., 1] ** 2  # a sum over an axis of two is slow
