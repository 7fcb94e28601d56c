"""Where a hint would help most: the place whose colour, once known, removes most of the expected squared error.

How much is unknown where, is in the model's own distributions given the hints there are; how much of it a known colour
removes, here and elsewhere, is estimated from distance, lightness and likeness (`influence`); so is what hints have
removed that the model was not given, as those that confirm what is shown. To ask the model itself,
by giving it likely colours at each of some places, takes ten times as long and was measured not to choose better ones
(tests/benchmarks/studio_advice.py).
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from hybridvit.hints.recipe import Recipe
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.influence import cell_means, choose_cells, flattest_place, remaining
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import given, spread
from hybridvit.inference.suggestions import distribution

VIEW = 256  # px: larger ones tell little more, and take long


class NextHint(NamedTuple):
    """A place, in full-resolution pixels, and the share, 0..1, of the expected squared error that its colour removes.

    Of several, the gain is what a place adds to the earlier ones.
    """

    x: float
    y: float
    gain: float


def next_hints(canvas: Canvas, recipe: Recipe, count: int = 3) -> list[NextHint]:
    """Up to `count` places, the most useful first, off the recipe's hints, out of its protected areas, in its frame.

    Raises ValueError if the canvas's method has no distribution of colours.
    """
    size = min(recipe.settings.size, VIEW)
    recipe = dataclasses.replace(recipe, settings=dataclasses.replace(recipe.settings, size=size))
    top, left, height, width = canvas.inside(recipe.settings)
    L = canvas.lightness(recipe.settings)
    probs = distribution(canvas, recipe)
    _, hinted = canvas.hint_map(recipe.hints, recipe.settings)
    _, protected = canvas.hint_map([area.region for area in recipe.protected], recipe.settings)
    known = cell_means(protected.astype(np.float32)) > 0.5
    _, laid = canvas.hint_map(canvas.laid_over(recipe), recipe.settings)
    cells = cell_means(L)
    deviation = remaining(probs, cells, spread(probs), given(laid, *known.shape))
    deviation = np.where(known, 0, deviation)
    rows, columns = (np.arange(n) + 0.5 for n in known.shape)
    across, down = width / L.shape[1], height / L.shape[0]
    shown = recipe.frame.holds(left + columns * STRIDE * across, top + rows[:, None] * STRIDE * down)
    allowed = ~known & ~given(hinted, *known.shape) & shown
    places = []
    for cell in choose_cells(probs, cells, deviation, allowed, count):
        row, column = flattest_place(L, cell.row, cell.column)
        x, y = left + column * across, top + row * down
        if recipe.frame.holds(x, y):  # its cell may jut out
            places.append(NextHint(x, y, cell.gain))
    return places
