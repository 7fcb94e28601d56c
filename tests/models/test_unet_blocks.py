import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models import unet_blocks
from hybridvit.models.resnet_generator import instance_norm

rng = np.random.default_rng(5)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def channels_first(x):
    return np.ascontiguousarray(np.moveaxis(np.asarray(x), -1, 1))


def set_conv(torch, layer, theirs, transposed=False):
    """Gives a layer of ours the weights of a PyTorch layer."""
    weight = theirs.weight.detach().numpy()  # [out, in, h, w]; [in, out, h, w] and mirrored where transposed
    kernel = weight[..., ::-1, ::-1].transpose(2, 3, 0, 1) if transposed else weight.transpose(2, 3, 1, 0)
    layer.kernel[...] = jnp.asarray(kernel.copy())
    if theirs.bias is not None:
        layer.bias[...] = jnp.asarray(theirs.bias.detach().numpy())


@pytest.mark.parametrize(
    ("kernel", "settings"),
    [(2, {"padding": 0}), (3, {"padding": 1, "output_padding": 1}), (4, {"padding": 1})],
)
def test_transposed_convolution_equals_pytorch(torch, kernel, settings):
    theirs = torch.nn.ConvTranspose2d(3, 5, kernel, stride=2, **settings)
    ours = unet_blocks.up_conv(3, 5, kernel, use_bias=True, dtype=jnp.float32, rngs=nnx.Rngs(0))
    set_conv(torch, ours, theirs, transposed=True)
    x = rng.normal(size=(2, 5, 6, 3)).astype(np.float32)
    expected = theirs(torch.from_numpy(channels_first(x))).detach().numpy()
    got = channels_first(ours(jnp.asarray(x)))
    assert got.shape == (2, 5, 10, 12)
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (7, 2), (1, 2)])
def test_conv_norm_equals_pytorch_in_training_and_inference(torch, kernel, stride):
    conv = torch.nn.Conv2d(3, 4, kernel, stride, kernel // 2, bias=False)
    norm = torch.nn.BatchNorm2d(4)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    ours = unet_blocks.ConvNorm(3, 4, kernel, stride, rngs=nnx.Rngs(0))
    set_conv(torch, ours.conv, conv)
    ours.norm.scale[...] = jnp.asarray(norm.weight.detach().numpy())
    ours.norm.bias[...] = jnp.asarray(norm.bias.detach().numpy())
    for train in (True, True, False):
        norm.train(train)
        x = rng.normal(0.3, 2, size=(64, 6, 8, 3)).astype(np.float32)
        expected = torch.relu(norm(conv(torch.from_numpy(channels_first(x))))).detach().numpy()
        # PyTorch's running variance is n/(n-1) times ours: 1/768 here
        np.testing.assert_allclose(channels_first(ours(jnp.asarray(x), train)), expected, atol=2e-3)
        np.testing.assert_allclose(ours.norm.mean[...], norm.running_mean.numpy(), atol=1e-5)


def test_instance_norm_equals_pytorch(torch):
    x = rng.normal(3, 2, size=(2, 7, 5, 4)).astype(np.float32)
    expected = torch.nn.InstanceNorm2d(4)(torch.from_numpy(channels_first(x))).numpy()
    np.testing.assert_allclose(channels_first(instance_norm(jnp.asarray(x))), expected, atol=1e-5)


def test_input_is_padded_with_its_edge_and_no_hints():
    luma, hints = rng.normal(size=(1, 3, 5, 1)), rng.normal(size=(1, 3, 5, 3))
    luma, hints = jnp.asarray(luma, jnp.float32), jnp.asarray(hints, jnp.float32)
    x = unet_blocks.pad_input(luma, hints, 3, 4)
    assert x.shape == (1, 4, 8, 4)
    np.testing.assert_array_equal(x[:, :3, :5], jnp.concatenate([luma, hints], -1))
    np.testing.assert_array_equal(x[:, 3, :5, 0], luma[:, 2, :, 0])
    np.testing.assert_array_equal(x[:, :3, 5:, 0], jnp.broadcast_to(luma[:, :, 4], (1, 3, 3)))
    assert not x[:, 3:, :, 1:].any()
    assert not x[:, :, 5:, 1:].any()
    np.testing.assert_array_equal(unet_blocks.pad_input(luma, hints, 0, 1), luma)
    np.testing.assert_array_equal(
        unet_blocks.pad_input(luma, None, 3, 4), unet_blocks.pad_input(luma, jnp.zeros_like(hints), 3, 4)
    )


def test_recomputing_changes_nothing_but_memory():
    x = jnp.asarray(rng.normal(size=(2, 4, 4, 3)), jnp.float32)

    module = unet_blocks.DoubleConv(3, 4, rngs=nnx.Rngs(0))
    graph, *state = nnx.split(module, nnx.Param, nnx.BatchStat)
    params, stats = map(nnx.to_pure_dict, state)

    def run(remat):
        def loss(params):
            module = nnx.merge(graph, params, stats)
            y = unet_blocks.apply(module, x, True, remat)
            return jnp.sum(y**2), nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

        return jax.jit(jax.grad(loss, has_aux=True))(params)

    plain, recomputed = run(False), run(True)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), plain, recomputed)
    assert not jax.tree.all(jax.tree.map(np.array_equal, recomputed[1], stats)), "statistics were not learnt"
