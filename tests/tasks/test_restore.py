import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import base
from hybridvit.color.lab import to_luma_chroma
from hybridvit.tasks.restore import INPUT, make_restore

PICTURES = jax.random.uniform(jax.random.key(0), (3, 32, 32, 3))
KEYS = jax.vmap(jax.random.key)(jnp.arange(3))


@pytest.fixture(scope="module")
def task():
    task = make_restore(base.get_config())
    return task._replace(
        view=jax.jit(task.view), examine=jax.jit(task.examine)
    )  # compiled as a whole: sooner


def test_what_is_predicted_undoes_the_damage(task):
    views, added = task.view(jax.random.key(3), PICTURES)
    assert views.hints is None
    assert task.channels == 1
    luma, _ = to_luma_chroma(PICTURES)
    assert jnp.abs(views.luma - luma).max() > 0.1
    np.testing.assert_allclose(views.luma + added, luma, atol=1e-5)


def test_the_examined_damage_is_each_pictures_own(task):
    luma, target, truth = task.examine(KEYS, PICTURES)
    np.testing.assert_allclose(task.draw(luma, target), truth, atol=1e-4)
    assert np.ptp(np.asarray(truth), axis=-1).max() < 1e-4
    alone = task.examine(KEYS[2:], PICTURES[2:]).luma[0]
    np.testing.assert_allclose(alone, luma[2], atol=1e-5)
    other = task.examine(KEYS[:1], PICTURES[2:]).luma[0]
    assert jnp.abs(other - luma[2]).max() > 0.05


def test_the_anchor_is_the_damaged_picture(task):
    examined = task.examine(KEYS, PICTURES)
    nothing = task.draw(examined.luma, jnp.zeros_like(examined.target))
    np.testing.assert_array_equal(task.anchors(examined)[INPUT], nothing)
