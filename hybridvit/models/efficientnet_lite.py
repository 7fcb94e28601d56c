"""EfficientNet-Lite: the convolutional encoder that comes with what ImageNet taught it.

The networks that Google's TPU project made of EfficientNet (Tan & Le 2019) for devices without much memory: inverted
residual blocks (Sandler et al. 2018) with relu6, without squeeze-and-excitation; stem and last convolution of fixed
width. Batch norms are folded into the convolutions before them (`encoder_weights.py`), so that training and inference
are the same function.

    stem 1/2 -> stage1 1/2 -> stage2 1/4 -> stage3 1/8 -> stage4, stage5 1/16 -> stage6, stage7 1/32
"""

import dataclasses
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.blocks import Linear, initial
from hybridvit.models.depthwise import Depthwise, Padding

STEM = 32
HEAD = 1280
NUM_CLASSES = 1000  # ILSVRC-2012, in the order of their WordNet numbers


class Stage(NamedTuple):
    """Blocks of one width; the first has the stride. Those of EfficientNet-B0 (table 1 of Tan & Le 2019)."""

    repeats: int
    kernel: int
    stride: int
    width: int
    expansion: int


STAGES = {
    "stage1": Stage(1, 3, 1, 16, 1),
    "stage2": Stage(2, 3, 2, 24, 6),
    "stage3": Stage(2, 5, 2, 40, 6),
    "stage4": Stage(3, 3, 2, 80, 6),
    "stage5": Stage(3, 5, 1, 112, 6),
    "stage6": Stage(4, 5, 2, 192, 6),
    "stage7": Stage(1, 3, 1, 320, 6),
}
SHOWN = {4: "stage2", 8: "stage3", 16: "stage5", 32: "stage7"}  # the last stage of each stride


