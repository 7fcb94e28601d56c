"""R2U-Net (Alom et al. 2018): a U-Net of recurrent residual blocks.

A recurrent convolution is applied to its input, then `STEPS` times more to its input plus its own last output, with
the same weights (Liang & Hu 2015); a block is a 1x1 convolution to the width and two of them beside an identity.
Widths as in the networks known by this name (64 to 1024); the paper's tables also have thinner ones.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.u_frame import UFrame

STEPS = 2  # the paper's t
VARIANTS = {  # channels at full resolution and after each halving
    "64": (64, 128, 256, 512, 1024),
    "16": (16, 32, 64, 128, 256),
    "test": (4, 8, 16),
}


class R2UNet(UFrame):
    """`variant` is the width at full resolution."""

    variants = VARIANTS

    def build(
        self, widths: tuple[int, ...], channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ) -> int:
        self.depth = len(widths)
        encoder, ups, decoder = {}, {}, {}
        for i, width in enumerate(widths):
            width_in = widths[i - 1] if i else channels_in
            encoder[f"stage{i}"] = RecurrentResidualBlock(width_in, width, dtype=dtype, rngs=rngs)
        for i, width in enumerate(widths[:-1]):
            ups[f"stage{i}"] = unet_blocks.ConvNorm(2 * width, width, dtype=dtype, rngs=rngs)
            decoder[f"stage{i}"] = RecurrentResidualBlock(2 * width, width, dtype=dtype, rngs=rngs)
        self.encoder, self.ups, self.decoder = nnx.Dict(encoder), nnx.Dict(ups), nnx.Dict(decoder)
        self.out = nnx.Conv(widths[0], channels, (1, 1), dtype=dtype, rngs=rngs)
        return 2 ** (self.depth - 1)

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        skips = []
        for i in range(self.depth):
            x = unet_blocks.max_pool(x) if i else x
            x = self.run(self.encoder[f"stage{i}"], x, key)
            skips.append(x)
        for i in reversed(range(self.depth - 1)):
            x = self.ups[f"stage{i}"](unet_blocks.nearest(x), key is not None)
            x = jnp.concatenate([skips[i], x], -1)
            x = self.run(self.decoder[f"stage{i}"], x, key)
        return (self.out(x),)


class RecurrentConv(nnx.Module):
    """3x3 convolution, batch norm and ReLU with one set of weights, applied `STEPS` + 1 times.

    The statistics differ from one application to the next, so that each has its own (Cooijmans et al. 2017); a single
    running mean would fit none of them at inference.
    """

    def __init__(self, width: int, *, dtype, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            width,
            width,
            (3, 3),
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            dtype=dtype,
            rngs=rngs,
        )
        self.norms = nnx.Dict(
            {
                f"step{i}": unet_blocks.batch_norm(width, affine=False, dtype=dtype, rngs=rngs)
                for i in range(STEPS + 1)
            }
        )
        self.scale, self.bias = nnx.Param(jnp.ones((width,))), nnx.Param(jnp.zeros((width,)))

    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b h w c"]:
        y = jnp.zeros_like(x)
        for norm in self.norms.values():
            y = norm(self.conv(x + y), use_running_average=not train)
            y = nnx.relu(y * self.scale[...].astype(y.dtype) + self.bias[...].astype(y.dtype))
        return y


class RecurrentResidualBlock(nnx.Module):
    """1x1 convolution to the width; two recurrent convolutions are added to it."""

    def __init__(self, width_in: int, width: int, *, dtype, rngs: nnx.Rngs):
        self.project = nnx.Conv(width_in, width, (1, 1), dtype=dtype, rngs=rngs)
        self.first = RecurrentConv(width, dtype=dtype, rngs=rngs)
        self.second = RecurrentConv(width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b h w cout"]:
        x = self.project(x)
        return x + self.second(self.first(x, train), train)
