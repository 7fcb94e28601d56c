"""The colours known in one photograph for another of the same album: the same coat, the same street.

The model is shown both side by side, as one picture, with the hints of the source: it spreads hints over the whole of a
picture to what looks alike, so also from one photograph to the other. What that changes in the target is written down
as a few points, in places that look to the model as some hinted place of the source does; where none does, nothing is.

Whether the photographs belong together is for the user to know: of unrelated ones, some places look alike to the
model, too.

L is 0..100, ab in CIE units.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image
from skimage.morphology import dilation

from hybridvit.hints.raster import rasterise_view
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Hint, Point
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.influence import cell_means, choose_cells, flattest_place
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import given, probabilities
from hybridvit.inference.suggestions import distribution, shown_at

MOST_POINTS = 8
LEAST_CHANGE = 4.0  # ab units: for less, no point is set
ALIKE = 0.99  # of 1: how alike to a hinted place of the source a place of the target must be
LIGHTNESS = 60.0  # L units: the difference that leaves 1/e of the likeness

VIEW = 256  # px, shorter side of the view in which places are compared
_SIDE = 128  # px, at least, of height and widths of the two side by side
_STEP = 16  # px: a token, which shall not lie in both


def carry_hints(
    source: Canvas, source_recipe: Recipe, target: Canvas, target_recipe: Recipe, name: str
) -> Recipe:
    """The target's recipe with what the source's hints say of it: points "carried over from `name`".

    There are up to MOST_POINTS of that name. They keep off the hints that the target has, and out of its protected
    areas. If its recipe is still empty, the source's palette and settings are taken over. Raises ValueError if the
    canvases' method has no distribution of colours.
    """
    carried = target_recipe
    if target_recipe == Recipe():
        carried = Recipe(palette=source_recipe.palette, settings=source_recipe.settings)
    if not source_recipe.hints:
        return carried
    note = f"carried over from {name}".encode(errors="replace").decode()  # a file's name may be no valid text
    most = MOST_POINTS - sum(hint.source == note for hint in target_recipe.hints)
    places = _find_places(source, source_recipe.hints, target, target_recipe, most)
    points = tuple(Point(*place, color, note) for place, color in places)
    return dataclasses.replace(carried, hints=(*carried.hints, *points))


def _find_places(
    source: Canvas, hints: tuple[Hint, ...], target: Canvas, recipe: Recipe, most: int
) -> list[tuple[tuple[float, float], str]]:
    """x, y and hex of the points."""
    L = target.lightness(VIEW)
    likeness = _likeness(source, hints, target)
    ab, probs = _beside(source, hints, target, recipe.hints)
    ab = _resized(ab, *L.shape)
    alone = target.predict(*(x[None] for x in _map(target, recipe.hints, L.shape)), VIEW)[0][0]
    cells = cell_means(L)
    change = np.linalg.norm(cell_means(ab - alone), axis=-1)
    free = ~_occupied(target, recipe, L.shape) & (likeness >= ALIKE)
    change = np.where(free, change, 0)
    height, width = target.photo.pixels.shape[:2]
    places = []
    for cell in choose_cells(_resized(probs, *cells.shape), cells, change, change >= LEAST_CHANGE, most):
        row, column = flattest_place(L, cell.row, cell.column)
        color = shown_at(L[row, column], ab[row, column][None])[0][0]
        places.append(((column * width / L.shape[1], row * height / L.shape[0]), color))
    return places


def _beside(
    source: Canvas, hints: tuple[Hint, ...], target: Canvas, target_hints: tuple[Hint, ...]
) -> tuple[Float[np.ndarray, "h w 2"], Float[np.ndarray, "h8 w8 313"]]:
    """ab and distribution of the target beside the source."""
    tallness = max(canvas.photo.pixels.shape[0] / canvas.photo.pixels.shape[1] for canvas in (source, target))
    rows = round(_SIDE * min(max(tallness, 1), 2) / _STEP) * _STEP
    parts = []
    for canvas, its_hints in ((source, hints), (target, target_hints)):
        height, width = canvas.photo.pixels.shape[:2]
        columns = max(1, round(rows * width / height / _STEP)) * _STEP
        L = _resized(canvas.lightness(VIEW), rows, columns)
        parts.append((L, *_map(canvas, its_hints, L.shape)))
    L, hint_ab, mask = (np.concatenate(pair, axis=1)[None] for pair in zip(*parts, strict=True))
    found = source.predictor(L, (hint_ab, mask))
    border = parts[0][0].shape[1]
    return found.mean[0, :, border:], probabilities(found.logits[0, :, border // STRIDE :])


def _likeness(source: Canvas, hints: tuple[Hint, ...], target: Canvas) -> Float[np.ndarray, "h8 w8"]:
    """0..1, of the target's cells to the most like hinted one of the source: as the model sees them without hints."""
    unhinted = Recipe(settings=Settings(size=VIEW))
    theirs, ours = (np.sqrt(distribution(canvas, unhinted)) for canvas in (source, target))
    L = source.lightness(VIEW)
    hinted = given(_map(source, hints, L.shape)[1], *theirs.shape[:2])
    darker = np.abs(cell_means(target.lightness(VIEW))[..., None] - cell_means(L)[hinted])
    return (ours @ theirs[hinted].T * np.exp(-darker / LIGHTNESS)).max(-1)


def _occupied(target: Canvas, recipe: Recipe, view: tuple[int, int]) -> Bool[np.ndarray, "h8 w8"]:
    """Cells of the target that hold a hint or are beside one that does, and those of its protected areas."""
    hinted, protected = (
        given(_map(target, hints, view)[1], -(-view[0] // STRIDE), -(-view[1] // STRIDE))
        for hints in (recipe.hints, tuple(area.region for area in recipe.protected))
    )
    return dilation(hinted, np.ones((3, 3), bool)) | protected


def _map(
    canvas: Canvas, hints: tuple[Hint, ...], view: tuple[int, int]
) -> tuple[Float[np.ndarray, "h w 2"], Bool[np.ndarray, "h w"]]:
    return rasterise_view(hints, *canvas.photo.pixels.shape[:2], *view)


def _resized(x: Float[np.ndarray, "h w *c"], height: int, width: int) -> Float[np.ndarray, "h2 w2 *c"]:
    planes = np.moveaxis(x.reshape(*x.shape[:2], -1), -1, 0).astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in planes
    ]
    return np.stack(resized, -1).reshape(height, width, *x.shape[2:])
