"""What a colour known at one cell of the model's view says about the others, and which few cells say most together.

What is unknown of the colours is taken for a Gaussian process over the cells. Its covariance falls with distance, with
difference in lightness, and with how unlike the model's distributions are (their Bhattacharyya coefficient): what the
model takes for the same thing is of one colour. Cells are chosen one after the other, each the one whose colour removes
most of the variance that is left in the whole picture (Cohn, Ghahramani, Jordan 1996, "Active learning with statistical
models").

How far influence reaches is set twice. FITTED is how the model's errors go together on photographs with truth, and says
what a colour is worth; chosen by it, places lie too much in the middle of the picture. The shorter NEAR chooses better
ones: PSNR after 1 to 3 hints decided, on 96 photographs held out of the training.

L is 0..100; a cell is STRIDE x STRIDE px of the view.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hybridvit.inference.predictor import STRIDE


class Influence(NamedTuple):
    """Where 1/e of the influence is left: in shares of the picture's shorter side, and in L units.

    `shared` is the share of a cell's variance that others have in common with it.
    """

    reach: float
    lightness: float
    shared: float


NEAR = Influence(0.25, 60.0, 0.75)
FITTED = Influence(3.2, 195.0, 0.7)
LIKENESS = 6.5  # power of the coefficient
NOISE = 25.0  # squared ab units: the variance of what is given as a cell's colour

APART = 1 / 8  # of the shorter side, at least, between chosen cells

_MOST_CANDIDATES = 1024
_MOST_KNOWN = 256  # cells; of more, as many evenly spread ones
_FLAT = 2  # px of the view around a point that should be alike
_SMALLEST_VARIANCE = 1e-3  # squared ab units, mean of the picture: below it all is known


class Cell(NamedTuple):
    """A chosen cell, and the share, 0..1, of the picture's variance that it removes besides those chosen before."""

    row: int
    column: int
    gain: float


def cell_means(x: Float[np.ndarray, "h w *c"]) -> Float[np.ndarray, "h8 w8 *c"]:
    """Means over the cells, of which the last ones may be cut."""
    height, width = x.shape[:2]
    x = np.pad(x, [(0, -height % STRIDE), (0, -width % STRIDE)] + [(0, 0)] * (x.ndim - 2), mode="edge")
    return x.reshape(len(x) // STRIDE, STRIDE, x.shape[1] // STRIDE, STRIDE, *x.shape[2:]).mean((1, 3))


def choose_cells(
    probs: Float[np.ndarray, "h8 w8 313"],
    L: Float[np.ndarray, "h8 w8"],
    deviation: Float[np.ndarray, "h8 w8"],
    allowed: Bool[np.ndarray, "h8 w8"],
    count: int,
) -> list[Cell]:
    """Up to `count` of the allowed cells; `deviation` is the standard deviation of what is unknown, ab units."""
    candidates = np.flatnonzero(allowed)
    candidates = candidates[:: -(-len(candidates) // _MOST_CANDIDATES) or 1]
    places = np.stack(np.divmod(candidates, probs.shape[1]), -1)
    free = np.ones(len(candidates), bool)
    covariance = _covariance(probs, L, deviation, candidates, NEAR)
    unknown = np.square(deviation).sum() > _SMALLEST_VARIANCE * deviation.size
    chosen: list[int] = []
    while len(chosen) < count and free.any() and unknown:
        removed = np.where(free, _removed(covariance, candidates), 0)
        best = int(removed.argmax())
        chosen.append(best)
        free &= np.linalg.norm(places - places[best], axis=-1) >= max(1, APART * min(L.shape))
        covariance = _given(covariance, candidates, best)
    index = candidates[chosen]
    covariance = _covariance(probs, L, deviation, index, FITTED)
    cells = []
    for i, place in enumerate(places[chosen].tolist()):
        gain = _removed(covariance, index)[i] / np.square(deviation).sum()
        cells.append(Cell(*place, float(gain)))
        covariance = _given(covariance, index, i)
    return cells


def remaining(
    probs: Float[np.ndarray, "h8 w8 313"],
    L: Float[np.ndarray, "h8 w8"],
    deviation: Float[np.ndarray, "h8 w8"],
    known: Bool[np.ndarray, "h8 w8"],
) -> Float[np.ndarray, "h8 w8"]:
    """The deviation that is left where the colours of some cells are known, of which `probs` does not know yet."""
    index = np.flatnonzero(known)
    index = index[:: -(-len(index) // _MOST_KNOWN) or 1]
    covariance = _covariance(probs, L, deviation, index, NEAR)
    among = covariance[index] + NOISE * np.eye(len(index))
    removed = (covariance * np.linalg.solve(among, covariance.T).T).sum(-1).reshape(L.shape)
    return np.sqrt(np.clip(np.square(deviation) - removed, 0, None))


def _removed(covariance: Float[np.ndarray, "n m"], index: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Variance of all n cells that knowing one of those at `index` removes."""
    return np.square(covariance).sum(0) / (covariance[index].diagonal() + NOISE)


def _given(
    covariance: Float[np.ndarray, "n m"], index: Int[np.ndarray, " m"], known: int
) -> Float[np.ndarray, "n m"]:
    """The covariance once the colour of the cell at `index[known]` is known."""
    with_known = covariance[index, known]
    return covariance - covariance[:, known, None] * (with_known / (with_known[known] + NOISE))


def flattest_place(L: Float[np.ndarray, "h w"], row: int, column: int) -> tuple[int, int]:
    """In a cell, the corner (row, column, px of the view) whose four pixels look most like all of it, off edges."""
    top, left = row * STRIDE, column * STRIDE
    cell = L[top : top + STRIDE, left : left + STRIDE]
    typical = np.median(cell)
    rows, columns = (range(size)[1:-1] or range(size - 1, size) for size in cell.shape)

    def unlike(place: tuple[int, int]) -> float:
        around = cell[
            max(0, place[0] - _FLAT) : place[0] + _FLAT, max(0, place[1] - _FLAT) : place[1] + _FLAT
        ]
        return float(np.abs(around - typical).mean() + around.std())

    down, right = min(((r, c) for r in rows for c in columns), key=unlike)
    return top + down, left + right


def _covariance(
    probs: Float[np.ndarray, "h8 w8 313"],
    L: Float[np.ndarray, "h8 w8"],
    deviation: Float[np.ndarray, "h8 w8"],
    index: Int[np.ndarray, " m"],
    influence: Influence,
) -> Float[np.ndarray, "n m"]:
    """Of all n cells with those at `index`, squared ab units."""
    height, width = L.shape
    rows, columns = np.divmod(np.arange(height * width), width)
    far = np.hypot(rows[:, None] - rows[index], columns[:, None] - columns[index]) / min(height, width)
    lighter = np.abs(L.reshape(-1, 1) - L.ravel()[index])
    roots = np.sqrt(probs.reshape(height * width, -1)).astype(np.float32)
    alike = np.maximum(roots @ roots[index].T, 0) ** LIKENESS
    alike *= np.exp(-far / influence.reach - lighter / influence.lightness)
    sizes = deviation.ravel()
    covariance = influence.shared * alike * sizes[:, None] * sizes[index]
    covariance[index, np.arange(len(index))] = np.square(sizes[index])
    return covariance
