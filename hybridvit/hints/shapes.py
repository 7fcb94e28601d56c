"""What a user says about colours: points, strokes and regions, each with a colour.

Coordinates are pixels of the full-resolution, upright picture, x to the right and y down, continuous: the pixel in
column j and row i is the square from (j, i) to (j + 1, i + 1), and a click in it may be anywhere in that square.

A colour is an sRGB hex like "#2e6b3a", which stands for its ab alone (the lightness is the picture's own, everywhere),
or an (a, b) pair in CIE units. `source` says where the colour is known from ("uniform: museum catalogue no. 12").

What is not as it should be raises a ValueError whose one line begins with the field: "color: 'green' is ...".
"""

import dataclasses
import functools
import math
import numbers
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from skimage.color import rgb2lab

Color = str | tuple[float, float]
XY = tuple[float, float]

LARGEST_COORDINATE = 1e7  # px, far outside any picture
LARGEST_AB = 128.0
MOST_CORNERS = 10_000  # of a path; a hand draws some hundreds
LONGEST_SOURCE = 2_000  # characters


@dataclasses.dataclass(frozen=True)
class Point:
    """A colour at one place."""

    x: float
    y: float
    color: Color
    source: str | None = None

    def __post_init__(self):
        for name in ("x", "y"):
            _set(self, name, _coordinate(name, getattr(self, name)))
        _set_color_and_source(self)


@dataclasses.dataclass(frozen=True)
class Stroke:
    """A colour along a path of one corner or more, drawn with a round brush of `width` px."""

    points: tuple[XY, ...]
    width: float
    color: Color
    source: str | None = None

    def __post_init__(self):
        _set(self, "points", _path("points", self.points, 1))
        _set(self, "width", _number("width", self.width, LARGEST_COORDINATE))
        if self.width <= 0:
            raise ValueError(f"width: a stroke of {self.width:g} px is none; give a positive number")
        _set_color_and_source(self)


@dataclasses.dataclass(frozen=True)
class Mask:
    """Any set of pixels in a rectangle, row by row: so many out, so many in, so many out, ..."""

    left: int
    top: int
    width: int
    height: int
    runs: tuple[int, ...]

    def __post_init__(self):
        for name, least in (("left", 0), ("top", 0), ("width", 1), ("height", 1)):
            value = _whole(name, getattr(self, name))
            if not least <= value <= LARGEST_COORDINATE:
                raise ValueError(f"{name}: {value} is not a whole number of px from {least} on")
            _set(self, name, value)
        if isinstance(self.runs, str) or not isinstance(self.runs, Sequence | np.ndarray):
            raise ValueError(f"runs: {_shown(self.runs)} is not a list of whole numbers")
        _set(self, "runs", tuple(_whole(f"runs[{i}]", run) for i, run in enumerate(self.runs)))
        negative = next((i for i, run in enumerate(self.runs) if run < 0), None)
        if negative is not None:
            raise ValueError(f"runs[{negative}]: {self.runs[negative]} is not a number of pixels")
        if sum(self.runs) != self.width * self.height:
            raise ValueError(
                f"runs: they hold {sum(self.runs)} pixels, but {self.width} x {self.height} is "
                f"{self.width * self.height}"
            )
        if not any(self.runs[1::2]):
            raise ValueError("runs: no pixel is in the mask")

    @classmethod
    def of(cls, inside: Bool[np.ndarray, "h w"], left: int = 0, top: int = 0) -> "Mask":
        """The mask of the True pixels of an array whose upper left pixel is (left, top) in the picture."""
        flat = inside.ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        runs = np.diff(changes, prepend=0, append=flat.size).tolist()
        return cls(left, top, inside.shape[1], inside.shape[0], tuple([0, *runs] if flat[:1].any() else runs))


@dataclasses.dataclass(frozen=True)
class Region:
    """One colour over an area: a polygon (its corners; crossings are filled by the even-odd rule) or a mask."""

    area: tuple[XY, ...] | Mask
    color: Color
    source: str | None = None

    def __post_init__(self):
        if not isinstance(self.area, Mask):
            _set(self, "area", _path("polygon", self.area, 3))
        _set_color_and_source(self)


