"""U-Net++ (Zhou et al. 2018): a U-Net whose skips are nested convolutions, with deep supervision.

    x00 -> x01 -> x02 -> x03 -> x04      xij: two convolutions over [up(x(i+1)(j-1)), xi0, ..., xi(j-1)]
    x10 -> x11 -> x12 -> x13             and xi0: over the pooled x(i-1)0
    x20 -> x21 -> x22
    x30 -> x31
    x40

Chroma is read from x04; the side outputs are those of x01, x02 and x03 (section 3.2, L1 to L3). The paper's blocks have
no batch norm but dropout of 0.5, for segmentation from few pictures; regression of chroma trains with batch norm.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.u_frame import UFrame

VARIANTS = {  # channels at full resolution and after each halving
    "32": (32, 64, 128, 256, 512),
    "16": (16, 32, 64, 128, 256),
    "test": (4, 8, 16),
}


class UNetPlusPlus(UFrame):
    """`variant` is the width at full resolution, 32 in the paper."""

    variants = VARIANTS

    def build(
        self, widths: tuple[int, ...], channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs
    ) -> int:
        self.depth = depth = len(widths)
        nodes, ups, heads = {}, {}, {}
        for i in range(depth):
            width_in = widths[i - 1] if i else channels_in
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
        return 2 ** (self.depth - 1)

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        rows: list[list[Array]] = []  # rows[i][j] is xij
        for i in range(self.depth):
            x = unet_blocks.max_pool(x) if i else x
            x = self.run(self.nodes[f"x{i}0"], x, key)
            rows.append([x])
        for j in range(1, self.depth):
            for i in range(self.depth - j):
                below = self.ups[f"x{i}{j}"](rows[i + 1][j - 1])
                joined = jnp.concatenate([below, *rows[i]], -1)
                rows[i].append(self.run(self.nodes[f"x{i}{j}"], joined, key))
        *sides, chroma = (self.heads[f"x0{j}"](rows[0][j]) for j in range(1, self.depth))
        return chroma, *sides
