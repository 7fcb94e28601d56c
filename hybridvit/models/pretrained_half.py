"""The pretrained convolutional half of HybridConvViT: what EfficientNet-Lite sees, and the hints beside it.

The encoder sees the luma alone, so its features are of the photograph whatever the hints, and hints can change without
looking again; they join what it shows at 1/4, 1/8 and 1/16 by a path of their own that starts at zero.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models import blocks
from hybridvit.models.efficientnet_lite import SIZES, EfficientNetLite, preprocess
from hybridvit.models.hint_propagation import pool_hints

HINT_GAIN = 4.0  # chroma is small beside luma and mask; at their scale, hints are learnt in half the steps
HINT_WIDTH = 64


class Seen(NamedTuple):
    """What is shown of a picture, from fine to coarse, in the decoder's widths."""

    quarter: Float[Array, "b h4 w4 c"]
    eighth: Float[Array, "b h8 w8 d"]
    tokens: Float[Array, "b h16 w16 e"]


class HintInput(nnx.Module):
    """The mean hint of each cell of `factor` px, as features; exactly zero in cells without any, and at first."""

    def __init__(self, factor: int, hint_channels: int, width: int, *, dtype, rngs: nnx.Rngs):
        self.factor = factor
        self.hidden = blocks.Linear(hint_channels + 1, HINT_WIDTH, dtype=dtype, rngs=rngs)
        self.out = blocks.Linear(HINT_WIDTH, width, dtype=dtype, rngs=rngs)
        self.out.kernel[...] = jnp.zeros((HINT_WIDTH, width))

    def __call__(
        self, chroma: Float[Array, "b h w ab"], mask: Float[Array, "b h w 1"]
    ) -> Float[Array, "b hs ws c"]:
        mean, known = pool_hints(chroma, mask, self.factor)
        b, h, w, _ = known.shape
        share = mask.reshape(b, h, self.factor, w, self.factor, 1).mean((2, 4))
        x = self.hidden(jnp.concatenate([HINT_GAIN * mean, known, share], -1))
        return self.out(nnx.gelu(x)) * known.astype(x.dtype)


class PretrainedHalf(nnx.Module):
    """`quarter`, `eighth` and `width` are the decoder's widths at 1/4, 1/8 and 1/16; `encoder` is one of `SIZES`."""

    def __init__(
        self,
        encoder: str,
        quarter: int,
        eighth: int,
        width: int,
        *,
        hint_channels: int,
        drop_path: float,
        dtype,
        rngs: nnx.Rngs,
    ):
        size = SIZES[encoder]
        self.drop_path = drop_path
        self.encoder = EfficientNetLite(size, 1, dtype=dtype, rngs=rngs)
        self.quarter = blocks.Linear(size.channels("stage2"), quarter, dtype=dtype, rngs=rngs)
        self.eighth = blocks.Linear(size.channels("stage3"), eighth, dtype=dtype, rngs=rngs)
        self.tokens = blocks.Linear(size.channels("stage5"), width, dtype=dtype, rngs=rngs)
        self.context = blocks.Upscale(size.channels("stage7"), width, dtype=dtype, rngs=rngs)
        if hint_channels:
            self.hints = nnx.Dict(
                {
                    name: HintInput(factor, hint_channels, wide, dtype=dtype, rngs=rngs)
                    for name, factor, wide in (
                        ("quarter", 4, quarter),
                        ("eighth", 8, eighth),
                        ("tokens", 16, width),
                    )
                }
            )

    def __call__(self, luma: Float[Array, "b h w 1"], key: Array | None = None) -> Seen:
        """Without hints: `luma` (-1..1) of sides in multiples of 32; a `key` in training."""
        return self._shown(self._maps(luma, key))

    def see_described(self, luma: Float[Array, "b h w 1"]) -> tuple[Seen, Float[Array, "b h16 w16 d"]]:
        """The same, and `describe`, in one look."""
        maps = self._maps(luma, None)
        return self._shown(maps), _described(maps)

    def add_hints(self, seen: Seen, chroma: Float[Array, "b h w ab"], mask: Float[Array, "b h w 1"]) -> Seen:
        """What is seen of a picture, with hints beside it."""
        return Seen(*(x + self.hints[name](chroma, mask) for name, x in seen._asdict().items()))

    def describe(self, luma: Float[Array, "b h w 1"]) -> Float[Array, "b h16 w16 d"]:
        """The encoder's maps at 1/16 and 1/32 side by side, each of length 1 in the root mean square."""
        return _described(self._maps(luma, None))

    def _maps(self, luma: Float[Array, "b h w 1"], key: Array | None) -> dict[int, Array]:
        # Lightness for sRGB's gray value: nowhere further from it than 0.04
        return self.encoder(preprocess((luma + 1) / 2), key, self.drop_path)

    def _shown(self, maps: dict[int, Array]) -> Seen:
        norm = {stride: blocks.rms_norm(x) for stride, x in maps.items()}
        return Seen(
            self.quarter(norm[4]), self.eighth(norm[8]), self.tokens(norm[16]) + self.context(norm[32])
        )

    def describe_cells(self, luma: Float[Array, "b h w 1"]) -> list[Float[Array, "b h8 w8 _"]]:
        """The encoder's maps at 1/4, 1/8, 1/16 and 1/32, each brought to 1/8."""
        maps = self._maps(luma, None)
        return [_resize(maps[stride], maps[8].shape[1:3]).astype(jnp.float32) for stride in (4, 8, 16, 32)]


def _described(maps: dict[int, Array]) -> Float[Array, "b h16 w16 d"]:
    fine, coarse = (blocks.rms_norm(maps[stride]) / jnp.sqrt(maps[stride].shape[-1]) for stride in (16, 32))
    return jnp.concatenate([fine, coarse.repeat(2, 1).repeat(2, 2)], -1)


def _resize(x: Float[Array, "b h w c"], size: tuple[int, int]) -> Float[Array, "b hs ws c"]:
    return jax.image.resize(x, (len(x), *size, x.shape[-1]), "linear")  # antialiased where it shrinks
