"""HybridConvViT: convolutions that know what things are, a ViT over the scene, and luma-guided upsampling at its top.

    luma ---> encoder 1/4 ---> 1/8 ---> 1/16 ---> 1/32
                  |             |         |         |
    hints --> at 1/4 (+) --> at 1/8 (+) -> ViT blocks at 1/16, 2-D rotary
                  |             |             |
    chroma <- luma-guided <- hints again <- decoder 1/4 <- decoder 1/8
                                                               +-> 313-bin logits at 1/8

The encoder is EfficientNet-Lite's, pretrained (`encoder_weights.py`); the variants Ti to L have none and look at luma
and hints with a few convolutions of their own. Any height and width: the input is padded to a multiple of
the stride inside, the output cropped. What is not the encoder's is thin 3x3 convolutions and matmuls, which both a CPU
under XLA and a TPU run fast.
"""

import dataclasses
from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.color.bins import NUM_BINS
from hybridvit.models import blocks
from hybridvit.models.hint_propagation import HintPropagation, pool_hints
from hybridvit.models.prediction import Prediction
from hybridvit.models.pretrained_half import HINT_GAIN, PretrainedHalf, Seen


@dataclasses.dataclass(frozen=True)
class Variant:
    """Widths at 1/4, 1/8 and 1/16, ViT blocks, conv blocks at 1/4 and 1/8, heads.

    `encoder` is one of `efficientnet_lite.SIZES`; without one the conv blocks are encoder and decoder alike.
    """

    quarter: int
    eighth: int
    width: int
    depth: int
    quarter_blocks: int = 1
    eighth_blocks: int = 1
    encoder: str = ""

    @property
    def num_heads(self) -> int:
        return self.width // 64

    @property
    def stride(self) -> int:
        """px: sides that the network sees are multiples of it."""
        return 32 if self.encoder else 16


VARIANTS = {
    "Lite0": Variant(quarter=32, eighth=80, width=192, depth=2, encoder="Lite0"),
    "Lite2": Variant(quarter=32, eighth=96, width=192, depth=2, encoder="Lite2"),
    "Lite4": Variant(quarter=64, eighth=160, width=512, depth=6, encoder="Lite4"),
    "Ti": Variant(quarter=32, eighth=96, width=192, depth=5),
    "XS": Variant(quarter=48, eighth=128, width=320, depth=4),
    "S": Variant(quarter=48, eighth=128, width=320, depth=5),
    "B": Variant(quarter=96, eighth=192, width=512, depth=9, eighth_blocks=2),
    "L": Variant(quarter=128, eighth=256, width=768, depth=15, eighth_blocks=2),
    # for tests: real in all but size
    "test": Variant(quarter=16, eighth=16, width=64, depth=1),
    "Lite-test": Variant(quarter=16, eighth=16, width=64, depth=1, encoder="test"),
}


class GuidedUpsampling(nnx.Module):
    """Chroma at full resolution as a local affine function of the luma, learnt (after He et al. 2013, guided filter).

    At 1/4 there are an offset (the chroma's mean) and a gain for each chroma channel; both are interpolated to full
    resolution and applied to the luma's detail (luma minus its own interpolated 1/4 version). So edges of the chroma
    fall on edges of the luma, at any resolution, and nothing is invented that the luma does not show.
    """

    def __init__(self, width: int, channels: int, factor: int, *, dtype, rngs: nnx.Rngs):
        self.factor = factor
        self.gain = blocks.Linear(width, channels, dtype=dtype, init_scale=0.01, rngs=rngs)

    def __call__(
        self,
        features: Float[Array, "b h w c"],
        offset: Float[Array, "b h w chroma"],
        luma: Float[Array, "b H W 1"],
    ) -> Float[Array, "b H W chroma"]:
        b, h, w, channels = offset.shape
        mean = luma.reshape(b, h, self.factor, w, self.factor, 1).mean((2, 4))
        maps = jnp.concatenate([offset, self.gain(features).astype(jnp.float32), mean], -1)
        maps = blocks.upsample(maps, self.factor)
        offset, gain, mean = jnp.split(maps, (channels, 2 * channels), -1)
        return offset + gain * (luma - mean)


