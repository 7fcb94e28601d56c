"""Autoencoders that colour: the alpha, beta and full versions of Wallner's tutorial (2017).

    alpha  a plain encoder to 1/8 and a decoder, a few channels wide
    beta   the same, deeper and wider
    full   with global features, the fusion layer of Deep Koalarization (Baldassarre et al. 2017, table 1): the
           embedding of the whole picture by a frozen classifier is put beside the features at every place, and a 1x1
           convolution mixes both

    luma -> 3x3 convolutions with ReLU, three of them of stride 2 -> [fusion] -> 3x3 convolutions with ReLU, nearest
    upsampling three times in between -> chroma, tanh at 1/2, upsampled

The upsampling after the last layer is the tutorial's: colours are in steps of 2 px; alpha has it before. They train on
the mean squared error.
"""

import dataclasses
from collections.abc import Mapping

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.embedding import build_classifier
from hybridvit.models.prediction import Prediction

STRIDE = 8
UP = 0  # in a decoder's widths: upsampling


@dataclasses.dataclass(frozen=True)
class Variant:
    """Widths of the encoder's and decoder's convolutions, in their order; negative in the encoder: of stride 2.

    `fusion` is the width of the fusion layer (0: none), `classifier` the one whose embedding it is given if the
    config names no other.
    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    fusion: int = 0
    classifier: str = ""


VARIANTS = {
    "alpha": Variant((-8, 8, 16, -16, 32, -32), (UP, 32, UP, 16, UP)),
    "beta": Variant((64, -64, 128, -128, 256, -256, 512, 256, 128), (UP, 64, UP, 32)),
    # With the released weights of 0.1 for classifier; configs/autoencoder.py names those of today
    "full": Variant((-64, 128, -128, 256, -256, 512, 512, 256), (128, UP, 64, 64, UP, 32), 256, "XS"),
    "test": Variant((-4, 8, -8, -8), (8, UP, 4, UP, 4), 8, "test"),  # for tests: full in all but size
}


def classifier_of(variant: str) -> str:
    """The name of a variant's classifier: the one after the colon, else its own."""
    name, _, classifier = variant.partition(":")
    return classifier or VARIANTS[name].classifier


class Autoencoder(nnx.Module):
    """The network. `variant` is a key of `VARIANTS`, "full" also with the name of a classifier: "full:ViT-B_16".

    Its classifier's weights are random until they are put into its statistics under "classifier": see
    `hybridvit.models.embedding`. Raises ValueError for an unknown variant or classifier.
    """

    def __init__(
        self, variant: str, *, channels: int, hint_channels: int, dtype: str, remat: bool, rngs: nnx.Rngs
    ):
        name, _, classifier = variant.partition(":")
        if name not in VARIANTS or (classifier and not VARIANTS[name].fusion):
            raise ValueError(
                f"config.model.variant={variant!r} is not one of {', '.join(VARIANTS)}, or full:CLASSIFIER"
            )
        v, dtype = VARIANTS[name], jnp.dtype(dtype)
        self.hint_channels, self.remat = hint_channels, remat

        def conv(width_in: int, width: int, size: int = 3, stride: int = 1) -> nnx.Conv:
            initialise = nnx.initializers.he_normal()
            return nnx.Conv(
                width_in, width, (size, size), strides=stride, kernel_init=initialise, dtype=dtype, rngs=rngs
            )

        width, encoder, decoder = 1 + hint_channels, {}, {}
        for i, out in enumerate(v.encoder):
            encoder[f"conv{i}"] = conv(width, abs(out), stride=2 if out < 0 else 1)
            width = abs(out)
        if v.fusion:
            self.classifier = build_classifier(classifier_of(variant), dtype=dtype.name, rngs=rngs)
            self.fusion = conv(width + self.classifier.width, v.fusion, size=1)
            width = v.fusion
        for i, out in enumerate(v.decoder):
            if out != UP:
                decoder[f"conv{i}"] = conv(width, out)
                width = out
        self.plan = tuple(v.decoder)
        self.encoder, self.decoder = nnx.Dict(encoder), nnx.Dict(decoder)
        self.chroma = nnx.Conv(width, channels, (3, 3), dtype=dtype, rngs=rngs)

    def __call__(
        self,
        luma: Float[Array, "b h w 1"],
        hints: Float[Array, "b h w hint"] | None = None,
        key: Array | None = None,
    ) -> Prediction:
        """Colours `luma`, -1..1, given hints (chroma x mask, mask; None: zeros); the same in training."""
        b, height, width, _ = luma.shape
        x = luma
        if self.hint_channels:
            given = jnp.zeros((b, height, width, self.hint_channels)) if hints is None else hints
            x = jnp.concatenate([luma, given], -1)
        x = jnp.pad(x, ((0, 0), (0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
        x = (nnx.remat(_encode) if self.remat else _encode)(self.encoder, x)
        if hasattr(self, "fusion"):
            x = nnx.relu(self.fusion(beside(x, self.classifier(luma))))
        for i, out in enumerate(self.plan):
            x = upsample2(x) if out == UP else nnx.relu(self.decoder[f"conv{i}"](x))
        chroma = jnp.tanh(self.chroma(x).astype(jnp.float32))
        for _ in range(3 - self.plan.count(UP)):
            chroma = upsample2(chroma)
        return Prediction(chroma[:, :height, :width])


def beside(x: Float[Array, "b h w c"], embedding: Float[Array, "b e"]) -> Float[Array, "b h w ce"]:
    """The map with the embedding beside its features at every place."""
    b, h, w, _ = x.shape
    return jnp.concatenate([x, jnp.broadcast_to(embedding[:, None, None], (b, h, w, embedding.shape[1]))], -1)


def upsample2(x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 c"]:
    """Twice the size, each value four times."""
    return x.repeat(2, 1).repeat(2, 2)


def _encode(convs: Mapping[str, nnx.Module], x: Float[Array, "b h w c"]) -> Float[Array, "b h8 w8 out"]:
    for conv in convs.values():
        x = nnx.relu(conv(x))
    return x