@dataclasses.dataclass(frozen=True)
class Size:
    """How many times the widths and repeats of `STAGES`, and the pictures' side in training, px."""

    width: float
    depth: float
    side: int

    def channels(self, stage: str) -> int:
        """The stage's width, rounded to a multiple of 8 as the networks' makers do."""
        wanted = STAGES[stage].width * self.width
        rounded = max(8, int(wanted + 4) // 8 * 8)
        return rounded if rounded >= 0.9 * wanted else rounded + 8

    def repeats(self, stage: str) -> int:
        """Blocks of the stage; those of the first and the last are fixed."""
        repeats = STAGES[stage].repeats
        return repeats if stage in ("stage1", "stage7") else math.ceil(repeats * self.depth)


SIZES = {
    "Lite0": Size(1.0, 1.0, 224),
    "Lite1": Size(1.0, 1.1, 240),
    "Lite2": Size(1.1, 1.2, 260),
    "Lite3": Size(1.2, 1.4, 280),
    "Lite4": Size(1.4, 1.8, 300),
    "test": Size(0.2, 0.3, 260),  # for tests: real in all but size
}


def relu6(x: Float[Array, "*b c"]) -> Float[Array, "*b c"]:
    """Clipped to 0..6."""
    return jnp.clip(x, 0, 6)


def paddings(side: int) -> dict[str, Padding]:
    """The zeros before and after a map in the strided convolution of the stem and of each stage, in training at `side`.

    TensorFlow's "SAME" depends on whether a map's side is even; weights are used with the padding that they learnt
    with, at any size.
    """
    found = {}
    for name, size, stride in [("stem", 3, 2)] + [(name, s.kernel, s.stride) for name, s in STAGES.items()]:
        out = -(-side // stride)
        total = max((out - 1) * stride + size - side, 0)
        found[name] = (total // 2, total - total // 2)
        side = out
    return found


class Stem(nnx.Module):
    """3x3 convolution of stride 2."""

    def __init__(self, channels: int, padding: Padding, *, dtype, rngs: nnx.Rngs):
        initialise = nnx.initializers.he_normal()
        self.kernel = nnx.Param(initial(rngs, initialise, (3, 3, channels, STEM)))
        self.bias = nnx.Param(jnp.zeros((STEM,)))
        self.padding, self.dtype = padding, dtype

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 f"]:
        x = jax.lax.conv_general_dilated(
            x.astype(self.dtype),
            self.kernel[...].astype(self.dtype),
            (2, 2),
            (self.padding, self.padding),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return relu6(x + self.bias[...].astype(self.dtype))


class InvertedResidual(nnx.Module):
    """Matmul to more channels, depthwise convolution, matmul back; added to its input where that has the same shape."""

    def __init__(
        self, width_in: int, width: int, stage: Stage, stride: int, padding: Padding, *, dtype, rngs: nnx.Rngs
    ):
        wide = width_in * stage.expansion
        if stage.expansion > 1:
            self.expand = Linear(width_in, wide, dtype=dtype, init_scale=2.0, rngs=rngs)
        self.depthwise = Depthwise(wide, stage.kernel, stride, padding, dtype=dtype, rngs=rngs)
        self.adds = stride == 1 and width_in == width
        # Without norms what is added starts small, else a random network's maps grow with its depth
        self.project = Linear(wide, width, dtype=dtype, init_scale=0.1 if self.adds else 1.0, rngs=rngs)
        self.expands = stage.expansion > 1

    def __call__(
        self, x: Float[Array, "b h w c"], keep: Float[Array, "b 1 1 1"] | None = None
    ) -> Float[Array, "b hs ws d"]:
        """`keep` multiplies what is added."""
        y = relu6(self.expand(x)) if self.expands else x
        y = self.project(relu6(self.depthwise(y)))
        if not self.adds:
            return y
        return x + (y if keep is None else y * keep.astype(y.dtype))


class EfficientNetLite(nnx.Module):
    """The stages to 1/32; `size` is one of `SIZES`, `channels` are the input's."""

    def __init__(self, size: Size, channels: int, *, dtype, rngs: nnx.Rngs):
        pads = paddings(size.side)
        self.stem = Stem(channels, pads["stem"], dtype=dtype, rngs=rngs)
        width = STEM
        for name, stage in STAGES.items():
            blocks = {}
            for i in range(size.repeats(name)):
                first = i == 0
                blocks[f"block{i:02d}"] = InvertedResidual(
                    width,
                    size.channels(name),
                    stage,
                    stage.stride if first else 1,
                    pads[name] if first else (stage.kernel // 2,) * 2,
                    dtype=dtype,
                    rngs=rngs,
                )
                width = size.channels(name)
            setattr(self, name, nnx.Dict(blocks))

    def __call__(
        self, x: Float[Array, "b h w c"], key: Array | None = None, drop: float = 0.0
    ) -> dict[int, Float[Array, "b hs ws f"]]:
        """The maps at 1/4, 1/8, 1/16 and 1/32 by these numbers, of a picture as `preprocess` gives it.

        Sides are multiples of 32. In training (`key`) what a block adds is dropped from a picture with a probability
        that rises with its depth to `drop` (stochastic depth, Huang et al. 2016).
        """
        x = self.stem(x)
        shown = {}
        blocks = [(name, i) for name in STAGES for i in getattr(self, name)]
        for number, (name, i) in enumerate(blocks):
            keep = None
            if key is not None and drop > 0:
                rate = drop * number / len(blocks)
                draws = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - rate, (len(x), 1, 1, 1))
                keep = draws / (1 - rate)
            x = getattr(self, name)[i](x, keep)
            shown[name] = x
        return {stride: shown[name] for stride, name in SHOWN.items()}


def preprocess(gray: Float[Array, "*b c"]) -> Float[Array, "*b c"]:
    """Pictures as the networks were given them, from sRGB values in 0..1."""
    return (gray * 255 - 127) / 128


class Classifier(nnx.Module):
    """The whole network, with the head that names what it sees; of colour pictures."""

    def __init__(self, size: Size, *, rngs: nnx.Rngs):
        self.encoder = EfficientNetLite(size, 3, dtype=jnp.float32, rngs=rngs)
        self.head = Linear(size.channels("stage7"), HEAD, rngs=rngs)
        self.classes = Linear(HEAD, NUM_CLASSES, rngs=rngs)

    def __call__(self, rgb: Float[Array, "b h w 3"]) -> tuple[Float[Array, "b 1000"], Float[Array, "b 1280"]]:
        """Logits of the classes, and the pooled features before them; `rgb` is sRGB in 0..1, its sides whole 32s."""
        x = relu6(self.head(self.encoder(preprocess(rgb))[32])).mean((1, 2))
        return self.classes(x), x
