import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.metrics import structural_similarity

from hybridvit.objectives.ssim_loss import l1_ssim_loss

rng = np.random.default_rng(2)


def draw(channels):
    truth = rng.uniform(-0.8, 0.8, (2, 6, 7, channels)).repeat(4, 1).repeat(4, 2)
    chroma = np.clip(truth + rng.normal(0, 0.1, truth.shape), -1, 1)
    return chroma.astype(np.float32), truth.astype(np.float32)


def similarity(x, y):
    """scikit-image's, of pictures 0..1 with the window of the paper."""
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    return structural_similarity(x.astype(float), y.astype(float), channel_axis=-1, **settings)


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_it_is_l1_and_the_similarity_of_the_whole_picture(channels, share):
    chroma, truth = draw(channels)
    pictures, true_pictures = chroma, truth
    if channels == 2:
        luma = rng.uniform(-1, 1, (*chroma.shape[:3], 1))
        pictures, true_pictures = (np.concatenate([luma, x], -1) for x in (chroma, truth))
    expected = np.mean(
        [similarity((p + 1) / 2, (t + 1) / 2) for p, t in zip(pictures, true_pictures, strict=True)]
    )
    expected = (1 - share) * np.abs(chroma - truth).mean() + share * (1 - expected)
    got = l1_ssim_loss(jnp.asarray(chroma), jnp.asarray(truth), share)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_it_falls_to_0_at_the_truth_and_its_gradient_is_finite():
    chroma, truth = map(jnp.asarray, draw(2))
    np.testing.assert_allclose(l1_ssim_loss(truth, truth), 0, atol=1e-6)
    gradient = jax.jit(jax.grad(l1_ssim_loss))
    assert np.isfinite(gradient(jnp.zeros_like(truth), jnp.zeros_like(truth))).all()
    assert l1_ssim_loss(chroma - 0.1 * jnp.sign(gradient(chroma, truth)), truth) < l1_ssim_loss(chroma, truth)


def test_pictures_below_the_window_are_refused():
    with pytest.raises(ValueError, match="11 x 11 px or more"):
        l1_ssim_loss(jnp.zeros((1, 8, 8, 2)), jnp.zeros((1, 8, 8, 2)))
