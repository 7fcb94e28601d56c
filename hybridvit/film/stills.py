"""A coloured still of a film's own frame, as that frame's hints: a grid of points, which go along the shot."""

from pathlib import Path

import cv2
from skimage.color import rgb2lab

from hybridvit.film.scenes import colored_photo
from hybridvit.hints.shapes import PICTURE, Point

LONGER = 16  # points along the longer side
_FINE = 4  # px of the shrunk still to a point's cell, of which one is taken: a mean of all would mix things
_ASPECT = 0.02  # by which the still's may differ


def still_of(said: str) -> tuple[float, Path]:
    """Of SECONDS=FILE. Raises ValueError, one line."""
    time, _, name = said.partition("=")
    try:
        seconds = float(time)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf") or not name:
        raise ValueError(
            f"--still {said}: seconds from the first frame and a file are expected: 12.48=still.png"
        )
    return seconds, Path(name)


def points_of(path: Path, width: int, height: int) -> tuple[Point, ...]:
    """The still's colours as points of a frame of `width` x `height` px.

    Raises ValueError or OSError, one line, if it is gray, no picture, or of another shape than the frame.
    """
    pixels = colored_photo(path)
    rows, columns, _ = pixels.shape
    if abs(columns * height / (rows * width) - 1) > _ASPECT:
        raise ValueError(
            f"{path}: it has {columns} x {rows} px, which is not the shape of the film's {width} x {height}"
        )
    cell = max(width, height) / LONGER
    down, across = max(1, round(height / cell)), max(1, round(width / cell))
    small = cv2.resize(pixels, (across * _FINE, down * _FINE), interpolation=cv2.INTER_AREA)
    ab = rgb2lab(small)[..., 1:]
    taken = _FINE // 2
    return tuple(
        Point(
            (x + (taken + 0.5) / _FINE) * width / across,
            (y + (taken + 0.5) / _FINE) * height / down,
            tuple(map(float, ab[y * _FINE + taken, x * _FINE + taken])),
            source=path.name,
            reach=PICTURE,
        )
        for y in range(down)
        for x in range(across)
    )
