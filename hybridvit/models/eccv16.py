"""eccv16, the network of Colorful Image Colorization (Zhang, Isola and Efros 2016), as in its PyTorch release.

    luma -> stages 1..3 to 1/8 -> stages 4..7 at 1/8, two of them dilated -> up to 1/4 -> 313-bin logits
    chroma <- 4 times, bilinear <- annealed mean of the bins' colours, T = 0.38 (section 2.3)

It predicts a distribution alone; train it by the cross-entropy of the bins with class rebalancing (section 2.2), the
weight of the chroma's loss 0. That loss is taken at 1/8 here, as for every generator, not at 1/4 as in the paper: the
logits returned are those of the mean of each 2 x 2 distributions. Lab only; hints are ignored.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.models.blocks import look_up, upsample
from hybridvit.models.conv_stage import ConvStage, conv3, mix_squares, pad, run, up2
from hybridvit.models.prediction import Prediction

VARIANTS = {"paper": 64, "test": 4}  # width of the first stage; the others are multiples of it
TEMPERATURE = 0.38


class Eccv16(nnx.Module):
    """The network; `variant` is a key of `VARIANTS` and `channels` 2 (ValueError if not), `dtype` the compute type.

    `colors` holds the colours of the bins, CIE ab units. It is kept with the running statistics, as it is not learnt,
    but the published weights come with their own.
    """

    def __init__(
        self, variant: str, *, channels: int, hint_channels: int, dtype: str, remat: bool, rngs: nnx.Rngs
    ):
        w = look_up(VARIANTS, variant)
        if channels != 2:
            raise ValueError("Eccv16 predicts ab bins: set config.color.space to 'lab'")
        self.remat = remat
        dtype = jnp.dtype(dtype)
        options = {"dtype": dtype, "rngs": rngs}
        self.stage1 = ConvStage(1, w, 2, stride=2, **options)
        self.stage2 = ConvStage(w, 2 * w, 2, stride=2, **options)
        self.stage3 = ConvStage(2 * w, 4 * w, 3, stride=2, **options)
        self.stage4 = ConvStage(4 * w, 8 * w, 3, **options)
        self.stage5 = ConvStage(8 * w, 8 * w, 3, dilation=2, **options)
        self.stage6 = ConvStage(8 * w, 8 * w, 3, dilation=2, **options)
        self.stage7 = ConvStage(8 * w, 8 * w, 3, **options)
        self.up8 = up2(8 * w, 4 * w, **options)
        self.conv8 = nnx.Dict({f"conv{i}": conv3(4 * w, 4 * w, **options) for i in range(2)})
        self.bins = nnx.Conv(4 * w, NUM_BINS, (1, 1), **options)
        self.colors = nnx.BatchStat(jnp.asarray(BIN_CENTRES))

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None = None,
        key: Array | None = None,
    ) -> Prediction:
        """Colours `luma`, -1..1; `key` says that it is training, so the batch's own statistics are used and kept."""
        _, height, width, _ = luma.shape
        logits = self.logits(pad(luma), key is not None)
        ab = jax.nn.softmax(logits / TEMPERATURE) @ self.colors[...]
        chroma = upsample(ab / CHROMA_SCALE, 4)[:, :height, :width]
        return Prediction(chroma, mix_squares(logits))

    def logits(self, luma: Float[Array, "b h w 1"], training: bool) -> Float[Array, "b h4 w4 313"]:
        """The network's own output, at 1/4; height and width are multiples of 8."""
        x = 0.5 * luma  # (L - 50) / 100
        for i in range(1, 8):
            x = run(getattr(self, f"stage{i}"), x, training, self.remat)
        x = nnx.relu(self.up8(x))
        for conv in self.conv8.values():
            x = nnx.relu(conv(x))
        return self.bins(x).astype(jnp.float32)
