"""Colours spread from the pixels where they are known: Levin, Lischinski and Weiss 2004, "Colorization using
Optimization".

Each pixel's chroma is to be the weighted mean of its eight neighbours', weights falling with the difference in
intensity relative to the variance around the pixel; known pixels keep theirs. One sparse, unsymmetric linear system, of
which the weights are those of the authors' released program (`getColorExact.m`), where the paper leaves details open:
0.6 of the variance of the 3 x 3 window; the nearest neighbour's weight is at least 0.01; the variance at least 2e-6.

Two things differ from it: chroma is CIE ab, not IQ of YIQ; intensity is the sRGB gray value, 0..1, of the lightness.
L is 0..100.
"""

import functools

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg
from jaxtyping import Bool, Float, Int

from hybridvit.color.lab import light_of_response, linear_to_srgb

OFFSETS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))  # rows, columns
VARIANCE_SHARE = 0.6
LEAST_WEIGHT = 0.01  # of the neighbour that is nearest in intensity, before all are made to sum up to 1
LEAST_VARIANCE = 2e-6
REFINEMENTS = 2  # of the solution by single-precision factors
_LEAF = 36  # pixels: blocks that are not dissected further


def propagate(
    L: Float[np.ndarray, "h w"], hint_ab: Float[np.ndarray, "h w 2"], mask: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 2"]:
    """ab of all pixels, float32, from those under the mask, which are kept; gray where nothing is known."""
    ab = np.where(mask[..., None], hint_ab, 0).astype(np.float32)
    if not mask.any() or mask.all():
        return ab
    return _solve_directly(neighbour_weights(gray_of(L)), ab, mask)


def gray_of(L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """The sRGB gray value, 0..1, float32, of a lightness."""
    light = light_of_response((np.clip(L, 0, 100).astype(np.float32) + 16) / 116)
    return np.asarray(linear_to_srgb(light))


def neighbour_weights(gray: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "8 h w"]:
    """Weights of each pixel's neighbours at OFFSETS, float64, with sum 1; 0 for those outside the picture."""
    height, width = gray.shape
    padded = np.pad(gray.astype(np.float64), 1, constant_values=np.nan)
    around = np.stack([padded[1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in OFFSETS])
    window = np.concatenate([around, padded[None, 1:-1, 1:-1]])
    variance = VARIANCE_SHARE * np.nanvar(window, 0)
    squares = np.square(around - window[-1])
    nearest = np.nanmin(squares, 0)
    scale = np.maximum(np.maximum(variance, nearest / -np.log(LEAST_WEIGHT)), LEAST_VARIANCE)
    weights = np.nan_to_num(np.exp(-squares / scale))
    return weights / weights.sum(0)


def _solve_directly(
    weights: Float[np.ndarray, "8 h w"], ab: Float[np.ndarray, "h w 2"], mask: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 2"]:
    """By sparse LU factors in single precision, half the time of double, and refinement in double."""
    matrix = _matrix(np.where(mask, 0, weights))
    order = _dissection(*mask.shape)
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    rows = sparse.csr_matrix((matrix.data, rank[matrix.indices], matrix.indptr), matrix.shape)[order]
    known = ab.reshape(-1, 2)[order].astype(np.float64)
    factors = scipy.sparse.linalg.splu(
        rows.astype(np.float32).tocsc(),
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        panel_size=4,
        options={"SymmetricMode": True},
    )
    solution = factors.solve(known.astype(np.float32)).astype(np.float64)
    for _ in range(REFINEMENTS):
        solution += factors.solve((known - rows @ solution).astype(np.float32))
    result = np.empty(ab.shape, np.float32)
    result.reshape(-1, 2)[order] = solution
    result[mask] = ab[mask]
    return result


def _matrix(weights: Float[np.ndarray, "8 h w"]) -> sparse.csr_matrix:
    """The system's matrix, of pixels in rows: 1 on the diagonal, minus the weights beside it."""
    _, height, width = weights.shape
    pixel = np.arange(height * width, dtype=np.int32)
    steps = np.array([0] + [y * width + x for y, x in OFFSETS], np.int32)
    values = np.concatenate([np.ones((pixel.size, 1)), -weights.reshape(8, -1).T], 1)
    columns = pixel[:, None] + steps
    used = values != 0
    starts = np.concatenate([[0], used.sum(1).cumsum()]).astype(np.int32)
    return sparse.csr_matrix((values[used], columns[used], starts), (pixel.size,) * 2)


@functools.lru_cache(maxsize=4)
def _dissection(height: int, width: int) -> Int[np.ndarray, " n"]:
    """Pixels in the order of nested dissection (George 1973), which keeps the factors sparse."""
    parts: list[np.ndarray] = []

    def dissect(block: np.ndarray) -> None:
        if block.size <= _LEAF:
            parts.append(block.ravel())
            return
        block = block if block.shape[0] >= block.shape[1] else block.T
        middle = len(block) // 2
        dissect(block[:middle])
        dissect(block[middle + 1 :])
        parts.append(block[middle])

    dissect(np.arange(height * width, dtype=np.int32).reshape(height, width))
    return np.concatenate(parts)