Hint = Point | Stroke | Region


def color_ab(color: Color) -> Float[np.ndarray, "2"]:
    """CIE a and b, float32, of a colour; that of a hex is its own, whatever the lightness where it is put."""
    return np.array(color_lab(color)[1:] if isinstance(color, str) else color, np.float32)


@functools.lru_cache(maxsize=4096)
def color_lab(color: str) -> tuple[float, float, float]:
    """CIE L, a, b of an sRGB hex like "#2e6b3a"; raises ValueError for another text."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise ValueError(
            f"color: {_shown(color)} is not an sRGB colour like '#2e6b3a' (nor two numbers, CIE a and b)"
        )
    return tuple(rgb2lab(np.array(list(bytes.fromhex(color[1:]))) / 255.0).tolist())


def check_within(hint: Hint, width: int, height: int) -> None:
    """Raises ValueError if the hint does not touch a picture of `width` x `height` px, or its mask juts out."""
    picture = f"the picture, which is {width} x {height} px"
    match hint:
        case Point(x=x, y=y):
            for name, value, size in (("x", x, width), ("y", y, height)):
                if not 0 <= value < size:
                    raise ValueError(f"{name}: {value:g} is outside {picture}")
        case Region(area=Mask() as mask):
            if mask.left + mask.width > width or mask.top + mask.height > height:
                raise ValueError(f"mask: it juts out of {picture}")
        case Stroke() | Region():
            name, path = ("points", hint.points) if isinstance(hint, Stroke) else ("polygon", hint.area)
            reach = hint.width / 2 if isinstance(hint, Stroke) else 0.0
            low, high = np.min(path, 0) - reach, np.max(path, 0) + reach
            if (high <= 0).any() or (low >= (width, height)).any():
                raise ValueError(f"{name}: all of it is outside {picture}")


def _set(hint: Any, name: str, value: Any) -> None:
    object.__setattr__(hint, name, value)


def _set_color_and_source(hint: Hint) -> None:
    color, source = hint.color, hint.source
    if isinstance(color, str):
        color_lab(color)
        _set(hint, "color", color.lower())
    elif isinstance(color, Sequence | np.ndarray) and len(color) == 2:
        _set(hint, "color", tuple(_number(f"color[{i}]", x, LARGEST_AB) for i, x in enumerate(color)))
    else:
        raise ValueError(
            f"color: {_shown(color)} is not an sRGB colour like '#2e6b3a' (nor two numbers, CIE a and b)"
        )
    if source is not None and (not isinstance(source, str) or len(source) > LONGEST_SOURCE):
        raise ValueError(f"source: {_shown(source)} is not a text of up to {LONGEST_SOURCE} characters")


def _path(name: str, path: Any, fewest: int) -> tuple[XY, ...]:
    if isinstance(path, str) or not isinstance(path, Sequence | np.ndarray):
        raise ValueError(f"{name}: {_shown(path)} is not a list of [x, y]")
    if not fewest <= len(path) <= MOST_CORNERS:
        raise ValueError(f"{name}: there are {len(path)}, but it takes {fewest} to {MOST_CORNERS}")
    for i, xy in enumerate(path):
        if isinstance(xy, str) or not isinstance(xy, Sequence | np.ndarray) or len(xy) != 2:
            raise ValueError(f"{name}[{i}]: {_shown(xy)} is not [x, y]")
    return tuple(
        tuple(_coordinate(f"{name}[{i}][{axis}]", x) for axis, x in enumerate(xy))
        for i, xy in enumerate(path)
    )


def _coordinate(name: str, value: Any) -> float:
    return _number(name, value, LARGEST_COORDINATE)


def _number(name: str, value: Any, largest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name}: {_shown(value)} is not a number")
    if not (math.isfinite(value) and abs(value) <= largest):
        raise ValueError(f"{name}: {_shown(value)} is not a number from {-largest:g} to {largest:g}")
    return float(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name}: {_shown(value)} is not a whole number")
    return int(value)


def _shown(value: Any) -> str:
    """A value in an error's one line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
