"""The view's size, and area averages against brute force."""

import math

import jax
import numpy as np
import pytest
from skimage.color import rgb2lab

from hybridvit.inference.view import shrink, view_lightness, view_size


def test_the_shorter_side_is_what_was_asked_and_the_aspect_is_kept():
    assert view_size(2448, 3264, 256) == (256, 341)
    assert view_size(3264, 2448, 256) == (341, 256)
    assert view_size(256, 256, 256) == (256, 256)


def test_pictures_are_not_enlarged_unless_tiny():
    assert view_size(120, 180, 256) == (120, 180)
    assert view_size(16, 32, 256) == (64, 128)
    assert view_size(1, 1, 256) == (64, 64)
    assert view_size(20, 20, 32) == (32, 32)


def test_very_long_strips_stay_within_bounds():
    assert view_size(1000, 20_000, 256) == (102, 2048)
    assert view_size(1, 100_000, 256) == (1, 2048)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(12, 20, 3), (7, 9, 1), (5, 5, 3)])
@pytest.mark.parametrize("view", [(4, 5), (5, 3), (1, 1)])
def test_shrinking_averages_areas(dtype, shape, view):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    fine = pixels / np.iinfo(dtype).max
    for axis in (0, 1):  # each pixel divided so finely that all cells are made of whole parts
        parts = math.lcm(shape[axis], view[axis])
        fine = fine.repeat(parts // shape[axis], axis)
        split = (*fine.shape[:axis], view[axis], parts // view[axis], *fine.shape[axis + 1 :])
        fine = fine.reshape(split).mean(axis + 1)
    small = shrink(pixels, *view)
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, fine, atol=1e-6)


def test_the_views_lightness_is_that_of_the_averages():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    blocks = pixels.reshape(4, 3, 4, 4, 3).mean((1, 3)) / 255
    np.testing.assert_allclose(view_lightness(pixels, 4, 4), rgb2lab(blocks)[..., 0], atol=1e-3)


def test_an_enlarged_view_repeats_pixels():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    np.testing.assert_allclose(
        shrink(pixels, 4, 6), pixels.repeat(2, 0).repeat(2, 1) / np.float32(255), atol=1e-7
    )


def test_views_of_about_the_same_size_share_a_program(caplog):
    """Scans differ by a few pixels each, and a folder has hundreds."""
    pixels = np.random.default_rng(1).integers(0, 256, (150, 190, 1), np.uint8)
    view_lightness(pixels, 100, 131)
    with jax.log_compiles():
        L = view_lightness(pixels, 101, 130)
    assert "Compiling" not in caplog.text
    np.testing.assert_allclose(L, rgb2lab(shrink(pixels, 101, 130).repeat(3, -1))[..., 0], atol=2e-3)
