"""U-Net++ (Zhou et al. 2018): a U-Net whose skips are nested convolutions, with deep supervision.

    x00 -> x01 -> x02 -> x03 -> x04      xij: two convolutions over [up(x(i+1)(j-1)), xi0, ..., xi(j-1)]
    x10 -> x11 -> x12 -> x13             and xi0: over the pooled x(i-1)0
    x20 -> x21 -> x22
    x30 -> x31
    x40

Chroma is read from x04; the side outputs are those of x01, x02 and x03 (section 3.2, L1 to L3). The paper's blocks have
no batch norm but dropout of 0.5, for segmentation from few pictures; regression of chroma trains with batch norm.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.blocks import look_up
from hybridvit.models.prediction import Prediction

VARIANTS = {  # channels at full resolution and after each halving
    "32": (32, 64, 128, 256, 512),
    "16": (16, 32, 64, 128, 256),
    "test": (4, 8, 16),
}


class UNetPlusPlus(nnx.Module):
    """`variant` is the width at full resolution, 32 in the paper."""

    def __init__(
        self,
        variant: str,
        *,
        channels: int = 2,
        hint_channels: int = 0,
        dtype: str = "float32",
        remat: bool = False,
        rngs: nnx.Rngs,
    ):
        widths = look_up(VARIANTS, variant)
        self.depth = depth = len(widths)
        self.hint_channels, self.remat = hint_channels, remat
        dtype = jnp.dtype(dtype)
        nodes, ups, heads = {}, {}, {}
        for i in range(depth):
            width_in = widths[i - 1] if i else 1 + hint_channels
            nodes[f"x{i}0"] = unet_blocks.DoubleConv(width_in, widths[i], dtype=dtype, rngs=rngs)
            for j in range(1, depth - i):
                ups[f"x{i}{j}"] = unet_blocks.up_conv(
                    widths[i + 1], widths[i], 2, use_bias=True, dtype=dtype, rngs=rngs
                )
                nodes[f"x{i}{j}"] = unet_blocks.DoubleConv(
                    (j + 1) * widths[i], widths[i], dtype=dtype, rngs=rngs
                )
        for j in range(1, depth):
            heads[f"x0{j}"] = nnx.Conv(widths[0], channels, (1, 1), dtype=dtype, rngs=rngs)
        self.nodes, self.ups, self.heads = nnx.Dict(nodes), nnx.Dict(ups), nnx.Dict(heads)

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None,
        key: jax.Array | None = None,
    ) -> Prediction:
        x = unet_blocks.pad_input(luma, hints, self.hint_channels, 2 ** (self.depth - 1))
        rows: list[list[Array]] = []  # rows[i][j] is xij
        for i in range(self.depth):
            x = unet_blocks.max_pool(x) if i else x
            x = unet_blocks.apply(self.nodes[f"x{i}0"], x, key is not None, self.remat)
            rows.append([x])
        for j in range(1, self.depth):
            for i in range(self.depth - j):
                below = self.ups[f"x{i}{j}"](rows[i + 1][j - 1])
                joined = jnp.concatenate([below, *rows[i]], -1)
                rows[i].append(unet_blocks.apply(self.nodes[f"x{i}{j}"], joined, key is not None, self.remat))
        *sides, chroma = (self.heads[f"x0{j}"](rows[0][j]) for j in range(1, self.depth))
        return unet_blocks.predict(luma, chroma, *sides)
