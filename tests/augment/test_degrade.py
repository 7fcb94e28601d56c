import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import skimage
from ml_collections import ConfigDict

from hybridvit.augment import degrade as degrade_lib
from hybridvit.augment.degrade import degrade, expose, film_gray
from hybridvit.color.lab import gray_to_luma, to_luma_chroma
from hybridvit.runtime import mesh as mesh_lib

OPERATIONS = ("vignette", "blur", "tone", "grain", "fade", "scratches", "dust", "jpeg", "cutout")
KEY = jax.random.key(0)


@functools.partial(jax.jit, static_argnums=2)
def run_all(key, luma, probability):
    return degrade(key, luma, ConfigDict({name: probability for name in OPERATIONS} | {"strength": 1.0}))


@pytest.fixture(scope="module")
def pictures():
    """Eight crops of a photograph, lightness 0..1, [8, 48, 56, 1]: sides that 8 does and does not divide."""
    camera = skimage.data.camera().astype(np.float32) / 255
    return jnp.stack([jnp.asarray(camera[50 * i : 50 * i + 90 : 2, 100:212:2, None]) for i in range(8)])


def run(name, pictures, strength, key=KEY):
    operation = getattr(degrade_lib, name)
    return np.asarray(jax.jit(lambda key, x: operation(key, x, strength))(key, pictures))


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_changes_pictures_each_in_its_own_way(name, pictures):
    change = run(name, pictures, 1.0) - pictures
    size = np.abs(change).mean((1, 2, 3))
    assert (size > 1e-4).sum() >= 6  # by chance, a picture gets no scratch
    assert size.max() < 0.25
    assert len(set(size.round(6).tolist())) >= 6
    np.testing.assert_array_equal(run(name, pictures, 1.0) - pictures, change)
    assert np.abs(run(name, pictures, 1.0, jax.random.key(1)) - pictures - change).max() > 1e-3


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_strength_is_the_identity(name, pictures):
    np.testing.assert_allclose(run(name, pictures, 0.0), pictures, atol=1e-5)


@pytest.mark.parametrize("name", OPERATIONS)
def test_half_the_strength_changes_less(name, pictures):
    half, full = (np.abs(run(name, pictures, strength) - pictures).mean() for strength in (0.5, 1.0))
    assert 0.02 * full < half < 0.95 * full


def film_luma(rgb, config):
    return gray_to_luma(film_gray(KEY, rgb, config))


def test_probability_zero_is_the_identity_and_one_ages_all(pictures):
    luma = pictures * 2 - 1
    np.testing.assert_allclose(run_all(KEY, luma, 0.0), luma, atol=1e-6)
    aged = run_all(KEY, luma, 1.0)
    assert np.abs(aged - luma).mean((1, 2, 3)).min() > 0.01
    assert aged.min() >= -1
    assert aged.max() <= 1
    assert np.isfinite(aged).all()


def test_each_picture_draws_for_itself_and_any_sharding_draws_the_same(pictures):
    luma = pictures * 2 - 1
    one = np.asarray(run_all(KEY, luma, 0.5))
    np.testing.assert_array_equal(run_all(KEY, luma, 0.5), one)
    same = np.asarray(run_all(KEY, jnp.broadcast_to(luma[:1], luma.shape), 0.5))
    assert len({picture.tobytes() for picture in same}) == 8
    sharded = run_all(KEY, mesh_lib.put_batch(np.asarray(luma), mesh_lib.build_mesh(2)), 0.5)
    np.testing.assert_allclose(sharded, one, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.3])
def test_blur_equals_scipys(pictures, sigma):
    blurred = degrade_lib.gaussian_blur(pictures, jnp.full((8, 1, 1, 1), sigma), 7)
    expected = scipy.ndimage.gaussian_filter(
        np.asarray(pictures), (0, sigma, sigma, 0), mode="nearest", radius=(0, 7, 7, 0)
    )
    np.testing.assert_allclose(blurred, expected, atol=1e-5)


def test_grain_is_zero_in_the_mean_and_strongest_in_the_middle_tones():
    gray = jnp.broadcast_to(jnp.array([0.02, 0.5, 0.98])[:, None, None, None], (3, 96, 96, 1))
    noise = np.stack([run("grain", gray, 1.0, jax.random.key(seed)) - gray for seed in range(6)])
    deviation = noise.std((0, 2, 3, 4))
    assert 0.008 < deviation[1] < 0.04
    assert deviation[[0, 2]].max() < 0.5 * deviation[1]
    assert np.abs(noise.mean((0, 2, 3, 4))).max() < 0.002
    neighbours = np.corrcoef(noise[:, 1, :, 1:].ravel(), noise[:, 1, :, :-1].ravel())[0, 1]
    assert neighbours < 0.8


