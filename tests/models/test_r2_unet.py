import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from hybridvit.models.r2_unet import RecurrentConv


def test_a_recurrent_convolution_is_unfolded_with_one_set_of_weights():
    layer = RecurrentConv(3, dtype=jnp.float32, rngs=nnx.Rngs(0))
    layer.scale[...], layer.bias[...] = jnp.array([0.5, 1.0, 2.0]), jnp.array([0.1, -0.1, 0.3])
    x = jax.random.normal(jax.random.key(0), (2, 6, 6, 3))

    def step(x):
        y = layer.conv(x)
        y = (y - y.mean((0, 1, 2))) / jnp.sqrt(y.var((0, 1, 2)) + 1e-5)
        return jnp.maximum(y * layer.scale[...] + layer.bias[...], 0)

    expected = step(x)
    for _ in range(2):  # the paper's t = 2
        expected = step(x + expected)
    np.testing.assert_allclose(layer(x, True), expected, atol=1e-4)


def test_each_unfolding_keeps_its_own_statistics():
    layer = RecurrentConv(3, dtype=jnp.float32, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (4, 8, 8, 3))
    for _ in range(100):
        trained = layer(x, True)
    np.testing.assert_allclose(layer(x, False), trained, atol=1e-3)
    variances = [np.asarray(norm.var[...]) for norm in layer.norms.values()]
    assert np.abs(variances[0] - variances[1]).max() > 0.1
