"""Films from Python: an iterable of frames in, coloured frames out, a few at a time.

for rgb in color_frames(hybridvit.load("pretrained"), frames):
    ...
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16

from hybridvit.film.carry import Carrier, pace
from hybridvit.film.decode import Frame, gray_of
from hybridvit.film.geometry import Geometry
from hybridvit.film.levels import BT709, Levels
from hybridvit.film.make import Shown, lightness_of, predict_view
from hybridvit.film.shots import AROUND, CutFinder
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PaletteColor
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.full_resolution import Painter
from hybridvit.photo.photo import photo_of

Rgb = UInt8[np.ndarray, "H W 3"] | UInt16[np.ndarray, "H W 3"]


def color_frames(
    colorizer: Colorizer,
    frames: Iterable[np.ndarray],
    *,
    palette: Sequence[PaletteColor] = (),
    **settings: Any,
) -> Iterator[Rgb]:
    """Colours a film frame by frame without flicker; about 15 frames are in memory, of large ones fewer.

    Args:
      colorizer: from `hybridvit.load`.
      frames: as `photo_of` takes them, all of one size and depth; cuts between them are found.
      palette: colours for the whole film.
      **settings: `size`, `strength` and `decode` ("vivid" or "mean"), see `Settings`.

    Yields:
      sRGB of each frame's size and depth, its lightness kept.

    Raises:
      ValueError: a frame is none, or of another size or depth than the first; or a setting is out of its range.
    """
    recipe = Recipe(palette=tuple(palette), settings=Settings(**{**settings, "borders": "off"}))
    if recipe.settings.decode == "sample":
        raise ValueError("a film's colours are not drawn: choose decode 'vivid' or 'mean'")
    cut = _cut_apart(_checked(frames))
    first = next(cut, None)
    every = pace(first[0].luma.nbytes if first else 1)
    carrier: Carrier[Shown] = Carrier(predict_view(colorizer.predictor, recipe), every)
    while first is not None:
        carrier.memory, following = None, []

        def views(first: tuple, following: list = following) -> Iterator[tuple[Shown, np.ndarray]]:
            frame = first
            while frame is not None:
                yield _seen(frame[0], recipe.settings.size)
                frame = next(cut, None)
                if frame is not None and frame[1]:
                    following.append(frame)
                    return

        for shown, ab in carrier.shot(views(first)):
            pixels = shown.frame.luma[..., None]
            yield Painter(pixels, ab, lightness_of(shown.view)).tile(0, 0, *pixels.shape[:2])
        first = following[0] if following else None


def _seen(frame: Frame, size: int) -> tuple[Shown, np.ndarray]:
    levels = Levels(8 * frame.luma.dtype.itemsize, True)
    whole = (0, 0, *frame.luma.shape)
    view = Geometry(frame.luma.shape, levels, BT709, 0, Fraction(1), whole, size).view(frame.luma)
    return Shown(frame, view, (), False), lightness_of(view)


def _checked(frames: Iterable[np.ndarray]) -> Iterator[Frame]:
    first = None
    for index, given in enumerate(frames):
        pixels = photo_of(given).pixels
        luma = pixels[..., 0] if pixels.shape[-1] == 1 else gray_of(pixels)
        first = first or (luma.shape, luma.dtype)
        if (luma.shape, luma.dtype) != first:
            raise ValueError(
                f"frame {index} is {luma.dtype} {list(luma.shape)}, the first is {first[1]} {list(first[0])}"
            )
        yield Frame(index, luma, index, 1)


def _cut_apart(frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
    """Each frame, and whether a shot begins with it; AROUND frames are taken ahead."""
    finder, waiting = CutFinder(), deque()
    for frame in frames:
        finder.add(frame.luma)
        waiting.append(frame)
        if len(waiting) > AROUND:
            yield waiting[0], finder.is_cut(waiting.popleft().index)
    while waiting:
        yield waiting[0], finder.is_cut(waiting.popleft().index)
