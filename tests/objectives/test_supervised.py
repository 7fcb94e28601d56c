import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from hybridvit.models.prediction import Prediction
from hybridvit.objectives.ssim_loss import l1_ssim_loss
from hybridvit.objectives.supervised import LOSSES, chroma_loss, supervised_loss


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


def test_each_loss_by_hand_over_the_output_and_its_side_outputs():
    truth, chroma, side = (
        x.astype(np.float32) for x in np.random.default_rng(1).normal(0, 0.5, (3, 2, 16, 16, 2))
    )
    prediction = Prediction(jnp.asarray(chroma), None, (jnp.asarray(side),))
    delta = 0.3

    def huber(x):
        error = np.abs(x - truth)
        return np.where(error < delta, error**2 / 2, delta * (error - delta / 2)).sum(-1).mean() / delta

    by_hand = {
        "huber": huber,
        "l1": lambda x: np.abs(x - truth).mean(),
        "l2": lambda x: ((x - truth) ** 2).mean(),
        "l1_ssim": lambda x: l1_ssim_loss(jnp.asarray(x), jnp.asarray(truth), 0.2),
    }
    assert by_hand.keys() == LOSSES.keys()
    for name, loss in by_hand.items():
        config = ConfigDict({"loss": name, "delta": delta})
        found = supervised_loss(prediction, jnp.asarray(truth), config)
        np.testing.assert_allclose(found, (loss(chroma) + loss(side)) / 2, rtol=1e-4, err_msg=name)
