"""UNet 3+ (Huang et al. 2020): every decoder stage sees every scale, with full-scale deep supervision.

Decoder stage i joins the encoder's maps of stages above (max-pooled), its own, and the decoder's of stages below
(bilinearly upsampled), each through a 3x3 convolution to the same width, and fuses the five by another (figure 2).
Each stage gives an estimate of its own, upsampled bilinearly (section 2.2): the first is the chroma, the others are
side outputs. The classification-guided module (section 2.3) asks whether there is an organ at all: not here.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.blocks import upsample
from hybridvit.models.u_frame import UFrame

VARIANTS = {  # channels at full resolution and after each halving
    "64": (64, 128, 256, 512, 1024),
    "16": (16, 32, 64, 128, 256),
    "test": (2, 4, 8),
}


class UNet3Plus(UFrame):
    """`variant` is the width at full resolution and of each skip, 64 in the paper."""

    variants = VARIANTS

    def build(
        self, widths: tuple[int, ...], channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ) -> int:
        self.depth, width = len(widths), widths[0]
        fused = [self.depth * width] * (self.depth - 1)  # of the decoder's maps; the deepest is the encoder's
        fused.append(widths[-1])
        encoder, skips, fusions, heads = {}, {}, {}, {}
        for i in range(self.depth):
            width_in = widths[i - 1] if i else channels_in
            encoder[f"stage{i}"] = unet_blocks.DoubleConv(width_in, widths[i], dtype=dtype, rngs=rngs)
            heads[f"stage{i}"] = nnx.Conv(fused[i], channels, (3, 3), dtype=dtype, rngs=rngs)
        for i in range(self.depth - 1):
            for k in range(self.depth):
                width_in = widths[k] if k <= i else fused[k]
                skips[f"from{k}to{i}"] = unet_blocks.ConvNorm(width_in, width, dtype=dtype, rngs=rngs)
            fusions[f"stage{i}"] = unet_blocks.ConvNorm(fused[i], fused[i], dtype=dtype, rngs=rngs)
        self.encoder, self.skips = nnx.Dict(encoder), nnx.Dict(skips)
        self.fusions, self.heads = nnx.Dict(fusions), nnx.Dict(heads)
        return 2 ** (self.depth - 1)

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        maps = []  # the encoder's; the decoder's take their places from the deepest on
        for i in range(self.depth):
            x = unet_blocks.max_pool(x) if i else x
            x = self.run(self.encoder[f"stage{i}"], x, key)
            maps.append(x)
        for i in reversed(range(self.depth - 1)):
            joined = [
                self.run(self.skips[f"from{k}to{i}"], _resize(x, k - i), key) for k, x in enumerate(maps)
            ]
            maps[i] = self.run(self.fusions[f"stage{i}"], jnp.concatenate(joined, -1), key)
        chroma, *sides = (_resize(self.heads[f"stage{i}"](x), i) for i, x in enumerate(maps))
        return chroma, *sides


def _resize(x: Float[Array, "b h w c"], doublings: int) -> Float[Array, "b H W c"]:
    """Upsampled bilinearly, or max-pooled where `doublings` is negative."""
    if doublings > 0:
        return upsample(x, 2**doublings)
    return unet_blocks.max_pool(x, 2**-doublings) if doublings else x
