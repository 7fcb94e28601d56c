"""One look over the cuts: what the shots of a film, and reference photographs in colour, say of each other's colours.

The first frame of each shot is a photograph of an album (`hybridvit.album`): places that match agree on their colours,
hints and references count as known. What that changes in a shot's first frame is carried along the shot (`carry`).
Shots that match nothing are coloured as if they were alone, to the bit.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8, UInt16
from PIL import Image

from hybridvit.album.know import Picture, know_album
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Hint
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.exported_predictor import is_exported
from hybridvit.inference.places import Describer
from hybridvit.inference.predictor import Predict
from hybridvit.photo.photo import photo_of, read_photo

FOLDER = "scenes"  # in that of the parts


OverCuts = Callable[[Iterable["Start"], Path], "Scenes"]


def over_cuts(
    weights: str | Path, colorizer: Colorizer, recipe: Recipe, references: Sequence[Path]
) -> tuple[OverCuts | None, str | None]:
    """What makes the `Scenes` of a film, given its shots' first frames and a folder; or None, and what to know of it.

    Raises ValueError, one line, if there are references and `weights` cannot say what is alike.
    """
    try:
        if is_exported(weights):
            raise ValueError(f"{weights} does not say what is alike")
        describer = Describer(colorizer.predictor)
    except ValueError as error:
        if references:
            raise ValueError(f"--references: {error}") from None
        return None, f"shots are coloured apart: {error}"
    return functools.partial(Scenes, colorizer, describer, references, recipe), None


def colored_photo(path: Path) -> UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"]:
    """The pixels of a photograph; raises ValueError or OSError, one line, if it is none in colour."""
    pixels = read_photo(path).pixels
    if pixels.shape[2] == 1 or (pixels == pixels[..., :1]).all():
        raise ValueError(f"{path}: a gray picture has no colours to take")
    return pixels


class Start(NamedTuple):
    """A shot's first frame: its number, its view (gray, 16 bits), and its hints, px of the view."""

    index: int
    view: UInt16[np.ndarray, "h w"]
    hints: tuple[Hint, ...]


class Scenes:
    """What is known of each shot from the others."""

    def __init__(
        self,
        colorizer: Colorizer,
        describer: Describer,
        references: Sequence[Path],
        recipe: Recipe,
        starts: Iterable[Start],
        folder: Path,
    ):
        """Looks at all starts and references; views lie in `folder`, and what is seen of them, so that memory does not
        grow with the film. References have been looked at by `colored_photo`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._colorizer, self._folder = colorizer, folder
        pictures = []
        for start in starts:
            Image.fromarray(start.view).save(self._path(start.index))
            own = Recipe(start.hints, settings=recipe.settings)
            pictures.append(Picture(self._path(start.index), own))
        pictures += [Picture(path, Recipe(), True) for path in references]
        self._of = know_album(colorizer, pictures, folder / "seen", describer)

    def predictor(self, index: int) -> Predict | None:
        """The model, told what the others say of the shot that begins with this frame; None: it matches none."""
        told = self._of(self._path(index))
        return None if told is self._colorizer else told.predictor

    def shift(
        self,
        index: int,
        view: UInt16[np.ndarray, "h w"],
        recipe: Recipe,
        alone: Float[np.ndarray, "h w 2"],
    ) -> Float[np.ndarray, "h w 2"] | None:
        """By how much the others change the colours, ab, of the shot's first frame; None: it matches none.

        `alone` are its colours as the model gives them by the same recipe, untold.
        """
        told = self.predictor(index)
        return None if told is None else Canvas(told, photo_of(view)).chroma(recipe) - alone

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:09}.png"