class HybridConvViT(nnx.Module):
    """The flagship generator.

    `variant` is a key of `VARIANTS` (ValueError if not), `channels` are the chroma's (2 for Lab), `hint_channels` one
    more, or 0: it takes no hints; `dtype` is the compute type; `remat` recomputes each ViT block in the backward pass;
    `drop_path` is the pretrained encoder's stochastic depth.
    """

    def __init__(
        self,
        variant: str,
        *,
        channels: int,
        hint_channels: int,
        dtype: str,
        remat: bool,
        drop_path: float = 0.0,
        rngs: nnx.Rngs,
    ):
        v = blocks.look_up(VARIANTS, variant)
        dtype = jnp.dtype(dtype)
        self.remat, self.hint_channels, self.stride = remat, hint_channels, v.stride

        def linear(width_in: int, width: int) -> blocks.Linear:
            return blocks.Linear(width_in, width, dtype=dtype, rngs=rngs)

        def stage(name: str, width: int, count: int) -> Mapping[str, nnx.Module]:
            return nnx.Dict(
                {f"{name}{i:02d}": blocks.ConvBlock(width, dtype=dtype, rngs=rngs) for i in range(count)}
            )

        self.pretrained = bool(v.encoder)
        if self.pretrained:
            self.half = PretrainedHalf(
                v.encoder,
                v.quarter,
                v.eighth,
                v.width,
                hint_channels=hint_channels,
                drop_path=drop_path,
                dtype=dtype,
                rngs=rngs,
            )
        else:
            self.stem = linear(16 * (1 + hint_channels), v.quarter)
            self.encoder_quarter = stage("block", v.quarter, v.quarter_blocks)
            self.down_eighth = linear(4 * v.quarter, v.eighth)
            self.encoder_eighth = stage("block", v.eighth, v.eighth_blocks)
            self.down_tokens = linear(4 * v.eighth, v.width)
        self.blocks = nnx.Dict(
            {
                f"block{i:02d}": blocks.ViTBlock(v.width, v.num_heads, dtype=dtype, rngs=rngs)
                for i in range(v.depth)
            }
        )
        self.head_dim = v.width // v.num_heads
        self.up_eighth = blocks.Upscale(v.width, v.eighth, dtype=dtype, rngs=rngs)
        self.decoder_eighth = stage("block", v.eighth, v.eighth_blocks)
        self.bins = linear(v.eighth, NUM_BINS)
        self.up_quarter = blocks.Upscale(v.eighth, v.quarter, dtype=dtype, rngs=rngs)
        self.decoder_quarter = stage("block", v.quarter, v.quarter_blocks)
        self.offset = blocks.Linear(v.quarter, channels, dtype=dtype, init_scale=0.01, rngs=rngs)
        if hint_channels:
            self.propagation = HintPropagation(v.quarter, dtype=dtype, rngs=rngs)
        self.upsampling = GuidedUpsampling(v.quarter, channels, 4, dtype=dtype, rngs=rngs)

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None,
        key: Array | None = None,
    ) -> Prediction:
        """Colours `luma` (-1..1) given `hints` (chroma x mask, mask); see `Prediction` for what comes back.

        None for `hints` is the same as hints that are all 0, and cheaper. In training (`key`) blocks of a pretrained
        encoder are left out at random.
        """
        return self.paint(luma, self.see(luma, key) if self.pretrained else None, hints)

    def see(self, luma: Float[Array, "b h w 1"], key: Array | None = None) -> Seen:
        """What a pretrained encoder sees of a picture, whatever its hints; more than half of all the work."""
        return self.half(jnp.pad(luma, self._pad(luma), mode="edge"), key)

    def paint(
        self, luma: Float[Array, "b h w 1"], seen: Seen | None, hints: Float[Array, "b h w hint"] | None
    ) -> Prediction:
        """All after `see`; None for `seen` if there is no pretrained encoder."""
        hints = hints if self.hint_channels else None
        height, width = luma.shape[1:3]
        pad = self._pad(luma)
        luma = jnp.pad(luma, pad, mode="edge")
        given = (None, None)
        if hints is not None:
            given = jnp.split(jnp.pad(hints, pad), [self.hint_channels - 1], -1)
        if seen is None:
            seen = self.look(luma, *given)
        elif hints is not None:
            seen = self.half.add_hints(seen, *given)
        quarter, eighth, x = seen
        x = self.transform(x)
        x = run(self.decoder_eighth, eighth + self.up_eighth(blocks.rms_norm(x)))
        logits = self.bins(blocks.rms_norm(x)).astype(jnp.float32)
        x = run(self.decoder_quarter, quarter + self.up_quarter(x))
        x = blocks.rms_norm(x)
        offset = self.offset(x).astype(jnp.float32)
        if hints is not None:
            offset = self.propagation(x, offset, *pool_hints(*given, 4))
        chroma = self.upsampling(x, offset, luma)
        return Prediction(
            chroma=chroma[:, :height, :width],
            bins=logits[:, : -(-height // 8), : -(-width // 8)],
            features=x[:, : -(-height // 4), : -(-width // 4)],
        )

    def describe(self, luma: Float[Array, "b h w 1"]) -> Float[Array, "b h16 w16 d"]:
        """What is seen where, at 1/16, by the encoder alone: alike for things alike, whatever their colours."""
        height, width = luma.shape[1:3]
        luma = jnp.pad(luma, self._pad(luma), mode="edge")
        x = self.half.describe(luma) if self.pretrained else self.look(luma, None, None).tokens
        return x[:, : -(-height // 16), : -(-width // 16)].astype(jnp.float32)

    def see_described(self, luma: Float[Array, "b h w 1"]) -> tuple[Seen, Float[Array, "b h16 w16 d"]]:
        """`see` and `describe` of a pretrained encoder, in one look."""
        height, width = luma.shape[1:3]
        seen, x = self.half.see_described(jnp.pad(luma, self._pad(luma), mode="edge"))
        return seen, x[:, : -(-height // 16), : -(-width // 16)].astype(jnp.float32)

    def describe_cells(self, luma: Float[Array, "b h w 1"]) -> list[Float[Array, "b h8 w8 _"]]:
        """What a pretrained encoder sees in each cell of the bins, from fine to coarse, on a scale of its own."""
        height, width = luma.shape[1:3]
        seen = self.half.describe_cells(jnp.pad(luma, self._pad(luma), mode="edge"))
        return [x[:, : -(-height // 8), : -(-width // 8)] for x in seen]

    def _pad(self, luma: Float[Array, "b h w 1"]) -> tuple[tuple[int, int], ...]:
        """Up to sides that the network sees."""
        return (0, 0), (0, -luma.shape[1] % self.stride), (0, -luma.shape[2] % self.stride), (0, 0)

    def look(
        self,
        luma: Float[Array, "b h w 1"],
        chroma: Float[Array, "b h w ab"] | None,
        mask: Float[Array, "b h w 1"] | None,
    ) -> Seen:
        """What the variants without a pretrained encoder see, of luma and hints together."""
        if mask is None:
            # Not zeros through the whole stem: XLA would fold them at compile time, slowly
            x = self.stem(blocks.space_to_depth(luma, 4), every=1 + self.hint_channels)
        else:
            x = self.stem(blocks.space_to_depth(jnp.concatenate([luma, HINT_GAIN * chroma, mask], -1), 4))
        quarter = run(self.encoder_quarter, x)
        eighth = run(self.encoder_eighth, self.down_eighth(blocks.space_to_depth(quarter, 2)))
        return Seen(quarter, eighth, self.down_tokens(blocks.space_to_depth(eighth, 2)))

    def transform(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """The ViT blocks over the map's tokens."""
        b, h, w, c = x.shape
        angles = blocks.rotary_angles(h, w, self.head_dim)
        x = x.reshape(b, h * w, c)
        for block in self.blocks.values():
            # A lambda with positional arguments only: nnx.remat takes no keywords.
            step = lambda block, x: block(x, angles)  # noqa: E731
            x = (nnx.remat(step) if self.remat else step)(block, x)
        return x.reshape(b, h, w, c)


def run(stage: Mapping[str, nnx.Module], x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
    """Applies the blocks of a stage in their order."""
    for block in stage.values():
        x = block(x)
    return x
