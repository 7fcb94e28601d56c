"""What a user says about colours: points, strokes and regions with a colour, and a palette for the whole picture.

Coordinates are pixels of the full-resolution, upright picture, x to the right and y down, continuous: the pixel in
column j and row i is the square from (j, i) to (j + 1, i + 1), and a click in it may be anywhere in that square.

A hint's colour is an sRGB hex like "#2e6b3a", which stands for its ab alone (the lightness is the picture's own,
everywhere), or an (a, b) pair in CIE units. `source` says where it is known from ("uniform: museum catalogue no. 12").

`reach`, 0..1, is how far a hint may change the picture (`inference/reach`): HERE, its own pixels alone; THING, what it
lies on; PICTURE, everything that looks alike to the model; what is between reaches as far as between them. `strength`,
0..1, is how far the colours there go from what they are without the hint to what they are with it.

What is not as it should be raises a HintError, a ValueError of one line that begins with the field.
"""

import dataclasses
import functools
import numbers
import re
from collections.abc import Sequence
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float
from skimage.color import rgb2lab

Color = str | tuple[float, float]
XY = tuple[float, float]

LARGEST_COORDINATE = 10**7  # px, far outside any picture
LARGEST_AB = 128
LARGEST_WEIGHT = 10**9
MOST_CORNERS = 10_000  # of a path; a hand draws some hundreds
LONGEST_SOURCE = 2_000  # characters

HERE, THING, PICTURE = 0.0, 0.5, 1.0  # of `reach`


class HintError(ValueError):
    """What is wrong, in one line, and with which field ("" for all of it)."""

    def __init__(self, field: str, problem: str):
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field, self.problem = field, problem

    def within(self, where: str) -> "HintError":
        """The same said of a part of something larger: of `color`, say, within "hints[3]"."""
        return HintError(f"{where}.{self.field}" if self.field else where, self.problem)


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Point:
    """A colour at one place."""

    x: float
    y: float
    color: Color
    source: str | None = None
    reach: float = THING
    strength: float = 1.0

    def __post_init__(self):
        _set(self, x=_coordinate("x", self.x), y=_coordinate("y", self.y))
        _set_described(self)


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Stroke:
    """A colour along a path of one corner or more, drawn with a round brush of `width` px."""

    points: tuple[XY, ...]
    width: float
    color: Color
    source: str | None = None
    reach: float = HERE
    strength: float = 1.0

    def __post_init__(self):
        _set(self, points=_path("points", self.points, 1))
        _set(self, width=_positive("width", self.width, LARGEST_COORDINATE))
        _set_described(self)


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Mask:
    """Any pixels of a rectangle, row by row: so many out of the mask, so many in, so many out, ..."""

    left: int
    top: int
    width: int
    height: int
    runs: tuple[int, ...]

    def __post_init__(self):
        for name, least in (("left", 0), ("top", 0), ("width", 1), ("height", 1)):
            _set(self, **{name: whole_within(name, getattr(self, name), least, LARGEST_COORDINATE)})
        most = self.width * self.height
        runs = _items("runs", self.runs, "whole numbers")
        _set(self, runs=tuple(whole_within("runs", run, 0, most) for run in runs))
        if sum(self.runs) != most:
            raise HintError(
                "runs", f"they add up to {sum(self.runs)} pixels, but {self.width} x {self.height} is {most}"
            )
        if not any(self.runs[1::2]):
            raise HintError("runs", "no pixel is in the mask")

    @classmethod
    def of(cls, inside: Bool[np.ndarray, "h w"], left: int = 0, top: int = 0) -> "Mask":
        """The mask of the True pixels of an array whose upper left pixel is (left, top) in the picture."""
        flat = inside.ravel()
        runs = np.diff(np.flatnonzero(flat[1:] != flat[:-1]) + 1, prepend=0, append=flat.size).tolist()
        height, width = inside.shape
        return cls(left, top, width, height, (0, *runs) if flat[:1].any() else tuple(runs))


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class Region:
    """One colour over an area: a polygon (its corners; crossings are filled by the even-odd rule) or a mask."""

    area: tuple[XY, ...] | Mask
    color: Color
    source: str | None = None
    reach: float = HERE
    strength: float = 1.0

    def __post_init__(self):
        if not isinstance(self.area, Mask):
            _set(self, area=_path("polygon", self.area, 3))
        _set_described(self)


@no_type_check  # it checks by itself
@dataclasses.dataclass(frozen=True)
class PaletteColor:
    """A colour that the picture shall have somewhere, an sRGB hex, and its share: any positive number."""

    color: str
    weight: float = 1.0

    def __post_init__(self):
        if not isinstance(self.color, str):
            raise HintError("color", f"{shown(self.color)} is not an sRGB colour like '#2e6b3a'")
        _set(self, color=_color(self.color), weight=_positive("weight", self.weight, LARGEST_WEIGHT))


