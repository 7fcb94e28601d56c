"""Sparse systems on the pixel grid, each pixel tied to its eight neighbours, solved by sparse factors.

A system is `anchor * u + sum_k weights_k * (u - u_k) = target`, k over OFFSETS; weights towards pixels outside the
picture are 0. A pixel without weights is target / anchor. It may be unsymmetric.
"""

import functools
from collections.abc import Callable

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg
from jaxtyping import Float, Int

OFFSETS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))  # rows, columns
REFINEMENTS = 2  # of the solution by single-precision factors
_LEAF = 36  # pixels: blocks that are not dissected further


def factorise(
    weights: Float[np.ndarray, "8 h w"], anchor: Float[np.ndarray, "h w"]
) -> Callable[[Float[np.ndarray, "c h w"]], Float[np.ndarray, "c h w"]]:
    """A function from targets to solutions, float64.

    LU factors in single precision take little more than half the time of double; refinement in double makes up for it.
    """
    order = _dissection(*anchor.shape)
    rows = _ordered(matrix_of(weights, anchor), order)
    factors = scipy.sparse.linalg.splu(
        rows.astype(np.float32).tocsc(),
        permc_spec="NATURAL",
        diag_pivot_thresh=0.0,
        panel_size=4,
        options={"SymmetricMode": True},
    )

    def solve(target: Float[np.ndarray, "c h w"]) -> Float[np.ndarray, "c h w"]:
        known = target.reshape(len(target), -1)[:, order].T.astype(np.float64)
        found = factors.solve(known.astype(np.float32)).astype(np.float64)
        for _ in range(REFINEMENTS):
            found += factors.solve((known - rows @ found).astype(np.float32))
        solution = np.empty(target.shape)
        solution.reshape(len(target), -1)[:, order] = found.T
        return solution

    return solve


def matrix_of(weights: Float[np.ndarray, "8 h w"], anchor: Float[np.ndarray, "h w"]) -> sparse.csr_matrix:
    """The system's matrix, of pixels in rows, float64."""
    _, height, width = weights.shape
    pixel = np.arange(height * width, dtype=np.int32)
    steps = np.array([0] + [y * width + x for y, x in OFFSETS], np.int32)
    values = np.concatenate([anchor[None] + weights.sum(0, np.float64), -weights]).reshape(9, -1).T
    columns = pixel[:, None] + steps
    used = values != 0
    starts = np.concatenate([[0], used.sum(1).cumsum()]).astype(np.int32)
    return sparse.csr_matrix((values[used], columns[used], starts), (pixel.size,) * 2)


def _ordered(matrix: sparse.csr_matrix, order: Int[np.ndarray, " n"]) -> sparse.csr_matrix:
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return sparse.csr_matrix((matrix.data, rank[matrix.indices], matrix.indptr), matrix.shape)[order]


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
