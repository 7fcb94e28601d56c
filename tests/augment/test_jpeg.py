import io

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft
import skimage
from PIL import Image

from hybridvit.augment.jpeg import compress


def pillow(gray, quality):
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer)).astype(np.float32)


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90])
@pytest.mark.parametrize("shape", [(128, 128), (61, 99)])
def test_loses_what_pillow_loses(quality, shape):
    gray = skimage.data.camera()[100 : 100 + shape[0], 180 : 180 + shape[1]]
    ours = np.asarray(
        compress(jnp.asarray(gray, jnp.float32)[None, ..., None] / 255, jnp.array([float(quality)]))
    )
    ours = np.clip(ours[0, ..., 0] * 255, 0, 255)
    theirs = pillow(gray, quality)
    whole = np.s_[: shape[0] // 8 * 8, : shape[1] // 8 * 8]  # encoders fill up broken blocks as they like
    error = np.sqrt(np.mean((theirs - gray)[whole] ** 2))
    assert error > 0.5
    assert np.sqrt(np.mean((ours - theirs)[whole] ** 2)) < 0.15 * error + 0.4
    np.testing.assert_allclose(np.sqrt(np.mean((ours - gray)[whole] ** 2)), error, rtol=0.08)


def test_levels_are_whole_steps_of_the_cosine_transform():
    picture = np.random.default_rng(0).uniform(size=(1, 8, 8, 1)).astype(np.float32)
    compressed = np.asarray(compress(jnp.asarray(picture), jnp.array([50.0])))[0, ..., 0]
    levels = scipy.fft.dctn(compressed * 255 - 128, norm="ortho")
    assert abs(levels[0, 0] / 16 - round(levels[0, 0] / 16)) < 1e-3  # step 16 of the standard's table
    assert abs(levels[1, 2] / 14 - round(levels[1, 2] / 14)) < 1e-3
    assert abs(levels[7, 0] / 72 - round(levels[7, 0] / 72)) < 1e-3


def test_each_picture_has_its_quality():
    picture = jnp.asarray(skimage.data.camera()[:64, 200:264], jnp.float32)[None, ..., None] / 255
    both = jnp.concatenate([picture, picture])
    error = np.abs(compress(both, jnp.array([95.0, 15.0])) - both).mean((1, 2, 3))
    assert error[1] > 3 * error[0] > 0
    np.testing.assert_allclose(compress(both, jnp.array([95.0, 15.0]), strength=0.0), both, atol=1e-5)