Hint = Point | Stroke | Region


def color_ab(color: Color) -> Float[np.ndarray, "2"]:
    """CIE a and b, float32, of a hint's colour; those of a hex are its own, whatever lightness it will have."""
    return np.array(color_lab(color)[1:] if isinstance(color, str) else color, np.float32)


@functools.lru_cache(maxsize=4096)
def color_lab(color: str) -> tuple[float, float, float]:
    """CIE L, a, b of an sRGB hex like "#2e6b3a"."""
    return tuple(rgb2lab(np.array(list(bytes.fromhex(color[1:]))) / 255.0).tolist())


def check_within(hint: Hint, width: int, height: int) -> None:
    """Raises HintError if the hint does not touch a picture of `width` x `height` px, or its mask juts out."""
    outside = f"outside the picture, which is {width} x {height} px"
    match hint:
        case Point(x=x, y=y):
            for name, value, size in (("x", x, width), ("y", y, height)):
                if not 0 <= value < size:
                    raise HintError(name, f"{value:g} is {outside}")
        case Region(area=Mask(left=left, top=top) as mask):
            if left + mask.width > width or top + mask.height > height:
                raise HintError("mask", f"it is partly {outside}")
        case Region(area=tuple() as path):
            _check_reaches("polygon", path, 0.0, (width, height), outside)
        case Stroke(points=path):
            _check_reaches("points", path, hint.width / 2, (width, height), outside)


def shown(value: Any) -> str:
    """A value as an error's one line shows it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _check_reaches(
    name: str, path: tuple[XY, ...], reach: float, size: tuple[int, int], outside: str
) -> None:
    if (np.max(path, 0) + reach < 0).any() or (np.min(path, 0) - reach >= size).any():
        raise HintError(name, f"all of it is {outside}")


def _set(shape: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(shape, name, value)  # frozen


def _set_described(hint: Any) -> None:
    """Checks what all hints have."""
    _set(hint, color=_color(hint.color), source=_source(hint.source))
    for name in ("reach", "strength"):
        _set(hint, **{name: number_within(name, getattr(hint, name), 0, 1)})


def _color(value: Any) -> Color:
    if isinstance(value, str) and re.fullmatch("#[0-9a-fA-F]{6}", value):
        return value.lower()
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) and len(value) == 2:
        a, b = (number_within("color", x, -LARGEST_AB, LARGEST_AB) for x in value)
        return a, b
    raise HintError("color", f"{shown(value)} is not an sRGB colour like '#2e6b3a', nor CIE a and b")


def _source(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_SOURCE or re.search("[\ud800-\udfff]", value):
        raise HintError("source", f"{shown(value)} is not a text of up to {LONGEST_SOURCE} characters")
    return value


def _path(name: str, value: Any, fewest: int) -> tuple[XY, ...]:
    path = _items(name, value, "[x, y]")
    if not fewest <= len(path) <= MOST_CORNERS:
        raise HintError(name, f"there are {len(path)}, but it takes {fewest} to {MOST_CORNERS}")
    corners = []
    for i, xy in enumerate(path):
        if len(_items(f"{name}[{i}]", xy, "two numbers")) != 2:
            raise HintError(f"{name}[{i}]", f"{shown(xy)} is not [x, y]")
        corners.append(tuple(_coordinate(f"{name}[{i}]", x) for x in xy))
    return tuple(corners)


def _items(name: str, value: Any, of: str) -> Sequence | np.ndarray:
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        raise HintError(name, f"{shown(value)} is not a list of {of}")
    return value


def _coordinate(name: str, value: Any) -> float:
    return number_within(name, value, -LARGEST_COORDINATE, LARGEST_COORDINATE)


def _positive(name: str, value: Any, largest: int) -> float:
    number = number_within(name, value, 0, largest)
    if number == 0:
        raise HintError(name, "it is 0; give a positive number")
    return number


def number_within(name: str, value: Any, least: int, largest: int) -> float:
    """The value as a float; raises HintError if it is no number in this range."""
    real = not isinstance(value, bool) and isinstance(value, numbers.Real)
    if not real or not least <= value <= largest:  # pyright: ignore[reportOperatorIssue]  # of any size
        raise HintError(name, f"{shown(value)} is not a number from {least:g} to {largest:g}")
    return float(value)


def whole_within(name: str, value: Any, least: int, largest: int) -> int:
    """The value as an int; raises HintError if it is no whole number in this range."""
    number = number_within(name, value, least, largest)
    if not number.is_integer():
        raise HintError(name, f"{shown(value)} is not a whole number")
    return int(value)
