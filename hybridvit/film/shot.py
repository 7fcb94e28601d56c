"""The colours that one shot of a film gets by its hints, as `make` gives them, for a look at them without coding any.

What is left out is what only a look at all of the film says: of the colours over the cuts (`scenes`).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from jaxtyping import Float, UInt16

from hybridvit.film.decode import Frame
from hybridvit.film.flow import shrunk
from hybridvit.film.geometry import Geometry
from hybridvit.film.levels import Plane
from hybridvit.film.make import LONGEST_PART, Shown, carrier_of, lightness_of
from hybridvit.film.tracks import moved, spread
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Hint
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.full_resolution import Painter


def color_shot(
    colorizer: Colorizer,
    recipe: Recipe,
    geometry: Geometry,
    lumas: Callable[[], Iterable[Plane]],
    hinted: Mapping[int, tuple[Hint, ...]],
) -> Iterator[tuple[Shown, Float[np.ndarray, "h w 2"]] | None]:
    """Goes through the shot twice; about 15 frames are in memory, of large ones fewer, and what the flow needs of all.

    Args:
      colorizer: the picture model.
      recipe: settings and palette; its view's size is the geometry's, and borders are off.
      geometry: of the film.
      lumas: gives the shot's frames from its first on.
      hinted: number of a frame in the shot -> its hints, px of the upright frame.

    Yields:
      None for each frame that was looked at, then each one's view and its ab.
    """
    smalls = []
    for luma in lumas():
        smalls.append(shrunk(lightness_of(geometry.view(luma))))
        yield None
    view = geometry.lying[:: -1 if geometry.turns % 2 else 1]
    given = {k: tuple(moved(hint, geometry.to_view) for hint in hints) for k, hints in hinted.items()}
    tracks = spread(smalls, given, view)
    carrier = carrier_of(colorizer, recipe, None, geometry.size, geometry.levels)

    def shown() -> Iterator[tuple[Shown, Float[np.ndarray, "h w"]]]:
        for index, luma in enumerate(lumas()):
            seen = geometry.view(luma)
            yield (
                Shown(Frame(index, luma, index, 1), seen, tracks.get(index, ()), index in given),
                lightness_of(seen),
            )

    frames = shown()
    for first in frames:  # part by part, at whose ends `make` sets key frames
        yield from carrier.shot(itertools.chain([first], itertools.islice(frames, LONGEST_PART - 1)))


def painted(shown: Shown, ab: Float[np.ndarray, "h w 2"]) -> UInt16[np.ndarray, "h w 3"]:
    """A view in its colours, sRGB."""
    return Painter(shown.view[..., None], ab, lightness_of(shown.view)).tile(0, 0, *shown.view.shape)
