"""The colours of one recipe on an open photograph, to be painted at every level of its pyramid."""

import threading
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from hybridvit.hints.raster import HintPixels, Window, rasterise_recipe
from hybridvit.hints.recipe import Recipe
from hybridvit.inference.full_resolution import TILE, Inside, Painter, Rgb, paint_hints
from hybridvit.photo.profile import to_depth
from hybridvit.studio.pyramid import Box, Pixels


class Colored:
    """Paints tiles; may be used by several threads. At level 0 they have the very pixels of the saved picture."""

    def __init__(
        self, recipe: Recipe, ab: Float[np.ndarray, "h w 2"], L: Float[np.ndarray, "h w"], inside: Window
    ):
        """`ab`, `L` and `inside` as the `Canvas` gives them for the recipe."""
        self.recipe, self._ab, self._L, self._inside = recipe, ab, L, inside
        self._painters: dict[int, Painter] = {}
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """With the painter of a level: those of others are few, and come and go with the zoom."""
        return self._ab.nbytes + 5 * self._L.nbytes

    def tile(self, levels: tuple[Pixels, ...], level: int, box: Box) -> Rgb:
        """A rectangle of a level of the pyramid, coloured: sRGB of that level's depth."""
        pixels = levels[level]
        rgb = self._painter(levels, level).tile(box.top, box.left, box.height, box.width)
        paint_hints(rgb, box.of(pixels), self._hints(levels[0].shape, level, box), box.top, box.left)
        return rgb

    def pixel(self, levels: tuple[Pixels, ...], x: int, y: int) -> str:
        """The colour of a pixel of level 0, as "#2e6b3a"."""
        top, left = y - y % TILE[0], x - x % TILE[1]
        rgb = self.tile(levels, 0, Box(top, left, y - top + 1, x - left + 1))[-1, -1]
        return "#{:02x}{:02x}{:02x}".format(*to_depth(rgb[None], np.dtype(np.uint8))[0].tolist())

    def _painter(self, levels: tuple[Pixels, ...], level: int) -> Painter:
        with self._lock:
            if level not in self._painters:
                inside = self._inside_at(levels, level)
                self._painters[level] = Painter(levels[level], self._ab, self._L, inside)
            return self._painters[level]

    def _inside_at(self, levels: tuple[Pixels, ...], level: int) -> Inside:
        down, across = (
            n / whole for n, whole in zip(levels[level].shape[:2], levels[0].shape[:2], strict=True)
        )
        top, left, height, width = self._inside
        return top * down, left * across, height * down, width * across

    def _hints(self, shape: tuple[int, ...], level: int, box: Box) -> Iterator[HintPixels]:
        """The hints' pixels of a level: those whose middle lies in a hint."""
        height, width, _ = shape
        step = 2**level
        top, left = box.top * step, box.left * step
        window = Window(top, left, min(box.height * step, height - top), min(box.width * step, width - left))
        for hint in rasterise_recipe(self.recipe, height, width, window):
            row, column = (-(-(start - step // 2) // step) for start in (hint.top, hint.left))
            first = row * step + step // 2 - hint.top, column * step + step // 2 - hint.left
            mask = np.ascontiguousarray(hint.mask[first[0] :: step, first[1] :: step])
            if mask.any():
                yield HintPixels(row, column, mask, hint.ab)
