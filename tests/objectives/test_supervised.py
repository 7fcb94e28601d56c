import jax
import jax.numpy as jnp
import numpy as np

from hybridvit.objectives.supervised import chroma_loss


def test_huber_summed_over_channels_and_divided_by_delta():
    prediction, truth = jax.random.normal(jax.random.key(0), (2, 3, 4, 5, 2))
    delta = 0.5
    error = np.abs(np.asarray(prediction) - np.asarray(truth))
    huber = np.where(error < delta, error**2 / 2, delta * (error - delta / 2))
    np.testing.assert_allclose(chroma_loss(prediction, truth, delta), huber.sum(-1).mean() / delta, rtol=1e-5)


def test_far_errors_cost_their_absolute_value():
    prediction, truth = jnp.zeros((1, 1, 1, 2)), jnp.full((1, 1, 1, 2), 0.5)
    np.testing.assert_allclose(chroma_loss(prediction, truth, 1e-4), 1.0, atol=1e-3)


def test_weight_gates_pixels_but_not_the_mean():
    prediction, truth = jnp.zeros((1, 2, 2, 2)), jnp.ones((1, 2, 2, 2))
    weight = jnp.array([1.0, 0, 0, 0]).reshape(1, 2, 2, 1)
    full = chroma_loss(prediction, truth, 0.1)
    np.testing.assert_allclose(chroma_loss(prediction, truth, 0.1, weight), full / 4, rtol=1e-6)
