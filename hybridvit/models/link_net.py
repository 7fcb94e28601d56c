"""LinkNet (Chaurasia & Culurciello 2017): a ResNet-18 encoder whose maps are added to a light decoder's.

7x7 conv / 2, max-pool / 2 -> encoder 1..4 (two residual blocks each; 2 to 4 halve)
decoder 4..1: 1x1 to a quarter of the width, transposed 3x3, 1x1; then added to what went into encoder i
-> transposed 3x3, 3x3, transposed 2x2 to full resolution
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.u_frame import UFrame

VARIANTS = {  # channels of the encoders; the first convolution has those of the first
    "64": (64, 128, 256, 512),
    "32": (32, 64, 128, 256),
    "test": (8, 16),
}


class LinkNet(UFrame):
    """`variant` is the width of the first convolution, 64 in the paper; the encoder is not pre-trained."""

    variants = VARIANTS

    def build(
        self, widths: tuple[int, ...], channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ) -> int:
        width, self.depth = widths[0], len(widths)
        kinds = {"dtype": dtype, "rngs": rngs}
        self.stem = unet_blocks.ConvNorm(channels_in, width, 7, 2, **kinds)
        widths = (width, *widths)
        encoder, decoder = {}, {}
        for i in range(1, self.depth + 1):
            stride = 1 if i == 1 else 2
            encoder[f"stage{i}first"] = ResidualBlock(widths[i - 1], widths[i], stride, **kinds)
            encoder[f"stage{i}second"] = ResidualBlock(widths[i], widths[i], 1, **kinds)
            decoder[f"stage{i}"] = Decoder(widths[i], widths[i - 1], stride, **kinds)
        self.encoder, self.decoder = nnx.Dict(encoder), nnx.Dict(decoder)
        self.up = unet_blocks.UpConvNorm(width, width // 2, 3, **kinds)
        self.refine = unet_blocks.ConvNorm(width // 2, width // 2, **kinds)
        self.out = unet_blocks.up_conv(width // 2, channels, 2, use_bias=True, **kinds)
        return 2 ** (self.depth + 1)

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        train = key is not None
        x = self.stem(x, train)
        x = nnx.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))  # [b, h/4, w/4, c]
        inputs = []
        for i in range(1, self.depth + 1):
            inputs.append(x)
            for name in (f"stage{i}first", f"stage{i}second"):
                x = self.run(self.encoder[name], x, key)
        for i in reversed(range(1, self.depth + 1)):
            x = inputs[i - 1] + self.run(self.decoder[f"stage{i}"], x, key)
        return (self.out(self.refine(self.up(x, train), train)),)


class ResidualBlock(nnx.Module):
    """Two 3x3 convolutions and what went in (He et al. 2016), through a 1x1 convolution where it is halved."""

    def __init__(self, width_in: int, width: int, stride: int, *, dtype, rngs: nnx.Rngs):
        self.first = unet_blocks.ConvNorm(width_in, width, 3, stride, dtype=dtype, rngs=rngs)
        self.second = unet_blocks.ConvNorm(width, width, activate=False, dtype=dtype, rngs=rngs)
        self.shortcut = (
            unet_blocks.ConvNorm(width_in, width, 1, stride, activate=False, dtype=dtype, rngs=rngs)
            if stride > 1
            else None
        )

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b H W cout"]:
        y = self.second(self.first(x, train), train)
        return nnx.relu(y + (x if self.shortcut is None else self.shortcut(x, train)))


class Decoder(nnx.Module):
    """1x1 to a quarter of the width, 3x3 (transposed where the size doubles), 1x1 to the new width."""

    def __init__(self, width_in: int, width: int, stride: int, *, dtype, rngs: nnx.Rngs):
        middle = width_in // 4
        self.reduce = unet_blocks.ConvNorm(width_in, middle, 1, dtype=dtype, rngs=rngs)
        layer = unet_blocks.UpConvNorm if stride > 1 else unet_blocks.ConvNorm
        self.spread = layer(middle, middle, 3, dtype=dtype, rngs=rngs)
        self.widen = unet_blocks.ConvNorm(middle, width, 1, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b H W cout"]:
        return self.widen(self.spread(self.reduce(x, train), train), train)
