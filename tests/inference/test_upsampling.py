"""Upsampling of chroma: what must stay stays, and colours stay within edges of lightness."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter, zoom

from hybridvit.inference.upsampling import (
    chroma_planes,
    cubic_weights,
    guide_maps,
    interpolate,
    window_size,
)


def upsample(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    """In one piece: chroma [H, W, 2]."""
    weights = [
        jnp.asarray(cubic_weights(size, view, 0, size, view)[1])
        for size, view in zip(L.shape, view_L.shape, strict=True)
    ]
    maps = jnp.asarray(guide_maps(ab, view_L))
    for axis in (1, 2):
        maps = interpolate(maps, weights[axis - 1], axis)
    planes = chroma_planes(maps, jnp.asarray(L))
    return np.stack(planes, -1)


def means(pixels: np.ndarray, factor: int) -> np.ndarray:
    height, width = (size // factor for size in pixels.shape[:2])
    return pixels.reshape(height, factor, width, factor, -1).mean((1, 3)).astype(np.float32)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_constant_chroma_stays_constant(rng):
    L = 100 * rng.random((40, 56), np.float32)
    ab = np.broadcast_to(np.float32([31, -17]), (10, 14, 2))
    np.testing.assert_allclose(
        upsample(ab, means(L, 4)[..., 0], L), np.broadcast_to([31, -17], (40, 56, 2)), atol=1e-3
    )


def test_a_view_of_the_pictures_size_is_returned_as_it_is(rng):
    L, ab = 100 * rng.random((9, 13), np.float32), 50 * rng.standard_normal((9, 13, 2), np.float32)
    np.testing.assert_allclose(upsample(ab, L, L), ab, atol=1e-3)


def test_without_a_guide_smooth_chroma_is_interpolated_smoothly():
    ramp = np.linspace(-60, 60, 12, dtype=np.float32)
    ab = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :]), -1)
    flat = np.full((12, 12), 50, np.float32)
    up = upsample(ab, flat, np.full((96, 96), 50, np.float32))
    linear = zoom(ab, (8, 8, 1), order=1, grid_mode=True, mode="nearest")
    inside = np.s_[16:-16, 16:-16]
    np.testing.assert_allclose(up[inside], linear[inside], atol=1.0)  # a kernel with 4 taps does not ring


@settings(deadline=None, max_examples=25)
@given(edge=st.integers(17, 46), dark=st.integers(5, 40), step=st.integers(25, 55), upright=st.booleans())
def test_colour_stays_within_an_edge_of_lightness(edge, dark, step, upright):
    """Two flat areas, divided anywhere: the pixels at the edge have their own area's colour."""
    right = np.broadcast_to(np.arange(64) >= edge, (64, 64))
    right = right if upright else right.T
    L = np.where(right, dark + step, dark).astype(np.float32)
    truth = np.where(right[..., None], [40, -30], [-20, 35]).astype(np.float32)
    error = np.abs(upsample(means(truth, 8), means(L, 8)[..., 0], L) - truth)
    unguided = np.abs(
        upsample(means(truth, 8), np.full((8, 8), 50, np.float32), np.full((64, 64), 50, np.float32)) - truth
    )
    assert error.max() < 20  # of steps of 60 and 65
    assert error.mean() < 0.6 * unguided.mean()


def test_texture_too_faint_to_be_an_edge_does_not_tint_flat_colour(rng):
    """Grain beside a coloured area: its lightness says nothing about chroma."""
    L = (50 + 2 * rng.standard_normal((64, 64))).astype(np.float32)
    ab = np.broadcast_to(np.float32([25, 25]), (8, 8, 2)) + rng.standard_normal((8, 8, 2)).astype(np.float32)
    assert np.abs(upsample(ab, means(L, 8)[..., 0], L) - 25).max() < 5


@settings(deadline=None, max_examples=100)
@given(
    size=st.integers(1, 900), view=st.integers(1, 200), start=st.integers(0, 899), count=st.integers(1, 300)
)
def test_weights_sum_to_one_and_a_window_gives_what_the_whole_view_gives(size, view, start, count):
    start = min(start, size - 1)
    window = window_size(size, view, count)
    first, weights = cubic_weights(size, view, start, count, window)
    _, whole = cubic_weights(size, view, start, count, view)
    beyond = np.arange(start, start + count) >= size
    np.testing.assert_allclose(weights[~beyond].sum(1), 1, atol=1e-5)
    assert not weights[beyond].any()
    placed = np.zeros((count, max(view, first + window)))
    placed[:, first : first + window] = weights
    np.testing.assert_allclose(placed[:, :view], whole, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (23, 31)])
def test_maps_are_the_least_squares_of_the_nine_pixels_around(rng, shape):
    L = (90 + 10 * rng.random(shape)).astype(np.float32)  # bright: moments of large numbers
    ab = 60 * rng.standard_normal((*shape, 2), np.float32)

    def mean(plane):
        return uniform_filter(plane.astype(np.float64), 3, mode="nearest")

    variance = mean(L.astype(np.float64) ** 2) - mean(L) ** 2
    covariance = [mean(ab[..., i].astype(np.float64) * L) - mean(L) * mean(ab[..., i]) for i in (0, 1)]
    slopes = [mean(one / (variance + 50)) for one in covariance]
    maps = guide_maps(ab, L)
    np.testing.assert_array_equal(maps[:3], [ab[..., 0], ab[..., 1], L])
    np.testing.assert_allclose(maps[3:], slopes, atol=2e-4)
