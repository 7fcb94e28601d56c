"""Lightness and composition against scikit-image: lightness and hue kept, colours of the gamut reproduced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from hybridvit.inference.composition import compose, lightness

DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
SEEDS = st.integers(0, 2**32 - 1)
COLOURS = 512  # in one example: one shape, one compilation


def lab_of(pixels: np.ndarray) -> np.ndarray:
    return rgb2lab(pixels / np.iinfo(pixels.dtype).max)


def asked(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random lightness, dark ones often, and chroma up to far out of the gamut."""
    rng = np.random.default_rng(seed)
    L = 100 * rng.random(COLOURS) ** rng.choice([1, 3])
    ab = rng.uniform(-1, 1, (COLOURS, 2)) * rng.choice([5, 40, 120])
    return L.astype(np.float32), ab.astype(np.float32)


@DEPTHS
def test_lightness_is_scikit_images(dtype):
    rng = np.random.default_rng(0)
    rgb = (np.iinfo(dtype).max * rng.random((32, 16, 3)) ** 2).astype(dtype)
    np.testing.assert_allclose(lightness(rgb), lab_of(rgb)[..., 0], atol=2e-3)
    np.testing.assert_allclose(
        lightness((rgb / np.iinfo(dtype).max).astype(np.float32)), lightness(rgb), atol=1e-3
    )
    gray = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    np.testing.assert_allclose(
        lightness(gray[:, None]), lab_of(gray[:, None].repeat(3, 1))[..., 0], atol=2e-3
    )


@DEPTHS
def test_no_chroma_gives_every_gray_level_back(dtype):
    gray = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[:, None]
    rgb = np.asarray(compose(lightness(gray), np.zeros((len(gray), 2), np.float32), dtype))
    assert rgb.dtype == dtype
    np.testing.assert_array_equal(rgb, gray.repeat(3, 1))


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 0.5), (np.uint16, 0.05)])
@settings(deadline=None, max_examples=50)
@given(seed=SEEDS)
def test_lightness_is_kept_whatever_the_chroma(dtype, most, seed):
    L, ab = asked(seed)
    kept = lab_of(np.asarray(compose(L, ab, dtype)))[:, 0]
    assert np.abs(kept - L).max() <= most


@pytest.mark.parametrize(("dtype", "levels"), [(np.uint8, 1), (np.uint16, 64)])  # its white is less precise
@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_colours_of_the_gamut_come_back(dtype, levels, seed):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, np.iinfo(dtype).max, (COLOURS, 3), dtype, endpoint=True)
    rgb[:64] = np.iinfo(dtype).max * rng.integers(0, 2, (64, 3))  # corners of the cube
    lab = lab_of(rgb).astype(np.float32)
    back = np.asarray(compose(lab[:, 0], lab[:, 1:], dtype))
    assert np.abs(back.astype(int) - rgb).max() <= levels


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_out_of_gamut_keeps_hue_and_all_the_chroma_there_is_room_for(seed):
    L, ab = asked(seed)
    rgb = np.asarray(compose(L, ab, np.uint16)) / 65535
    given_ab = rgb2lab(rgb)[:, 1:]
    chroma, chroma_asked = np.linalg.norm(given_ab, axis=1), np.linalg.norm(ab, axis=1)
    assert (chroma <= chroma_asked + 0.1).all()
    off_hue = np.abs(given_ab[:, 0] * ab[:, 1] - given_ab[:, 1] * ab[:, 0]) / np.maximum(chroma_asked, 1e-3)
    assert off_hue.max() < 0.1  # ab units across the hue asked for
    lost = chroma < chroma_asked - 0.5
    darkest, brightest = (rgb[lost] / 12.92).min(1), rgb[lost].max(1)  # darkest in linear light
    assert np.all((darkest < 2e-3) | (brightest > 0.995))


@DEPTHS
def test_black_and_white_have_no_room_for_chroma(dtype):
    L = np.array([0, 100], np.float32)
    rgb = np.asarray(compose(L, np.full((2, 2), 60, np.float32), dtype))
    np.testing.assert_allclose(rgb / np.iinfo(dtype).max, [[0] * 3, [1] * 3], atol=2e-3)
