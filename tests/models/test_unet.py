"""The U-Net of pix2pix against the same layers in PyTorch, nested as a recursion."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.unet import UNet


def build_theirs(torch, widths, width_in, channels):
    """pix2pix's U-Net as blocks within blocks: down, what lies below, up; joined with what went in."""
    nn = torch.nn

    class Level(nn.Module):
        def __init__(self, i):
            super().__init__()
            self.i, last = i, i == len(widths) - 1
            self.down = nn.Conv2d(widths[i - 1] if i else width_in, widths[i], 4, 2, 1)
            self.down_norm = nn.Identity() if last or i == 0 else nn.BatchNorm2d(widths[i])
            self.below = nn.Identity() if last else Level(i + 1)
            self.up = nn.ConvTranspose2d(
                widths[i] * (1 if last else 2), widths[i - 1] if i else channels, 4, 2, 1
            )
            self.up_norm = nn.BatchNorm2d(widths[i - 1]) if i else nn.Identity()

        def forward(self, x):
            y = self.down_norm(self.down(nn.functional.leaky_relu(x, 0.2) if self.i else x))
            y = self.up_norm(self.up(torch.relu(self.below(y))))
            return torch.cat([x, y], 1) if self.i else torch.tanh(y)

    return Level(0).eval()


def test_it_is_pix2pix_s_at_inference():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours = UNet("test", channels=3, hint_channels=2, rngs=nnx.Rngs(0))
    theirs = build_theirs(torch, (4, 8, 16, 32), 3, 3)
    level = theirs
    for down, up in zip(ours.downs.values(), [None, *list(ours.ups.values())[::-1]], strict=True):
        for layer, torch_layer in ((down.conv, level.down), (up.conv if up else ours.out, level.up)):
            weight = torch_layer.weight.detach().numpy()
            if torch_layer is level.up:
                weight = weight[..., ::-1, ::-1].transpose(1, 0, 2, 3)
            layer.kernel[...] = jnp.asarray(weight.transpose(2, 3, 1, 0).copy())
            if layer.bias is not None:
                layer.bias[...] = jnp.asarray(torch_layer.bias.detach().numpy())
            else:
                torch.nn.init.zeros_(torch_layer.bias)
        for norm, torch_norm in ((down.norm, level.down_norm), (up.norm if up else None, level.up_norm)):
            if norm is not None:
                for value, torch_value in (
                    (norm.scale, torch_norm.weight),
                    (norm.bias, torch_norm.bias),
                    (norm.mean, torch_norm.running_mean),
                    (norm.var, torch_norm.running_var),
                ):
                    torch.nn.init.uniform_(torch_value, 0.5, 1.5)
                    value[...] = jnp.asarray(torch_value.detach().numpy())
        level = level.below
    x = jax.random.normal(jax.random.key(0), (2, 32, 48, 3))
    expected = theirs(torch.from_numpy(np.moveaxis(np.asarray(x), -1, 1).copy())).detach().numpy()
    got = np.moveaxis(np.asarray(ours(x[..., :1], x[..., 1:]).chroma), -1, 1)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_dropout_is_in_the_innermost_decoder_layers_only():
    ours = UNet("test", rngs=nnx.Rngs(0))
    graph, state = nnx.split(ours)
    x = jax.random.normal(jax.random.key(0), (1, 16, 16, 1))
    text = str(jax.make_jaxpr(lambda s: nnx.merge(graph, s)(x, None, jax.random.key(1)).chroma)(state))
    assert text.count("random_bits[") == 1
    assert "random_bits[" not in str(jax.make_jaxpr(lambda s: nnx.merge(graph, s)(x, None).chroma)(state))