def test_tone_and_fade_keep_the_order_of_tones():
    ramp = jnp.broadcast_to(jnp.linspace(0, 1, 64)[None, None, :, None], (32, 2, 64, 1))
    for name in ("tone", "fade"):
        aged = run(name, ramp, 1.0)
        assert np.diff(aged, axis=2).min() > -1e-6
        assert aged.min() >= -1e-6
        assert aged.max() <= 1 + 1e-6


def test_scratches_are_thin_and_upright(pictures):
    changed = np.abs(run("scratches", jnp.full((32, 64, 64, 1), 0.5), 1.0)[..., 0] - 0.5) > 0.02
    assert changed.mean() < 0.1
    longest = changed.any(2).mean(1).max()  # share of the rows that a picture's scratches cross
    assert longest > 0.9
    assert changed.sum(2).max() <= 4 * 3


def test_dust_is_small_and_of_one_tone_in_a_picture():
    change = run("dust", jnp.full((32, 64, 64, 1), 0.5), 1.0)[..., 0] - 0.5
    assert 0.0005 < (np.abs(change) > 0.02).mean() < 0.03
    bright, dark = (change > 0.01).any((1, 2)), (change < -0.01).any((1, 2))
    assert not (bright & dark).any()
    assert bright.any()
    assert dark.any()


def test_cutout_is_a_rectangle_of_its_mean_or_of_gray(pictures):
    aged = run("cutout", pictures, 1.0)
    tones = []
    for before, after in zip(np.asarray(pictures), aged, strict=True):
        rows, columns, _ = np.nonzero(before != after)
        area = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert np.ptp(after[area]) < 1e-6
        assert min(np.abs(after[area].mean() - np.array([0.5, before[area].mean()]))) < 0.01
        tones.append(float(after[area][0, 0, 0]))
    assert 0 < sum(abs(tone - 0.5) < 1e-6 for tone in tones) < 8


def test_film_probability_zero_is_lightness():
    rgb = jax.random.uniform(KEY, (4, 8, 8, 3))
    luma = film_luma(rgb, ConfigDict({"film": 0.0, "strength": 1.0}))
    np.testing.assert_allclose(luma, to_luma_chroma(rgb)[0], atol=1e-4)
    luma = film_luma(rgb, ConfigDict({"film": 1.0, "strength": 0.0}))
    np.testing.assert_allclose(luma, to_luma_chroma(rgb)[0], atol=1e-4)


def test_films_differ_by_picture_and_keep_grays():
    config = ConfigDict({"film": 1.0, "strength": 1.0})
    gray = jnp.broadcast_to(jnp.linspace(0, 1, 16)[None, None, :, None], (64, 1, 16, 1))
    luma = film_luma(jnp.repeat(gray, 3, axis=-1), config)
    np.testing.assert_allclose(luma, gray_to_luma(gray), atol=1e-4)
    primaries = jnp.broadcast_to(jnp.eye(3), (64, 1, 3, 3))
    red, green, blue = np.moveaxis(np.asarray(film_luma(primaries, config))[:, 0, :, 0], 1, 0)
    true_red, true_green, true_blue = np.asarray(to_luma_chroma(jnp.eye(3)[None])[0])[0, :, 0]
    blind = red < true_red - 0.5  # orthochromatic: reds dark, blues bright
    assert 0.2 < blind.mean() < 0.6
    assert (blue[blind] > true_blue + 0.3).all()
    filtered = red > true_red + 0.4
    assert 0.02 < filtered.mean() < 0.25
    assert (blue[filtered] < true_blue).all()
    assert (green[filtered] < true_green).all()


def test_exposures_add_up_in_linear_light():
    rgb = jnp.array([[[[0.2, 0.5, 0.9]]]])
    linear = np.where(rgb > 0.04045, ((np.asarray(rgb) + 0.055) / 1.055) ** 2.4, np.asarray(rgb) / 12.92)
    light = (linear.ravel() * [0.1, 0.4, 0.5]).sum()
    expected = (116 * np.cbrt(light) - 16) / 50 - 1
    np.testing.assert_allclose(
        gray_to_luma(expose(rgb, jnp.array([[0.2, 0.8, 1.0]]))).ravel(), expected, atol=1e-4
    )
