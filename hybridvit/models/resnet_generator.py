"""The residual generator of CycleGAN (Zhu et al. 2017, appendix 7.2, after Johnson et al. 2016), instance norm.

    c7s1-64, d128, d256, R256 x blocks, u128, u64, c7s1-channels

Convolutions that keep the size pad by reflection. No batch statistics: training and inference do the same.
A convolution before a norm has no bias: the norm takes it away again.
"""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import unet_blocks
from hybridvit.models.u_frame import UFrame

STRIDE = 4


@dataclasses.dataclass(frozen=True)
class Variant:
    """Residual blocks at 1/4, channels at full resolution."""

    blocks: int
    width: int = 64


VARIANTS = {"9": Variant(9), "6": Variant(6), "thin": Variant(6, width=24), "test": Variant(1, width=4)}


class ResNetGenerator(UFrame):
    """`variant`: the number of blocks, 9 in the paper for 256 px and 6 for 128; `key` is not used."""

    variants = VARIANTS

    def build(self, v: Variant, channels_in: int, channels: int, *, dtype: jnp.dtype, rngs: nnx.Rngs) -> int:
        kinds = {"dtype": dtype, "rngs": rngs}
        w = v.width
        self.stem = _conv(channels_in, w, 7, **kinds)
        self.down_half, self.down_quarter = _conv(w, 2 * w, 3, 2, **kinds), _conv(2 * w, 4 * w, 3, 2, **kinds)
        self.blocks = nnx.Dict({f"block{i:02d}": ResidualBlock(4 * w, **kinds) for i in range(v.blocks)})
        up = {"kernel": 3, "kernel_init": nnx.initializers.normal(0.02), **kinds}
        self.up_half = unet_blocks.up_conv(4 * w, 2 * w, **up)
        self.up_full = unet_blocks.up_conv(2 * w, w, **up)
        self.out = _conv(w, channels, 7, use_bias=True, **kinds)
        return STRIDE

    def draw(self, x: Float[Array, "b h w cin"], key: jax.Array | None) -> Sequence[Array]:
        for layer in (self.stem, self.down_half, self.down_quarter):
            x = nnx.relu(instance_norm(layer(x)))
        for block in self.blocks.values():
            x = self.run(block, x, key)
        for layer in (self.up_half, self.up_full):
            x = nnx.relu(instance_norm(layer(x)))
        return (self.out(x),)


class ResidualBlock(nnx.Module):
    """Two 3x3 convolutions with instance norm, added to what went in."""

    def __init__(self, width: int, *, dtype, rngs: nnx.Rngs):
        self.first = _conv(width, width, 3, dtype=dtype, rngs=rngs)
        self.second = _conv(width, width, 3, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b h w c"]:
        return x + instance_norm(self.second(nnx.relu(instance_norm(self.first(x)))))


def instance_norm(x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Each channel of each picture to mean 0 and variance 1 (Ulyanov et al. 2016), without learnt scale, in float32."""
    y = x.astype(jnp.float32)
    y -= y.mean((1, 2), keepdims=True)
    return (y * jax.lax.rsqrt(jnp.square(y).mean((1, 2), keepdims=True) + 1e-5)).astype(x.dtype)


def _conv(
    width_in: int, width: int, kernel: int, stride: int = 1, *, use_bias: bool = False, dtype, rngs: nnx.Rngs
) -> nnx.Conv:
    return nnx.Conv(
        width_in,
        width,
        (kernel, kernel),
        strides=stride,
        padding="REFLECT" if stride == 1 else kernel // 2,
        use_bias=use_bias,
        kernel_init=nnx.initializers.normal(0.02),
        dtype=dtype,
        rngs=rngs,
    )
