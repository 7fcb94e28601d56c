import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import rgb2lab

from configs import base
from hybridvit.tasks.colorize import GRAY, TINT, make_colorize

PICTURES = jax.random.uniform(jax.random.key(0), (3, 16, 16, 3))
KEYS = jax.vmap(jax.random.key)(jnp.arange(3))


def config(**fields):
    settings = base.get_config().copy_and_resolve_references()
    with settings.unlocked():
        settings.update_from_flattened_dict(fields)
    return settings


@pytest.mark.parametrize(("space", "channels"), [("lab", 2), ("yuv", 2), ("hsv", 2), ("rgb", 3)])
def test_the_truth_is_drawn_from_what_is_to_be_predicted(space, channels):
    task = make_colorize(config(**{"color.space": space}))
    luma, target, truth = task.examine(KEYS, PICTURES)
    assert task.channels == target.shape[-1] == channels
    np.testing.assert_array_equal(truth, PICTURES)
    np.testing.assert_allclose(task.draw(luma, target), PICTURES, atol=1e-4)


def test_views_are_aged_and_hinted_by_their_shares():
    never = make_colorize(config(**{"degrade.labeled_probability": 0.0, "hints.none_fraction": 1.0}))
    views, chroma = jax.jit(never.view)(jax.random.key(1), PICTURES)
    luma, target, _ = never.examine(KEYS, PICTURES)
    np.testing.assert_allclose(views.luma, luma, atol=1e-6)
    np.testing.assert_allclose(chroma, target, atol=1e-6)
    assert not views.hints.any()
    always = make_colorize(config(**{"degrade.labeled_probability": 1.0, "hints.none_fraction": 0.0}))
    views, chroma = jax.jit(always.view)(jax.random.key(1), PICTURES)
    assert (jnp.abs(views.luma - luma).max((1, 2, 3)) > 0.05).all()
    assert views.hints[..., 2].any()
    np.testing.assert_allclose(chroma, target, atol=1e-6)


def test_things_are_recoloured_with_their_hint_whatever_else_is_hinted():
    pictures = jax.image.resize(PICTURES[:, :4, :4], (3, 64, 64, 3), "linear")
    fields = {"hints.none_fraction": 1.0, "hints.recolored": 1.0, "degrade.labeled_probability": 1.0}
    task = make_colorize(config(**fields))
    views, chroma = jax.jit(task.view)(jax.random.key(1), pictures)
    own = views.hints[..., 2] > 0
    moved = jnp.abs(chroma - task.examine(KEYS, pictures).target).max(-1) > 1e-3
    assert own.any((1, 2)).all()
    assert moved[own].mean() > 0.5
    assert 0.003 < moved.mean() < 0.7
    hinted = make_colorize(config(**fields | {"hints.none_fraction": 0.0}))
    more = jax.jit(hinted.view)(jax.random.key(1), pictures)[0].hints
    assert (more[..., 2] > 0)[own].all()
    assert more[..., 2].sum() > own.sum()


def test_a_network_without_hints_is_given_none():
    view = make_colorize(config(**{"model.hints": False})).view
    assert jax.eval_shape(view, jax.random.key(1), PICTURES)[0].hints is None


def test_the_gray_half_of_a_pair_is_what_goes_in():
    given = jnp.full((3, 16, 16, 1), 0.25)
    task = make_colorize(config(**{"degrade.labeled_probability": 0.0}))
    pairs = jnp.concatenate([PICTURES, given], -1)
    for luma in (task.examine(KEYS, pairs).luma, task.view(jax.random.key(1), pairs)[0].luma):
        L = rgb2lab(np.full((1, 1, 3), 0.25))[0, 0, 0]
        np.testing.assert_allclose(luma, L / 50 - 1, atol=1e-4)


def test_anchors():
    task = make_colorize(config())
    anchors = task.anchors(task.examine(KEYS, PICTURES))
    truth, gray, tint = (rgb2lab(np.asarray(x)) for x in (PICTURES, anchors[GRAY], anchors[TINT]))
    np.testing.assert_allclose(gray[..., 0], truth[..., 0], atol=0.1)
    np.testing.assert_allclose(gray[..., 1:], 0, atol=0.1)
    inside = np.all((np.asarray(anchors[TINT]) > 0.01) & (np.asarray(anchors[TINT]) < 0.99), -1)
    mean = np.broadcast_to(truth.mean((1, 2), keepdims=True), truth.shape)
    np.testing.assert_allclose(tint[inside][:, 1:], mean[inside][:, 1:], atol=0.3)
