"""The colours known in one photograph for another of the same album: the same coat, the same street.

The model is shown both side by side, as one picture, with the hints of the source: it spreads hints over the whole of a
picture to what looks alike, so also from one photograph to the other. What that changes in the target is written down
as a few points, in places that look to the model as some hinted place of the source does; else nothing is.

Of unrelated photographs, some places look alike to the model, too. So a preview tells how well all of the target is
found in the source: for each cell the likeness of the one most like it, by the model's distributions, lightness and
texture, and the mean of that. From SURE on they may be taken for one album's: 3 % of unrelated pairs of photographs
are, and half of the pairs of halves of one photograph (all of the pairs of one and its relit, cropped mirror image).
Less is for the user to say.

L is 0..100, ab in CIE units.
"""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image
from skimage.morphology import dilation

from hybridvit.hints.frame import WHOLE
from hybridvit.hints.raster import Window
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.influence import cell_means, choose_cells, flattest_place
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import HintMap, given, probabilities
from hybridvit.inference.suggestions import distribution, shown_at
from hybridvit.inference.view import view_size
from hybridvit.photo.borders import respanned

MOST_POINTS = 8
LEAST_CHANGE = 4.0  # ab units: for less, no point is set
ALIKE = 0.99  # of 1: how alike to a hinted place of the source a place of the target must be
LIGHTNESS = 60.0  # L units: the difference that leaves 1/e of the likeness

VIEW = 256  # px, shorter side of the view in which places are compared
SURE = 0.92  # of 1: the match from which on photographs may be taken for ones of one album
TEXTURE = 4.0  # in logarithms of L units' deviation: the difference that leaves 1/e of the likeness
CHANGED = 5.0  # ab units: what moves by more is seen

_SIDE = 128  # px, at least, of height and widths of the two side by side
_STEP = 32  # px: the coarsest cell that the model sees, which shall not lie in both


def carry_hints(
    source: Canvas, source_recipe: Recipe, target: Canvas, target_recipe: Recipe, name: str
) -> Recipe:
    """The target's recipe with what the source's hints say of it: points "carried over from `name`".

    There are up to MOST_POINTS of that name. They keep off the hints that the target has, and out of its protected
    areas. If its recipe is still empty, the source's palette and settings are taken over. Raises ValueError if the
    canvases' method has no distribution of colours.
    """
    carried = target_recipe
    if dataclasses.replace(target_recipe, frame=WHOLE) == Recipe():
        carried = dataclasses.replace(
            target_recipe, palette=source_recipe.palette, settings=source_recipe.settings
        )
    if not source_recipe.hints:
        return carried
    note = f"carried over from {name}".encode(errors="replace").decode()  # a file's name may be no valid text
    most = MOST_POINTS - sum(hint.source == note for hint in target_recipe.hints)
    places = _find_places(_Seen(source, source_recipe), _Seen(target, target_recipe), most)
    points = tuple(Point(*place, color, note) for place, color in places)
    return dataclasses.replace(carried, hints=(*carried.hints, *points))


class Preview(NamedTuple):
    """What `carry_hints` would do: the recipe; how well the photographs match and which share would change, 0..1."""

    recipe: Recipe
    match: float
    changed: float

    @property
    def is_sure(self) -> bool:
        """Whether it may be done unseen."""
        return self.match >= SURE


def preview_carry(
    source: Canvas, source_recipe: Recipe, target: Canvas, target_recipe: Recipe, name: str
) -> Preview:
    """Of `carry_hints` with the same arguments, and ValueError as there."""
    after = carry_hints(source, source_recipe, target, target_recipe, name)
    seen = (_Seen(source, source_recipe), _Seen(target, target_recipe))
    before, then = (_over_all(target, recipe) for recipe in (target_recipe, after))
    return Preview(after, _match(*seen), float((np.linalg.norm(then - before, axis=-1) > CHANGED).mean()))


def _over_all(canvas: Canvas, recipe: Recipe) -> Float[np.ndarray, "h w 2"]:
    """ab over all of the photograph, gray in its borders: of one size, whatever the settings let the model see."""
    height, width = canvas.photo.pixels.shape[:2]
    whole = Window(0, 0, height, width)
    ab = respanned(canvas.chroma(recipe), canvas.inside(recipe.settings), whole)
    return _resized(ab, *view_size(height, width, VIEW))


class _Seen:
    """A photograph in the view in which places are compared, and its recipe."""

    def __init__(self, canvas: Canvas, recipe: Recipe):
        self.canvas, self.recipe = canvas, recipe
        self.settings = Settings(size=VIEW, borders=recipe.settings.borders)
        self.inside, self.L = canvas.inside(self.settings), canvas.lightness(self.settings)

    def hint_map(self, view: tuple[int, int] | None = None) -> HintMap:
        return self.canvas.hint_map(self.recipe.hints, self.settings, view)

    def unhinted(self) -> Float[np.ndarray, "h8 w8 313"]:
        return distribution(self.canvas, Recipe(settings=self.settings))


