"""U-Net of pix2pix (Isola et al. 2017, appendix 6.1): 4x4 convolutions of stride 2 down to 1 x 1, and back, with skips.

    encoder C64-C128-C256-C512-C512-C512-C512-C512
    decoder CD512-CD512-CD512-C512-C256-C128-C64, transposed convolutions, each on its output and the encoder's

The variant names the side in px that is reduced to 1 x 1 (256 in the paper); pictures are padded to multiples of it.
"""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.u_frame import UFrame

DROPOUT = 0.5
KERNEL = 4


@dataclasses.dataclass(frozen=True)
class Variant:
    """Number of halvings; channels after the first, which double up to 8 times; decoder layers with dropout."""

    depth: int
    width: int = 64
    dropouts: int = 3

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(min(2**i, 8) * self.width for i in range(self.depth))


VARIANTS = {
    "256": Variant(8),
    "128": Variant(7),
    "64": Variant(6, dropouts=2),  # on layers of full width only
    "32": Variant(5, dropouts=1),
    "test": Variant(4, width=4, dropouts=1),
}


class UNet(UFrame):
    """The generator of pix2pix.

    `key` (training) draws the dropout and normalises by the batch. The paper does the same at inference ("we apply
    dropout at test time, and batch normalization using the statistics of the test batch", section 3.2): pass a key for
    that. Without one, running statistics and no dropout: a picture's colours do not depend on its batch.
    """

    variants = VARIANTS

    def build(self, v: Variant, channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs) -> int:
        self.dropouts = v.dropouts
        init = nnx.initializers.normal(0.02)
        downs, ups = {}, {}
        width_in = channels_in
        for i, width in enumerate(v.widths):
            downs[f"down{i}"] = Down(
                width_in, width, first=i == 0, last=i == v.depth - 1, init=init, dtype=dtype, rngs=rngs
            )
            width_in = width
        for i, width in enumerate(reversed(v.widths[:-1])):
            ups[f"up{i}"] = Up(width_in, width, init=init, dtype=dtype, rngs=rngs)
            width_in = 2 * width
        self.downs, self.ups = nnx.Dict(downs), nnx.Dict(ups)
        self.out = unet_blocks.up_conv(
            width_in, channels, KERNEL, use_bias=True, kernel_init=init, dtype=dtype, rngs=rngs
        )
        self.dropout = nnx.Dropout(DROPOUT)
        return 2**v.depth

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        skips = []
        for down in self.downs.values():
            x = self.run(down, x, key)
            skips.append(x)
        skips.pop()
        for i, up in enumerate(self.ups.values()):
            x = self.run(up, x, key)
            if key is not None and i < self.dropouts:
                x = self.dropout(x, deterministic=False, rngs=jax.random.fold_in(key, i))
            x = jnp.concatenate([skips.pop(), x], -1)
        return (self.out(nnx.relu(x)),)


class Down(nnx.Module):
    """Leaky ReLU (not on the picture), convolution to half the size, batch norm (not on first and last, as there)."""

    def __init__(self, width_in: int, width: int, *, first: bool, last: bool, init, dtype, rngs: nnx.Rngs):
        self.first = first
        plain = first or last
        self.conv = nnx.Conv(
            width_in,
            width,
            (KERNEL, KERNEL),
            strides=2,
            padding=1,
            use_bias=plain,
            kernel_init=init,
            dtype=dtype,
            rngs=rngs,
        )
        self.norm = None if plain else unet_blocks.batch_norm(width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b hs ws cout"]:
        x = self.conv(x if self.first else nnx.leaky_relu(x, 0.2))
        return x if self.norm is None else self.norm(x, use_running_average=not train)


class Up(nnx.Module):
    """ReLU, transposed convolution to twice the size, batch norm."""

    def __init__(self, width_in: int, width: int, *, init, dtype, rngs: nnx.Rngs):
        self.conv = unet_blocks.up_conv(width_in, width, KERNEL, kernel_init=init, dtype=dtype, rngs=rngs)
        self.norm = unet_blocks.batch_norm(width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b h2 w2 cout"]:
        return self.norm(self.conv(nnx.relu(x)), use_running_average=not train)
