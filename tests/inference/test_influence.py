import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.influence import (
    FITTED,
    NOISE,
    cell_means,
    choose_cells,
    flattest_place,
    remaining,
)


def even(rows, columns):
    """A distribution, lightness and deviation that are the same everywhere."""
    probs = np.full((rows, columns, NUM_BINS), 1 / NUM_BINS)
    return probs, np.full((rows, columns), 50.0), np.full((rows, columns), 10.0)


def test_of_a_square_all_alike_it_is_the_middle():
    (cell,) = choose_cells(*even(9, 9), np.ones((9, 9), bool), 1)
    assert (cell.row, cell.column) == (4, 4)
    assert 0 < cell.gain < 1


def test_of_two_things_it_is_the_larger_then_the_other():
    probs, L, deviation = even(8, 12)
    probs[:, 8:] = 0
    probs[:, 8:, 7] = 1
    first, second = choose_cells(probs, L, deviation, np.ones(L.shape, bool), 2)
    assert first.column < 8 <= second.column
    assert first.gain > second.gain


def test_what_is_known_or_not_allowed_is_not_chosen():
    probs, L, deviation = even(6, 10)
    deviation[:, :5] = 0
    allowed = np.ones(L.shape, bool)
    allowed[:3] = False
    for cell in choose_cells(probs, L, deviation, allowed, 3):
        assert cell.column >= 5
        assert cell.row >= 3
    assert choose_cells(probs, L, 0 * deviation, allowed, 3) == []
    assert choose_cells(probs, L, deviation, ~np.ones(L.shape, bool), 3) == []


def test_the_gain_of_a_single_cell_among_strangers_is_its_own_variance():
    probs = np.zeros((1, 3, NUM_BINS))
    probs[0, range(3), range(3)] = 1  # nothing alike
    deviation = np.array([[3.0, 20.0, 4.0]])
    (cell,) = choose_cells(probs, np.full((1, 3), 50.0), deviation, np.ones((1, 3), bool), 1)
    assert (cell.row, cell.column) == (0, 1)
    assert cell.gain == pytest.approx(400 * 400 / (400 + NOISE) / (9 + 400 + 16), rel=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_gains_are_what_gaussian_conditioning_removes(seed):
    rng = np.random.default_rng(seed)
    probs, L, deviation = even(3, 4)
    deviation = rng.uniform(1, 20, L.shape)
    cells = choose_cells(probs, L, deviation, np.ones(L.shape, bool), 3)
    rows, columns = np.indices(L.shape).reshape(2, -1)
    far = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    sizes = deviation.ravel()
    covariance = FITTED.shared * np.exp(-far / (FITTED.reach * 3)) * np.outer(sizes, sizes)
    np.fill_diagonal(covariance, sizes**2)
    index = [cell.row * 4 + cell.column for cell in cells]
    known = covariance[np.ix_(index, index)] + NOISE * np.eye(len(index))
    left = covariance - covariance[:, index] @ np.linalg.solve(known, covariance[index])
    removed = 1 - np.trace(left) / np.trace(covariance)
    assert sum(cell.gain for cell in cells) == pytest.approx(removed, rel=1e-3)


def test_long_strips_take_little_memory():
    probs, L, deviation = even(16, 256)
    cells = choose_cells(probs, L, deviation, np.ones(L.shape, bool), 4)
    assert np.ptp([cell.column for cell in cells]) > 64


def test_cell_means():
    x = np.arange(12 * 20, dtype=np.float32).reshape(12, 20)
    means = cell_means(x)
    assert means.shape == (2, 3)
    assert means[0, 0] == x[:8, :8].mean()
    assert cell_means(np.stack([x, 2 * x], -1))[1, 2, 1] == pytest.approx(2 * means[1, 2])


def test_the_place_is_off_the_edge():
    L = np.full((24, 24), 80.0, np.float32)
    L[:, :11] = 20  # through the middle cell: 3 of its 8 columns are dark
    row, column = flattest_place(L, 1, 1)
    assert 8 < row < 16
    assert 13 <= column < 16


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 100))
def test_the_place_is_a_pixel_of_the_cell(height, width, seed):
    L = np.random.default_rng(seed).uniform(0, 100, (height, width)).astype(np.float32)
    cell = (height - 1) // 8, (width - 1) // 8
    row, column = flattest_place(L, *cell)
    assert (row // 8, column // 8) == cell
    assert row < height
    assert column < width


def test_what_a_known_colour_leaves_is_what_choosing_its_cell_would():
    rng = np.random.default_rng(3)
    probs, L = rng.dirichlet(np.full(313, 0.1), (6, 9)), rng.uniform(20, 80, (6, 9))
    deviation = rng.uniform(5, 15, L.shape)
    known = np.zeros(L.shape, bool)
    np.testing.assert_allclose(remaining(probs, L, deviation, known), deviation)
    known[2, 3] = True
    left = remaining(probs, L, deviation, known)
    assert left[2, 3] == pytest.approx(
        np.sqrt(1 / (1 / deviation[2, 3] ** 2 + 1 / NOISE))
    )  # two measurements
    assert (left <= deviation).all()
    known[4, 7] = True
    assert (remaining(probs, L, deviation, known) <= left + 1e-9).all()
