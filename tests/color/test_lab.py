import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color as reference

from hybridvit.color import lab

rng = np.random.default_rng(0)


def lab_to_rgb(x: jax.Array) -> jax.Array:
    return lab.to_rgb(x[..., :1] / 50 - 1, x[..., 1:] / lab.CHROMA_SCALE)


# Just below, at and just above the joints of the curves, and the ends.
JOINTS = [0.0, 1e-12, 1 / 255, 0.04045 - 1e-6, 0.04045, 0.04045 + 1e-6, 0.0031308, 0.008856, 0.5, 1.0]
RGB = np.concatenate(
    [
        rng.random((4000, 3)),
        rng.random((1000, 3)) * 0.06,  # both linear pieces
        np.stack(np.meshgrid(*[[0.0, 0.5, 1.0]] * 3), -1).reshape(-1, 3),  # black, white, primaries
        np.stack(np.meshgrid(*[JOINTS] * 3), -1).reshape(-1, 3),
        np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1),
    ]
).astype(np.float32)
# y = (L + 16) / 116 meets the joint of the inverse at L = 8; the other two meet it with ab.
LAB = np.concatenate(
    [
        rng.random((6000, 3)) * [100, 256, 256] - [0, 128, 128],
        np.stack(np.meshgrid([0, 7.9996, 8, 8.0004, 50, 100], [-128, 0, 128], [-128, 0, 128]), -1).reshape(
            -1, 3
        ),
        rng.normal(size=(1000, 3)) * 400,
        np.array([[0, 0, 0], [100, 0, 0], [8, 8, 8], [0, -128, 128], [120, 0, 0], [-20, 0, 0], [1, 0, 200]]),
    ]
).astype(np.float32)


def reference_rgb(colours):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of colours out of the gamut
        return reference.lab2rgb(colours.astype(np.float64))


def finite_gradients(function, *arrays):
    gradients = jax.grad(lambda *a: jnp.sum(function(*a) ** 2), argnums=tuple(range(len(arrays))))
    return all(bool(jnp.isfinite(g).all()) for g in jax.jit(gradients)(*map(jnp.asarray, arrays)))


def test_rgb_to_lab_equals_scikit_image():
    expected = reference.rgb2lab(RGB.astype(np.float64))
    np.testing.assert_allclose(jax.jit(lab.rgb_to_lab)(RGB), expected, atol=1e-3, rtol=0)


def test_lab_to_rgb_equals_scikit_image_out_of_the_gamut_too():
    out = np.asarray(jax.jit(lab_to_rgb)(LAB))
    np.testing.assert_allclose(out, reference_rgb(LAB), atol=1e-3, rtol=0)
    assert out.min() == 0
    assert out.max() == 1


def test_linear_light_equals_the_standard_and_back():
    x = RGB.ravel().astype(np.float64)
    expected = np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    linear = lab.srgb_to_linear(jnp.asarray(RGB.ravel()))
    np.testing.assert_allclose(linear, expected, atol=1e-6)
    np.testing.assert_allclose(lab.linear_to_srgb(linear), x, atol=2e-6)


through_lab = jax.jit(lambda rgb: lab_to_rgb(lab.rgb_to_lab(rgb)))
through_luma_and_chroma = jax.jit(lambda rgb: lab.to_rgb(*lab.to_luma_chroma(rgb)))


@settings(deadline=None, max_examples=50)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_eight_bit_colours_come_back_through_lab_and_through_luma_and_chroma(colour):
    rgb = jnp.asarray(colour, jnp.float32) / 255
    np.testing.assert_allclose(through_lab(rgb), rgb, atol=2e-5)
    np.testing.assert_allclose(through_luma_and_chroma(rgb), rgb, atol=2e-5)


def test_luma_and_chroma_are_scaled_lab():
    rgb = jnp.asarray(RGB).reshape(-1, 1, 3)
    luma, chroma = lab.to_luma_chroma(rgb)
    colours = lab.rgb_to_lab(rgb)
    np.testing.assert_allclose(luma, colours[..., :1] / 50 - 1, atol=1e-5)
    np.testing.assert_allclose(chroma, colours[..., 1:] / lab.CHROMA_SCALE, atol=1e-5)
    assert -1 - 1e-5 < luma.min() < -0.99
    assert 0.99 < luma.max() < 1 + 1e-5
    assert 0.9 < jnp.abs(chroma).max() < 1


def test_gray_to_luma_is_that_of_three_equal_channels():
    gray = jnp.linspace(0, 1, 256)[:, None]
    luma, chroma = lab.to_luma_chroma(jnp.repeat(gray, 3, -1))
    np.testing.assert_allclose(lab.gray_to_luma(gray), luma, atol=1e-5)
    assert jnp.abs(chroma).max() * lab.CHROMA_SCALE < 0.02


@pytest.mark.parametrize("function", [lab.rgb_to_lab, lab.srgb_to_linear, lab.linear_to_srgb])
def test_gradients_of_rgb_are_finite_everywhere(function):
    outside = np.array(
        [[-1, -0.5, 2], [0, 0, 0], [-1e-20, 1e-20, 1e-38], [-3, -3, -3], [5, 5, 5]], np.float32
    )
    assert finite_gradients(function, np.concatenate([RGB, -RGB, RGB * 3, outside]))


def test_gradients_of_lab_are_finite_everywhere():
    assert finite_gradients(lab_to_rgb, LAB)
    assert finite_gradients(lab.to_rgb, LAB[:, :1] / 50 - 1, LAB[:, 1:] / 110)


def test_gradients_equal_finite_differences_within_the_gamut():
    rgb = np.clip(rng.random((200, 3)), 0.05, 0.95)
    step = 1e-4
    weights = np.array([0.3, -0.7, 1.0])
    for function, numeric, x in [
        (lab.rgb_to_lab, reference.rgb2lab, rgb),
        (lab_to_rgb, reference.lab2rgb, reference.rgb2lab(rgb)),
    ]:
        got = jax.grad(lambda v, f=function: jnp.sum(f(v) * weights.astype(np.float32)))(
            jnp.asarray(x, jnp.float32)
        )
        for channel in range(3):
            d = step * np.eye(3)[channel]
            expected = (((numeric(x + d) - numeric(x - d)) / (2 * step)) * weights).sum(-1)
            np.testing.assert_allclose(got[:, channel], expected, rtol=5e-3, atol=1e-4)


def test_any_leading_shape():
    x = jnp.asarray(RGB[:24])
    for shape in [(3,), (24, 3), (2, 12, 3), (2, 3, 4, 3)]:
        part = x.reshape(-1, 3)[: int(np.prod(shape)) // 3].reshape(shape)
        assert lab.rgb_to_lab(part).shape == lab_to_rgb(part).shape == shape
        np.testing.assert_allclose(jax.vmap(lab.rgb_to_lab)(part[None])[0], lab.rgb_to_lab(part), atol=1e-4)
