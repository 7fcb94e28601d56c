"""Levin's propagation against a dense solve of the paper's equations, written pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb

from hybridvit.classical import levin


def dense(L: np.ndarray, hint_ab: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same as `propagate`, by loops and a dense matrix in double precision."""
    height, width = L.shape
    gray = lab2rgb(np.stack([L, 0 * L, 0 * L], -1).astype(np.float64))[..., 1]
    matrix, known = np.eye(L.size), np.where(mask[..., None], hint_ab, 0.0).reshape(-1, 2)
    for y, x in zip(*np.nonzero(~mask), strict=True):
        window = [
            (i, j)
            for i in range(max(0, y - 1), min(height, y + 2))
            for j in range(max(0, x - 1), min(width, x + 2))
        ]
        variance = 0.6 * np.var([gray[at] for at in window])
        others = [at for at in window if at != (y, x)]
        squares = np.array([(gray[at] - gray[y, x]) ** 2 for at in others])
        weights = np.exp(-squares / max(variance, -squares.min() / np.log(0.01), 2e-6))
        for (i, j), weight in zip(others, weights / weights.sum(), strict=True):
            matrix[y * width + x, i * width + j] = -weight
    return np.linalg.solve(matrix, known).reshape(height, width, 2)


def picture(seed: int, height: int, width: int, hints: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    L = 40 + 25 * (x > width // 2) + 10 * np.sin(y / 3) + rng.normal(0, 2, (height, width))
    mask = np.zeros(L.size, bool)
    mask[rng.choice(L.size, hints, replace=False)] = True
    ab = rng.uniform(-50, 50, (height, width, 2)).astype(np.float32)
    return L.astype(np.float32), ab, mask.reshape(height, width)


@pytest.mark.parametrize(("height", "width", "hints"), [(12, 17, 3), (23, 9, 20), (1, 8, 1), (5, 1, 2)])
def test_it_is_the_dense_solution(height, width, hints):
    given_ = picture(0, height, width, hints)
    np.testing.assert_allclose(levin.propagate(*given_), dense(*given_), atol=2e-2)


def test_multigrid_is_the_direct_solution(monkeypatch):
    given_ = picture(1, 140, 90, 12)
    direct = levin.propagate(*given_)
    monkeypatch.setattr(levin, "MOST_DIRECT", 100)
    monkeypatch.setattr(levin.multigrid, "COARSEST", 40)
    monkeypatch.setattr(levin.multigrid, "BUCKET", 32)
    found = levin.propagate(*given_)
    assert np.sqrt(np.mean((found - direct) ** 2)) < 0.1
    monkeypatch.setattr(levin, "TOLERANCE", 1e-4)
    np.testing.assert_allclose(levin.propagate(*given_), direct, atol=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(2, 12), st.integers(1, 4))
def test_hints_are_kept_and_bound_the_rest(seed, height, width, hints):
    L, ab, mask = picture(seed, height, width, hints)
    found = levin.propagate(L, ab, mask)
    np.testing.assert_array_equal(found[mask], ab[mask])
    assert (found >= ab[mask].min(0) - 1e-2).all()  # means of neighbours exceed nothing
    assert (found <= ab[mask].max(0) + 1e-2).all()
    ab[~mask] = 99  # what is not under the mask is not looked at
    np.testing.assert_array_equal(levin.propagate(L, ab, mask), found)


def test_one_colour_fills_the_picture_and_none_leaves_it_gray():
    L, ab, mask = picture(2, 20, 30, 1)
    np.testing.assert_allclose(levin.propagate(L, ab, mask), np.broadcast_to(ab[mask], ab.shape), atol=1e-2)
    np.testing.assert_array_equal(levin.propagate(L, ab, np.zeros_like(mask)), 0)
    np.testing.assert_array_equal(levin.propagate(L, ab, np.ones_like(mask)), ab)


def test_colours_stop_at_edges():
    L = np.full((30, 40), 30, np.float32)
    L[:, 20:] = 70
    ab, mask = np.zeros((30, 40, 2), np.float32), np.zeros((30, 40), bool)
    for column, color in ((5, (40, 10)), (35, (-30, 20))):
        mask[15, column], ab[15, column] = True, color
    found = levin.propagate(L, ab, mask)
    assert np.abs(found[:, :19] - (40, 10)).max() < 8
    assert np.abs(found[:, 21:] - (-30, 20)).max() < 8
