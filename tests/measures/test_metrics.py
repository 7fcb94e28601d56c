import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from hybridvit.measures import metrics

rng = np.random.default_rng(3)


def pairs():
    """Pictures and distorted copies of them, uint8 [6, 60, 70, 3]."""
    photo = skimage.data.astronaut()[100:160, 200:270]
    noise = rng.integers(0, 256, photo.shape)
    gray = np.repeat(photo.mean(-1, keepdims=True), 3, -1)
    flat = np.full_like(photo, 90)
    truth = np.stack([photo, photo, noise, photo, flat, np.zeros_like(photo)])
    other = [
        photo + rng.normal(0, 12, photo.shape),
        np.roll(photo, 2, 0),
        noise[::-1],
        gray,
        flat + 3,
        255 + flat * 0,
    ]
    return np.clip(np.rint(other), 0, 255).astype(np.uint8), truth.astype(np.uint8)


OTHER, TRUTH = pairs()
RGB, REFERENCE = jnp.asarray(OTHER, jnp.float32) / 255, jnp.asarray(TRUTH, jnp.float32) / 255


def test_psnr_equals_scikit_image_up_to_the_cap():
    expected = [peak_signal_noise_ratio(t, o) for o, t in zip(OTHER, TRUTH, strict=True)]
    np.testing.assert_allclose(jax.jit(metrics.psnr)(RGB, REFERENCE), expected, atol=1e-3)
    np.testing.assert_allclose(metrics.psnr(REFERENCE, REFERENCE), 50.0, atol=1e-4)
    np.testing.assert_allclose(metrics.psnr(REFERENCE * 0.5 + 0.001, REFERENCE * 0.5), 50.0, atol=1e-4)


@pytest.mark.parametrize("crop", [(60, 70), (11, 11), (11, 30), (25, 12)])
def test_ssim_equals_scikit_image(crop):
    height, width = crop
    expected = [
        structural_similarity(
            o[:height, :width] / 255.0,
            t[:height, :width] / 255.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=-1,
            data_range=1,
        )
        for o, t in zip(OTHER, TRUTH, strict=True)
    ]
    got = jax.jit(metrics.ssim)(RGB[:, :height, :width], REFERENCE[:, :height, :width])
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_ssim_of_equal_pictures_is_one_and_of_tiny_ones_an_error():
    np.testing.assert_allclose(metrics.ssim(RGB, RGB), 1.0, atol=1e-5)
    with pytest.raises(ValueError, match="11 x 11 px or more, not 10 x 70"):
        metrics.ssim(RGB[:, :10], RGB[:, :10])


def test_colorfulness_equals_the_paper_s_formula_in_its_signed_variant():
    pixels = OTHER.reshape(len(OTHER), -1, 3).astype(np.float64)
    rg = pixels[..., 0] - pixels[..., 1]
    yb = (pixels[..., 0] + pixels[..., 1]) / 2 - pixels[..., 2]
    expected = np.hypot(rg.std(1), yb.std(1)) + 0.3 * np.hypot(rg.mean(1), yb.mean(1))
    got = np.asarray(metrics.colorfulness(RGB))
    np.testing.assert_allclose(got, expected, atol=1e-3)
    np.testing.assert_allclose(got[3:], 0, atol=1e-3)  # gray, flat, white
    unsigned = np.hypot(abs(rg).std(1), abs(yb).std(1)) + 0.3 * np.hypot(abs(rg).mean(1), abs(yb).mean(1))
    assert abs(got[2] - unsigned[2]) > 10
    np.testing.assert_allclose(metrics.colorfulness(RGB, unsigned=True), unsigned, atol=1e-3)


def test_mean_ciede2000_equals_scikit_image():
    expected = deltaE_ciede2000(rgb2lab(OTHER), rgb2lab(TRUTH)).mean((1, 2))
    np.testing.assert_allclose(jax.jit(metrics.mean_ciede2000)(RGB, REFERENCE), expected, atol=2e-3)


def test_to_uint8_grid_is_rounding_to_a_file_and_back():
    rgb = rng.normal(0.5, 0.5, (2, 8, 9, 3)).astype(np.float32)
    expected = np.clip(np.rint(rgb * np.float32(255)), 0, 255).astype(np.uint8) / 255.0
    np.testing.assert_allclose(metrics.to_uint8_grid(jnp.asarray(rgb)), expected, atol=1e-7)
    np.testing.assert_array_equal(metrics.to_uint8_grid(RGB), RGB)


def test_each_picture_is_measured_by_itself():
    for measure in (metrics.psnr, metrics.ssim, metrics.mean_ciede2000):
        together = measure(RGB, REFERENCE)
        assert together.shape == (len(OTHER),)
        np.testing.assert_allclose(measure(RGB[2:3], REFERENCE[2:3])[0], together[2], rtol=1e-5)
