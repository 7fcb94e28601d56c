"""Welsh's and Reinhard's transfer of colours from a reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import generic_filter

from hybridvit.classical import reinhard, welsh

TRANSFERS = (welsh.transfer, reinhard.transfer)


def reference(seed: int = 0) -> np.ndarray:
    """Lab, of which a and b follow from L."""
    L = np.random.default_rng(seed).uniform(10, 90, (60, 80))
    return np.stack([L, L / 2 - 20, 30 - L / 2], -1).astype(np.float32)


def test_deviation_is_that_of_the_window():
    L = np.random.default_rng(0).uniform(0, 100, (9, 12))
    np.testing.assert_allclose(welsh.deviation_around(L), generic_filter(L, np.std, welsh.WINDOW), atol=1e-6)


def test_lightness_is_matched_in_mean_and_deviation():
    matched = welsh.match_lightness(reference()[..., 0], np.array([[20.0, 30.0], [50.0, 52.0]]))
    assert matched.mean() == pytest.approx(38, abs=1e-3)
    assert matched.std() == pytest.approx(np.std([20, 30, 50, 52]), abs=1e-3)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 300))
def test_the_grid_has_one_sample_a_cell(height, width, count):
    rows, columns = welsh.jittered_grid(height, width, count, np.random.default_rng(0))
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)
    assert (rows < height).all()
    assert (columns < width).all()
    if count <= height * width / 16 and max(height, width) < 3 * min(height, width):
        assert 0.6 * count <= len(rows) <= 1.6 * count


def test_welsh_is_the_nearest_sample():
    one, L = reference(), np.random.default_rng(1).uniform(20, 60, (15, 20)).astype(np.float32)
    light = welsh.match_lightness(one[..., 0], L)
    at = welsh.jittered_grid(60, 80, welsh.SAMPLES, np.random.default_rng(welsh.SEED))
    samples = zip(light[at], welsh.deviation_around(light)[at], one[at][:, 1:], strict=True)
    samples = list(samples)
    around = welsh.deviation_around(L)
    found = welsh.transfer(L, one)
    for y, x in np.ndindex(L.shape):
        best = min(abs(light_ - L[y, x]) + abs(d - around[y, x]) for light_, d, _ in samples)
        assert any(
            abs(light_ - L[y, x]) + abs(d - around[y, x]) < best + 1e-4 and np.array_equal(ab, found[y, x])
            for light_, d, ab in samples
        )


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_pictures_own_colours_come_back(transfer):
    one = reference()
    error = transfer(one[..., 0], one) - one[..., 1:]
    assert np.sqrt(np.mean(error**2)) < 0.5 * one[..., 1:].std()


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_one_colour_is_given_to_all(transfer):
    one = reference()
    one[..., 1:] = (12.0, -7.0)
    L = np.random.default_rng(1).uniform(0, 100, (20, 30)).astype(np.float32)
    np.testing.assert_allclose(transfer(L, one), np.broadcast_to((12, -7), (20, 30, 2)), atol=1e-4)


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (20, 30)])
def test_pictures_of_one_tone_and_tiny_ones(transfer, shape):
    flat = reference()
    flat[..., 0] = 50
    for one in (reference(), flat, reference()[:1, :1]):
        found = transfer(np.full(shape, 40, np.float32), one)
        assert found.shape == (*shape, 2)
        assert np.isfinite(found).all()


def test_reinhard_gives_bands_the_references_means():
    L = np.repeat(np.array([10, 30, 50, 70, 90], np.float32), 40).reshape(10, 20)
    one = np.stack([L, 2 * L, -L], -1)
    np.testing.assert_allclose(reinhard.transfer(L, one), one[..., 1:], rtol=0.1, atol=3)
