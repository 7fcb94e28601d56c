import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.patch_gan import PatchGAN


@pytest.mark.parametrize(("num_layers", "size"), [(1, 16), (2, 34), (3, 70)])
def test_one_logit_sees_exactly_the_patch_of_pix2pix(num_layers, size):
    model = PatchGAN(1, width=4, num_layers=num_layers, norm="none", rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (1, 192, 192, 1))
    middle = model(x).shape[1] // 2
    graph, state = nnx.split(model)
    gradient = jax.grad(lambda x: nnx.merge(graph, state)(x)[0, middle, middle, 0])(x)[0, :, :, 0]
    rows = np.flatnonzero(np.abs(gradient).max(1))
    assert rows[-1] - rows[0] + 1 == size


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
    plain = PatchGAN(3, width=4, num_layers=1, norm="none", rngs=nnx.Rngs(0))
    assert not jax.tree.leaves(nnx.state(plain, nnx.BatchStat))
    normed = PatchGAN(3, width=4, num_layers=1, rngs=nnx.Rngs(0))
    before = np.array(normed.layers["conv0"].u[...])
    normed(jnp.ones((1, 16, 16, 3)))
    assert np.abs(normed.layers["conv0"].u[...] - before).max() > 0


@pytest.mark.parametrize(
    ("norm", "channels", "parameters"),
    [
        # pytorch-CycleGAN-and-pix2pix prints "2.769 M" for pix2pix (gray and colours) and "2.765 M" for CycleGAN; the
        # latter's 128 + 256 + 512 biases before a norm, which takes them away, are not here
        ("batch", 6, 2_768_705),
        ("instance", 3, 2_764_737 - 896),
    ],
)
def test_the_sizes_of_pix2pix_and_cyclegan(norm, channels, parameters):
    model = nnx.eval_shape(lambda: PatchGAN(channels, norm=norm, rngs=nnx.Rngs(0)))
    assert sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param))) == parameters
    assert not jax.tree.leaves(nnx.state(model, nnx.BatchStat))


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_hidden_layers_are_normalised_as_pytorch_does(norm):
    torch = pytest.importorskip("torch")
    model = PatchGAN(3, width=4, num_layers=2, norm=norm, rngs=nnx.Rngs(0))
    assert list(model.norms) == ["conv1", "conv2"]  # all but the first and the last
    x = np.random.default_rng(0).normal(2, 3, (4, 9, 9, 8)).astype(np.float32)
    theirs = (torch.nn.BatchNorm2d if norm == "batch" else torch.nn.InstanceNorm2d)(8)
    if norm == "batch":
        scale = np.array(model.norms["conv1"].scale[...])
        assert 0 < np.abs(scale - 1).max() < 0.1  # drawn from N(1, 0.02)
        theirs.weight.data = torch.from_numpy(scale)
    expected = theirs(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach().numpy()
    np.testing.assert_allclose(model.norms["conv1"](x), expected, atol=1e-4)