def _find_places(source: _Seen, target: _Seen, most: int) -> list[tuple[tuple[float, float], str]]:
    """x, y and hex of the points."""
    L = target.L
    likeness = _likeness(source, target)
    ab, probs = _beside(source, target)
    ab = _resized(ab, *L.shape)
    alone = target.canvas.predict(*(x[None] for x in target.hint_map()), target.settings)[0][0]
    cells = cell_means(L)
    change = np.linalg.norm(cell_means(ab - alone), axis=-1)
    free = ~_occupied(target) & (likeness >= ALIKE)
    change = np.where(free, change, 0)
    top, left, height, width = target.inside
    places = []
    for cell in choose_cells(_resized(probs, *cells.shape), cells, change, change >= LEAST_CHANGE, most):
        row, column = flattest_place(L, cell.row, cell.column)
        color = shown_at(L[row, column], ab[row, column][None])[0][0]
        places.append(((left + column * width / L.shape[1], top + row * height / L.shape[0]), color))
    return places


def _beside(
    source: _Seen, target: _Seen
) -> tuple[Float[np.ndarray, "h w 2"], Float[np.ndarray, "h8 w8 313"]]:
    """ab and distribution of the target beside the source."""
    tallness = max(seen.inside.height / seen.inside.width for seen in (source, target))
    rows = round(_SIDE * min(max(tallness, 1), 2) / _STEP) * _STEP
    parts = []
    for seen in (source, target):
        columns = max(1, round(rows * seen.inside.width / seen.inside.height / _STEP)) * _STEP
        L = _resized(seen.L, rows, columns)
        parts.append((L, *seen.hint_map(L.shape)))
    L, hint_ab, mask = (np.concatenate(pair, axis=1)[None] for pair in zip(*parts, strict=True))
    found = source.canvas.predictor(L, (hint_ab, mask))
    border = parts[0][0].shape[1]
    return found.mean[0, :, border:], probabilities(found.logits[0, :, border // STRIDE :])


def _match(source: _Seen, target: _Seen) -> float:
    """How well all of the target is found in the source, 0..1."""
    (theirs, their_L, their_texture), (ours, our_L, our_texture) = map(_described, (source, target))
    darker, rougher = np.abs(our_L[:, None] - their_L), np.abs(our_texture[:, None] - their_texture)
    alike = (ours @ theirs.T) * np.exp(-darker / LIGHTNESS - rougher / TEXTURE)
    return float(np.clip(alike.max(1).mean(), 0, 1))


def _described(
    seen: _Seen,
) -> tuple[Float[np.ndarray, "n 313"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Of each cell the roots of its probabilities, its mean lightness, and how rough that is."""
    roots = np.sqrt(seen.unhinted())
    mean = cell_means(seen.L)
    deviation = np.sqrt(np.maximum(cell_means(np.square(seen.L)) - np.square(mean), 0))
    return roots.reshape(-1, roots.shape[-1]), mean.ravel(), np.log1p(deviation).ravel()


def _likeness(source: _Seen, target: _Seen) -> Float[np.ndarray, "h8 w8"]:
    """0..1, of the target's cells to the most like hinted one of the source: as the model sees them without hints."""
    theirs, ours = (np.sqrt(seen.unhinted()) for seen in (source, target))
    hinted = given(source.hint_map()[1], *theirs.shape[:2])
    if not hinted.any():  # all its hints lie in its border
        return np.zeros(ours.shape[:2])
    darker = np.abs(cell_means(target.L)[..., None] - cell_means(source.L)[hinted])
    return (ours @ theirs[hinted].T * np.exp(-darker / LIGHTNESS)).max(-1)


def _occupied(target: _Seen) -> Bool[np.ndarray, "h8 w8"]:
    """Cells of the target that hold a hint or are beside one that does, and those of its protected areas."""
    hinted, protected = (
        given(target.canvas.hint_map(hints, target.settings)[1], *(-(-n // STRIDE) for n in target.L.shape))
        for hints in (target.recipe.hints, tuple(area.region for area in target.recipe.protected))
    )
    return dilation(hinted, np.ones((3, 3), bool)) | protected


def _resized(x: Float[np.ndarray, "h w *c"], height: int, width: int) -> Float[np.ndarray, "h2 w2 *c"]:
    planes = np.moveaxis(x.reshape(*x.shape[:2], -1), -1, 0).astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
        for plane in planes
    ]
    return np.stack(resized, -1).reshape(height, width, *x.shape[2:])
