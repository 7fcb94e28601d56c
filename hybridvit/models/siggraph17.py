"""siggraph17, the network of Real-Time User-Guided Image Colorization (Zhang et al. 2017), as in its PyTorch release.

    luma, hints -> stage 1 at 1/1 -> stage 2 at 1/2 -> stage 3 at 1/4 -> stages 4..7 at 1/8, two of them dilated
                      |                 |                 |                          |
    chroma, tanh <- stage 10 <------ stage 9 <-------- stage 8 <---------------------+
                                                          +-> logits of 529 ab bins at 1/4

The 529 bins are the whole grid of which the 313 are those in the gamut; what is returned are the logits of the 313, of
the mean of each 2 x 2 distributions. In Lab only; in other colour spaces there are no bins. The paper trains by the
bins and 10 times the chroma's L1 loss (its code), with the hints of `hybridvit.hints.user_points`.
"""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.models.blocks import look_up
from hybridvit.models.conv_stage import ConvStage, conv3, mix_squares, pad, run, up2
from hybridvit.models.prediction import Prediction

VARIANTS = {"paper": 64, "test": 4}  # width of the first stage; the others are multiples of it
GRID = 23  # bins along a and along b, -110..110 in tens; a is the outer one
IN_GAMUT = ((BIN_CENTRES[:, 0] + 110) / 10 * GRID + (BIN_CENTRES[:, 1] + 110) / 10).astype(np.int32)


class Siggraph17(nnx.Module):
    """The network; `variant` is a key of `VARIANTS` (ValueError if not), `dtype` the compute type.

    `remat` recomputes each stage in the backward pass.
    """

    def __init__(
        self, variant: str, *, channels: int, hint_channels: int, dtype: str, remat: bool, rngs: nnx.Rngs
    ):
        self.hint_channels, self.remat = hint_channels, remat
        w, dtype = look_up(VARIANTS, variant), jnp.dtype(dtype)
        options = {"dtype": dtype, "rngs": rngs}
        self.stage1 = ConvStage(1 + hint_channels, w, 2, **options)
        self.stage2 = ConvStage(w, 2 * w, 2, **options)
        self.stage3 = ConvStage(2 * w, 4 * w, 3, **options)
        self.stage4 = ConvStage(4 * w, 8 * w, 3, **options)
        self.stage5 = ConvStage(8 * w, 8 * w, 3, dilation=2, **options)
        self.stage6 = ConvStage(8 * w, 8 * w, 3, dilation=2, **options)
        self.stage7 = ConvStage(8 * w, 8 * w, 3, **options)
        self.up8, self.short8 = up2(8 * w, 4 * w, **options), conv3(4 * w, 4 * w, **options)
        self.stage8 = ConvStage(4 * w, 4 * w, 2, **options)
        self.up9, self.short9 = up2(4 * w, 2 * w, **options), conv3(2 * w, 2 * w, **options)
        self.stage9 = ConvStage(2 * w, 2 * w, 1, **options)
        self.up10, self.short10 = up2(2 * w, 2 * w, **options), conv3(w, 2 * w, **options)
        self.conv10 = conv3(2 * w, 2 * w, **options)
        self.bins = nnx.Conv(4 * w, GRID**2, (1, 1), **options) if channels == 2 else None
        self.chroma = nnx.Conv(2 * w, channels, (1, 1), **options)

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None = None,
        key: Array | None = None,
    ) -> Prediction:
        """Colours `luma`, -1..1, given hints (chroma x mask, mask); None for those is the same as zeros.

        `key` says that it is training, so the batch's own statistics are used and kept.
        """
        b, height, width, _ = luma.shape
        training = key is not None
        x = 0.5 * luma  # (L - 50) / 100
        if self.hint_channels:
            given = jnp.zeros((b, height, width, self.hint_channels)) if hints is None else hints
            x = jnp.concatenate([x, given], -1)
        one = run(self.stage1, pad(x), training, self.remat)
        half = run(self.stage2, one[:, ::2, ::2], training, self.remat)
        quarter = run(self.stage3, half[:, ::2, ::2], training, self.remat)
        x = quarter[:, ::2, ::2]
        for i in range(4, 8):
            x = run(getattr(self, f"stage{i}"), x, training, self.remat)
        coarse = run(self.stage8, nnx.relu(self.up8(x) + self.short8(quarter)), training, self.remat)
        x = run(self.stage9, nnx.relu(self.up9(coarse) + self.short9(half)), training, self.remat)
        x = nnx.relu(self.up10(x) + self.short10(one))
        x = nnx.leaky_relu(self.conv10(x), 0.2)
        chroma = jnp.tanh(self.chroma(x).astype(jnp.float32))[:, :height, :width]
        if self.bins is None:
            return Prediction(chroma)
        return Prediction(chroma, mix_squares(self.bins(coarse).astype(jnp.float32)[..., IN_GAMUT]))
