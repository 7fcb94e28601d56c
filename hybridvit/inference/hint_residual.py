"""What a prediction still misses at the hints, spread around them at the model's view.

The model spreads hints itself, and comes within about 1 ab unit of them. What is left is interpolated by simple kriging
(Gaussian-process regression with mean 0): exact at the hints, shared by what is near and as light as they are, fading
to nothing with distance and across edges of lightness, so that a lone hint does not tint the picture (as it would if
the residual were spread by the method of Levin et al. 2004).

L is 0..100, ab in CIE units, float32; the view is [h, w].
"""

import numpy as np
from jaxtyping import Bool, Float

_REACH = 0.25  # of the shorter side: the distance at which a hint's correction has faded to 1/e
_LIGHTNESS = 20.0  # L units: the difference in lightness that counts as much
_NOISE = 0.01  # of the residual's variance: keeps the equations of neighbouring hints solvable
_CELL = 1 / 64  # of the shorter side: pixels of hints so close are one in the equations
_MOST_CELLS = 256  # in the equations; of more, as many evenly spread ones


def spread_residual(
    L: Float[np.ndarray, "h w"],
    ab: Float[np.ndarray, "h w 2"],
    hint_ab: Float[np.ndarray, "h w 2"],
    mask: Bool[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w 2"]:
    """`ab` corrected to be `hint_ab` where `mask` is, and nearer to it around; itself where nothing is missing."""
    if np.array_equal(ab[mask], hint_ab[mask]):
        return ab
    height, width = L.shape
    side = min(height, width)
    scale = np.array([1 / _LIGHTNESS, 1 / (_REACH * side), 1 / (_REACH * side)], np.float32)
    rows, columns = np.nonzero(mask)
    places = np.stack([L[mask], rows, columns], -1) * scale  # [n, 3]
    sites, residual = _mean_of_cells(
        rows, columns, max(1.0, _CELL * side), np.concatenate([places, hint_ab[mask] - ab[mask]], -1)
    )
    among = np.linalg.norm(sites[:, None] - sites, axis=-1)
    weights = np.linalg.solve(np.exp(-among) + _NOISE * np.eye(len(sites)), residual)  # [k, 2]

    down, right = (np.arange(n, dtype=np.float32) for n in (height, width))
    light = np.float32(scale[0]) * L
    total = np.zeros((2, height, width), np.float32)
    affinity, part = (
        np.empty_like(light),
        np.empty_like(light),
    )  # a dozen sites are common: no memory for each
    for (lightness, row, column), weight in zip(sites, weights.astype(np.float32), strict=True):
        np.subtract(light, lightness, affinity)
        affinity *= affinity
        affinity += np.square(down * scale[1] - row)[:, None]
        affinity += np.square(right * scale[2] - column)
        np.sqrt(affinity, affinity)
        np.negative(affinity, affinity)
        np.exp(affinity, affinity)
        for plane, share in zip(total, weight, strict=True):
            plane += np.multiply(affinity, share, part)
    corrected = ab.astype(np.float32)
    corrected += np.moveaxis(total, 0, -1)
    corrected[mask] = hint_ab[mask]
    return corrected


def _mean_of_cells(
    rows: np.ndarray, columns: np.ndarray, cell: float, values: Float[np.ndarray, "n 5"]
) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 2"]]:
    """Mean place and residual of the hints' pixels in each cell of a grid, and of `_MOST_CELLS` of them at most."""
    cells = np.stack([rows // cell, columns // cell], -1)
    _, index, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(index, column) for column in values.T], -1) / count[:, None]
    chosen = np.linspace(0, len(means) - 1, min(len(means), _MOST_CELLS)).round().astype(int)
    return means[chosen, :3].astype(np.float32), means[chosen, 3:]
