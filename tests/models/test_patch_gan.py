import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.patch_gan import PatchGAN, receptive_field


@pytest.mark.parametrize(("num_layers", "size"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_receptive_field_as_in_pix2pix(num_layers, size):
    assert receptive_field(num_layers) == size


@pytest.mark.parametrize("num_layers", [1, 2])
def test_one_logit_sees_exactly_its_patch(num_layers):
    model = PatchGAN(1, width=4, num_layers=num_layers, spectral_norm=False, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (1, 96, 96, 1))
    middle = model(x).shape[1] // 2
    graph, state = nnx.split(model)
    gradient = jax.grad(lambda x: nnx.merge(graph, state)(x)[0, middle, middle, 0])(x)[0, :, :, 0]
    rows = np.flatnonzero(np.abs(gradient).max(1))
    assert rows[-1] - rows[0] + 1 == receptive_field(num_layers)


def test_70x70_output_on_256():
    model = nnx.eval_shape(lambda: PatchGAN(rngs=nnx.Rngs(0)))
    graph, state = nnx.split(model)
    out = jax.eval_shape(lambda s: nnx.merge(graph, s)(jnp.zeros((1, 256, 256, 3))), state)
    assert out.shape == (1, 30, 30, 1)  # as in the paper's released network


def test_spectral_norm_divides_by_the_largest_singular_value():
    model = PatchGAN(3, width=8, num_layers=1, rngs=nnx.Rngs(0))
    layer = model.layers["conv1"]
    for _ in range(50):
        sigma = layer.sigma()
    kernel = np.asarray(layer.conv.kernel[...]).reshape(-1, 16)
    np.testing.assert_allclose(sigma, np.linalg.svd(kernel, compute_uv=False)[0], rtol=1e-3)
    x = jax.random.normal(jax.random.key(0), (1, 16, 16, 8))
    np.testing.assert_allclose(layer(x), layer.conv(x) / sigma, rtol=1e-3)


def test_power_iteration_moves_only_with_spectral_norm():
    plain = PatchGAN(3, width=4, num_layers=1, spectral_norm=False, rngs=nnx.Rngs(0))
    assert not jax.tree.leaves(nnx.state(plain, nnx.BatchStat))
    normed = PatchGAN(3, width=4, num_layers=1, rngs=nnx.Rngs(0))
    before = np.array(normed.layers["conv0"].u[...])
    normed(jnp.ones((1, 16, 16, 3)))
    assert np.abs(normed.layers["conv0"].u[...] - before).max() > 0
