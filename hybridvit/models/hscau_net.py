"""HSCAU-Net: a U-Net whose skips are weighted by the hints, by place and by channel (Gachon University, 2022).

    skip of x = x * spatial attention(x) * channel attention(x) * sigmoid(1x1 convolution of the hints)

Spatial and channel attention as in CBAM (Woo et al. 2018, section 3). The system's name and figure promise both; its
published code puts spatial attention in both places. The hints of a level are those pooled from full resolution.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.blocks import Linear
from hybridvit.models.hint_propagation import pool_hints
from hybridvit.models.u_frame import UFrame

REDUCTION = 16  # of the channel attention's hidden layer, which has 8 units at least: one ReLU may be dead
VARIANTS = {  # channels at full resolution and after each halving
    "32": (32, 64, 128, 256, 512),
    "16": (16, 32, 64, 128, 256),
    "test": (4, 8, 16),
}


class HSCAUNet(UFrame):
    """`variant` is the width at full resolution, 32 in the original. Raises ValueError without hint channels."""

    variants = VARIANTS

    def build(
        self, widths: tuple[int, ...], channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ) -> int:
        self.depth = len(widths)
        hint_channels = channels_in - 1
        if hint_channels < 2:
            raise ValueError("HSCAUNet is made for hints: choose a config with hints, or another generator")
        encoder, skips, ups, decoder = {}, {}, {}, {}
        for i, width in enumerate(widths):
            width_in = widths[i - 1] if i else channels_in
            encoder[f"stage{i}"] = unet_blocks.DoubleConv(width_in, width, dtype=dtype, rngs=rngs)
        for i, width in enumerate(widths[:-1]):
            skips[f"stage{i}"] = AttentiveSkip(width, hint_channels, dtype=dtype, rngs=rngs)
            ups[f"stage{i}"] = unet_blocks.up_conv(2 * width, width, 2, use_bias=True, dtype=dtype, rngs=rngs)
            decoder[f"stage{i}"] = unet_blocks.DoubleConv(2 * width, width, dtype=dtype, rngs=rngs)
        self.encoder, self.skips = nnx.Dict(encoder), nnx.Dict(skips)
        self.ups, self.decoder = nnx.Dict(ups), nnx.Dict(decoder)
        self.out = nnx.Conv(widths[0], channels, (1, 1), dtype=dtype, rngs=rngs)
        return 2 ** (self.depth - 1)

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        chroma, mask = jnp.split(x[..., 1:], [self.hint_channels - 1], -1)
        maps = []
        for i in range(self.depth):
            x = unet_blocks.max_pool(x) if i else x
            x = self.run(self.encoder[f"stage{i}"], x, key)
            maps.append(x)
        for i in reversed(range(self.depth - 1)):
            pooled = jnp.concatenate(pool_hints(chroma, mask, 2**i), -1)
            skip = self.skips[f"stage{i}"](maps[i], pooled)
            x = jnp.concatenate([skip, self.ups[f"stage{i}"](x)], -1)
            x = self.run(self.decoder[f"stage{i}"], x, key)
        return (self.out(x),)


class AttentiveSkip(nnx.Module):
    """An encoder's map weighted by place, by channel and by the hints."""

    def __init__(self, width: int, hint_channels: int, *, dtype, rngs: nnx.Rngs):
        self.spatial = SpatialAttention(dtype=dtype, rngs=rngs)
        self.channel = ChannelAttention(width, dtype=dtype, rngs=rngs)
        self.hint = nnx.Conv(hint_channels, width, (1, 1), dtype=dtype, rngs=rngs)

    def __call__(
        self, x: Float[Array, "b h w c"], hints: Float[Array, "b h w hint"]
    ) -> Float[Array, "b h w c"]:
        return x * self.spatial(x) * self.channel(x) * nnx.sigmoid(self.hint(hints))


class SpatialAttention(nnx.Module):
    """0..1 for each place: a 7x7 convolution over the channels' mean and maximum (CBAM, equation 3)."""

    def __init__(self, *, dtype, rngs: nnx.Rngs):
        self.conv = nnx.Conv(2, 1, (7, 7), use_bias=False, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w 1"]:
        summary = jnp.concatenate([x.mean(-1, keepdims=True), largest(x, -1)], -1)
        return nnx.sigmoid(self.conv(summary))


class ChannelAttention(nnx.Module):
    """0..1 for each channel: one small network over the places' mean and over their maximum (CBAM, equation 2)."""

    def __init__(self, width: int, *, dtype, rngs: nnx.Rngs):
        hidden = max(width // REDUCTION, 8)
        self.squeeze = Linear(width, hidden, dtype=dtype, rngs=rngs)
        self.expand = Linear(hidden, width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b 1 1 c"]:
        places = x.reshape(len(x), -1, x.shape[-1])
        summaries = jnp.stack([places.mean(1), largest(places, 1)[:, 0]])  # [2, b, c]
        weights = self.expand(nnx.relu(self.squeeze(summaries))).sum(0)
        return nnx.sigmoid(weights)[:, None, None]


def largest(x: Float[Array, "b *n c"], axis: int) -> Float[Array, "b *m d"]:
    """Maximum along an axis, which is kept; its gradient goes to the first place that has it."""
    # The gradient of jnp.max is shared among the values equal to it: none, where XLA computes them twice and rounds
    # otherwise, and then it is not a number
    here = jax.lax.broadcasted_iota(jnp.int32, x.shape, axis % x.ndim) == jnp.argmax(x, axis, keepdims=True)
    return jnp.where(here, x, 0).sum(axis, keepdims=True)
