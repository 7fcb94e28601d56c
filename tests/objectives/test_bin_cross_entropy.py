import jax
import jax.numpy as jnp
import numpy as np
import optax

from configs import base
from hybridvit.color import bins
from hybridvit.objectives import bin_cross_entropy


def random_target(key: int, shape: tuple[int, ...] = (2, 3, 4)) -> jax.Array:
    return jax.nn.softmax(3 * jax.random.normal(jax.random.key(key), (*shape, 313)))


def test_cross_entropy_is_optax():
    logits, target = 2 * jax.random.normal(jax.random.key(0), (2, 3, 4, 313)), random_target(1)
    expected = optax.softmax_cross_entropy(logits, target)
    np.testing.assert_allclose(bin_cross_entropy.cross_entropy(logits, target), expected, rtol=1e-5)


def test_rebalancing_is_neutral_under_a_uniform_prior():
    logits, target = 2 * jax.random.normal(jax.random.key(0), (2, 3, 4, 313)), random_target(1)
    uniform = jnp.full(313, 1 / 313)
    plain = bin_cross_entropy.cross_entropy(logits, target).mean()
    np.testing.assert_allclose(bin_cross_entropy.bin_loss(logits, target, uniform, 0.5), plain, rtol=1e-4)


def test_rare_bins_weigh_more():
    prior = jnp.full(313, 0.5 / 312).at[0].set(0.5)
    logits = jnp.zeros((1, 1, 1, 313))
    common, rare = (jax.nn.one_hot(jnp.full((1, 1, 1), i), 313) for i in (0, 7))
    ratio = bin_cross_entropy.bin_loss(logits, rare, prior, 0.5) / bin_cross_entropy.bin_loss(
        logits, common, prior, 0.5
    )
    mixed = 0.5 * np.asarray(prior) + 0.5 / 313
    np.testing.assert_allclose(ratio, mixed[0] / mixed[7], rtol=1e-4)


def test_encode_truth_of_one_colour():
    ab = jnp.array([20.0, -30.0])
    target = bin_cross_entropy.encode_truth(jnp.broadcast_to(ab / 110, (1, 16, 24, 2)), sigma=5.0)
    assert target.shape == (1, 2, 3, 313)
    np.testing.assert_array_equal(bins.BIN_CENTRES[np.argmax(target[0, 1, 2])], ab)


def test_prior_is_a_running_mean():
    config = base.get_config().bins
    target = random_target(1)
    prior = bin_cross_entropy.update_prior(jnp.full(313, 1 / 313), target, config)
    expected = config.prior_decay / 313 + (1 - config.prior_decay) * np.asarray(target).mean((0, 1, 2))
    np.testing.assert_allclose(prior, expected, rtol=1e-5)
