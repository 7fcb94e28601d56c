import jax
import jax.numpy as jnp
import numpy as np

from hybridvit.training.eval_step import make_eval_step
from hybridvit.training.state import build_networks


def test_eval_step_takes_the_weights_of_the_loss_off_the_distribution(tiny_config):
    networks = build_networks(tiny_config)
    params = networks.init(jax.random.key(0))[0]
    eval_step = jax.jit(make_eval_step(networks, tiny_config))
    luma, hints = jnp.zeros((1, 24, 16, 1)), jnp.zeros((1, 24, 16, 3))
    prior = jnp.arange(1, 314) / jnp.arange(1, 314).sum()
    rgb, chroma, logits, confidence = eval_step(params, prior, luma, hints)
    assert chroma.shape == (1, 24, 16, 2)
    assert rgb.shape == (1, 24, 16, 3)
    assert confidence.shape == (1, 3, 2)
    assert bool((confidence >= 0).all() & (confidence <= 1.001).all())
    weights = 1 / (0.5 * prior + 0.5 / 313)
    expected = jax.nn.log_softmax(networks.generate(params, luma, hints).bins - jnp.log(weights))
    np.testing.assert_allclose(jax.nn.log_softmax(logits), expected, atol=1e-4)
