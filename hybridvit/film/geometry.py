"""Between a film's planes and the model's view: what of a frame the model sees, and what of its colours is coded.

The view is upright, has the aspect that is shown (pixels may be oblong), and leaves out black bars. The planes stay as
they lie in the file. Chroma of half the width is meant to lie on every other luma sample, of half the height
between two (as MPEG-2 and H.264 have it, ITU-T H.273 figure of type 0).
"""

import dataclasses
import functools
from fractions import Fraction

import cv2
import numpy as np
from jaxtyping import Float, UInt16

from hybridvit.film.chroma import chroma_of
from hybridvit.film.levels import Halved, Levels, Matrix, Plane, values
from hybridvit.inference.view import view_size

_BAND = (
    2**18
)  # px of chroma that are worked on at once, so that large frames take little more than their planes
_TEXTURE = 50.0  # as inference/upsampling has it
_SMOOTH = (*(cv2.INTER_CUBIC,) * 3, *(cv2.INTER_LINEAR,) * 2)  # a, b, L, and slopes, which are means anyway


@dataclasses.dataclass(frozen=True)
class Geometry:
    """Of one film.

    Attributes:
      size: height and width of its luma plane.
      levels, matrix: of its luma; the chroma gets the same matrix.
      turns: quarter turns counterclockwise that make a frame upright.
      aspect: width of a pixel over its height.
      inside: top, left, height and width within black bars.
      size_of_view: px, shorter side of the view.
    """

    size: tuple[int, int]
    levels: Levels
    matrix: Matrix
    turns: int
    aspect: Fraction
    inside: tuple[int, int, int, int]
    size_of_view: int

    @functools.cached_property
    def lying(self) -> tuple[int, int]:
        """Height and width of the view as the planes lie."""
        height, width = self.inside[2:]
        shown = max(1, round(height)), max(1, round(width * self.aspect))
        return view_size(*shown, self.size_of_view)

    def view(self, luma: Plane) -> UInt16[np.ndarray, "h w"]:
        """What the model sees: sRGB gray of 16 bits."""
        top, left, height, width = self.inside
        part, (rows, columns) = luma[top : top + height, left : left + width], self.lying
        shrinks = rows <= height and columns <= width
        small = cv2.resize(
            part, (columns, rows), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        gray = values(small, self.levels)
        gray *= 65535
        return np.ascontiguousarray(np.rot90(np.rint(gray, out=gray).astype(np.uint16), self.turns))

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """A place of the upright frame, px, in the view."""
        top, left, height, width = self._upright_inside
        rows, columns = self.lying[:: -1 if self.turns % 2 else 1]
        return (x - left) * columns / width, (y - top) * rows / height

    @property
    def _upright_inside(self) -> tuple[int, int, int, int]:
        top, left, height, width = self.inside
        for _ in range(self.turns):
            whole = self.size[1] if _ % 2 == 0 else self.size[0]
            top, left, height, width = whole - left - width, top, width, height
        return top, left, height, width

    def chroma(
        self,
        luma: Plane,
        L: Float[np.ndarray, "h w"],
        ab: Float[np.ndarray, "h w 2"],
        halves: tuple[int, int],
        to: Levels,
    ) -> tuple[Halved, Halved]:
        """Cb and Cr in the levels `to`, of 1 / `halves` of the luma's height and width, for the view's L and ab."""
        lying = (np.rot90(x, -self.turns) for x in (L, ab[..., 0], ab[..., 1]))
        maps = _guides(*map(np.ascontiguousarray, lying))
        (rows, y_step, y_first), (columns, x_step, x_first) = (self._places(axis, halves) for axis in (0, 1))
        planes = np.empty((2, rows, columns), to.dtype)
        band = min(rows, max(8, _BAND // columns))
        for start in range(0, rows, band):
            part = luma[start * halves[0] : (start + band) * halves[0]]
            y = values(_sited(part, halves), self.levels)
            places = np.array([[x_step, 0, x_first], [0, y_step, y_first + start * y_step]])
            found = [_led(one, places, y.shape, how) for one, how in zip(maps, _SMOOTH, strict=True)]
            planes[:, start : start + band] = chroma_of(y, np.stack(found), self.matrix, to)
        planes[:, ~self._within(0, halves)] = planes[..., ~self._within(1, halves)] = to.gray
        return planes[0], planes[1]

    def _middles(self, axis: int, halves: tuple[int, int]) -> Float[np.ndarray, " n"]:
        half, count = halves[axis], -(-self.size[axis] // halves[axis])
        return np.arange(count) * half + (half / 2 if axis == 0 else 0.5)

    def _within(self, axis: int, halves: tuple[int, int]) -> np.ndarray:
        middle, start = self._middles(axis, halves), self.inside[axis]
        return (middle >= start) & (middle <= start + self.inside[axis + 2])

    def _places(self, axis: int, halves: tuple[int, int]) -> tuple[int, float, float]:
        """How many rows or columns the chroma has, how far apart they lie in the view, px, and where the first does."""
        middles, scale = self._middles(axis, halves), self.lying[axis] / self.inside[axis + 2]
        return len(middles), halves[axis] * scale, (middles[0] - self.inside[axis]) * scale - 0.5


def _led(
    plane: Float[np.ndarray, "h w"], places: Float[np.ndarray, "2 3"], shape: tuple[int, int], how: int
) -> Float[np.ndarray, "r c"]:
    flags = how | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(plane, places, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _sited(luma: Plane, halves: tuple[int, int]) -> Float[np.ndarray, "r c"]:
    """The luma at the places of the chroma."""
    planes = luma.astype(np.float32)
    if halves[0] == 2:
        planes = (planes[::2] + planes[1::2]) / 2
    if halves[1] == 2:
        before = np.concatenate([planes[:, :1], planes[:, 1:-1:2]], 1)
        planes = (before + 2 * planes[:, ::2] + planes[:, 1::2]) / 4
    return planes


def _guides(
    L: Float[np.ndarray, "h w"], a: Float[np.ndarray, "h w"], b: Float[np.ndarray, "h w"]
) -> list[Float[np.ndarray, "h w"]]:
    """`inference.upsampling.guide_maps`, as OpenCV is quick to make them."""

    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.blur(x, (3, 3), borderType=cv2.BORDER_REPLICATE)

    middle = L - L.mean()
    mean_L = mean(middle)
    spread = mean(middle * middle) - mean_L * mean_L + np.float32(_TEXTURE)
    even = (x - x.mean() for x in (a, b))
    return [a, b, L, *(mean((mean(middle * x) - mean_L * mean(x)) / spread) for x in even)]
