import colorsys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2hsv, rgb2yuv

from hybridvit.color.spaces import SPACES, U_MOST, V_MOST

rng = np.random.default_rng(3)
COLOURS = np.concatenate(
    [rng.random((500, 3)), np.eye(3), 1 - np.eye(3), np.linspace(0, 1, 11)[:, None].repeat(3, 1)]
).astype(np.float32)
shares = st.floats(0, 1, width=32)


@pytest.mark.parametrize("name", SPACES)
def test_there_and_back(name):
    space = SPACES[name]
    luma, chroma = space.to_luma_chroma(jnp.asarray(COLOURS))
    assert luma.shape == (len(COLOURS), 1)
    assert chroma.shape == (len(COLOURS), space.channels)
    assert np.abs(luma).max() <= 1 + 1e-5
    assert np.abs(chroma).max() <= 1 + 1e-5
    np.testing.assert_allclose(space.to_rgb(luma, chroma), COLOURS, atol=2e-5)


@pytest.mark.parametrize("name", SPACES)
def test_luma_of_gray_pictures_and_of_gray_colours_agree(name):
    gray = np.linspace(0, 1, 21, dtype=np.float32)[:, None]
    luma, chroma = SPACES[name].to_luma_chroma(jnp.asarray(gray.repeat(3, 1)))
    np.testing.assert_allclose(SPACES[name].gray_to_luma(jnp.asarray(gray)), luma, atol=1e-5)
    if name != "rgb":
        np.testing.assert_allclose(chroma, 0, atol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_gradients_are_finite_at_gray_black_and_the_primaries(name):
    space = SPACES[name]

    def there_and_back(rgb):
        luma, chroma = space.to_luma_chroma(rgb)
        return space.to_rgb(luma, 0.5 * chroma).sum() + jnp.square(chroma).sum()

    corners = np.array(np.meshgrid([0, 0.5, 1], [0, 0.5, 1], [0, 0.5, 1])).reshape(3, -1).T
    assert np.isfinite(jax.grad(there_and_back)(jnp.asarray(corners, jnp.float32))).all()
    nothing = jnp.zeros((4, space.channels))
    assert np.isfinite(jax.grad(lambda c: space.to_rgb(jnp.zeros((4, 1)), c).sum())(nothing)).all()


def test_yuv_is_that_of_scikit_image():
    y, u, v = rgb2yuv(COLOURS).T
    luma, chroma = SPACES["yuv"].to_luma_chroma(jnp.asarray(COLOURS))
    np.testing.assert_allclose(luma[:, 0], 2 * y - 1, atol=1e-5)
    np.testing.assert_allclose(chroma, np.stack([u / U_MOST, v / V_MOST], -1), atol=2e-4)


@settings(deadline=None)
@given(st.tuples(shares, shares, shares))
def test_hsv_is_that_of_the_standard_library(rgb):
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    if max(rgb) - min(rgb) < 1e-4:
        return
    luma, chroma = SPACES["hsv"].to_luma_chroma(jnp.float32([rgb]))
    assert luma[0, 0] == pytest.approx(2 * value - 1, abs=1e-5)
    angle = 2 * np.pi * hue
    np.testing.assert_allclose(chroma[0], saturation * np.array([np.cos(angle), np.sin(angle)]), atol=1e-3)


def test_hsv_is_that_of_scikit_image():
    hue, saturation, value = rgb2hsv(COLOURS).T
    luma, chroma = SPACES["hsv"].to_luma_chroma(jnp.asarray(COLOURS))
    np.testing.assert_allclose(luma[:, 0], 2 * value - 1, atol=1e-5)
    expected = saturation * np.array([np.cos(2 * np.pi * hue), np.sin(2 * np.pi * hue)])
    np.testing.assert_allclose(chroma.T, expected, atol=1e-4)
