"""What the U-shaped networks share: their input, convolutions with batch norm, transposed convolutions.

Maps are `[b, h, w, c]`. Parameters are float32, `dtype` is the compute type. `train` uses the batch's statistics in
batch norms and updates the running ones; without it the running ones are used. A convolution before a batch norm has
no bias: the norm takes it away again.
"""

from collections.abc import Callable

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.prediction import Prediction


def pad_input(
    luma: Float[Array, "b h w 1"], hints: Float[Array, "b h w hint"] | None, hint_channels: int, stride: int
) -> Float[Array, "b H W c"]:
    """Luma and hints side by side, padded at the right and the bottom to multiples of `stride`.

    The luma goes on as at its edge, hints are unknown there (0). `hints` is ignored where `hint_channels` is 0; None
    stands for no hints.
    """
    pad = ((0, 0), (0, -luma.shape[1] % stride), (0, -luma.shape[2] % stride), (0, 0))
    x = jnp.pad(luma, pad, mode="edge")
    if hint_channels == 0:
        return x
    hints = jnp.zeros((*x.shape[:3], hint_channels), x.dtype) if hints is None else jnp.pad(hints, pad)
    return jnp.concatenate([x, hints], -1)


def predict(
    luma: Float[Array, "b h w 1"], chroma: Float[Array, "b H W c"], *side_outputs: Float[Array, "b H W c"]
) -> Prediction:
    """Chroma maps cropped to the luma's size and squashed to -1..1 by tanh, in float32."""
    height, width = luma.shape[1:3]
    first, *others = (jnp.tanh(x[:, :height, :width].astype(jnp.float32)) for x in (chroma, *side_outputs))
    return Prediction(first, side_outputs=tuple(others))


def apply(block: nnx.Module, x: Float[Array, "b h w c"], train: bool, remat: bool) -> Float[Array, "b H W d"]:
    """`block(x, train)`; with `remat`, recomputed in the backward pass instead of stored."""
    step: Callable = lambda block, x: block(x, train)  # noqa: E731 (nnx.remat takes no keywords)
    return (nnx.remat(step) if remat else step)(block, x)


def batch_norm(width: int, *, affine: bool = True, dtype=jnp.float32, rngs: nnx.Rngs) -> nnx.BatchNorm:
    """With a short memory (0.9, as in the papers' frameworks), so that short trainings can be evaluated too."""
    return nnx.BatchNorm(width, momentum=0.9, use_scale=affine, use_bias=affine, dtype=dtype, rngs=rngs)


def up_conv(
    width_in: int, width: int, kernel: int, *, use_bias: bool = False, kernel_init=None, dtype, rngs: nnx.Rngs
) -> nnx.ConvTranspose:
    """Transposed convolution to twice the size, centred as PyTorch's with padding (kernel - 1) // 2."""
    before = kernel // 2
    return nnx.ConvTranspose(
        width_in,
        width,
        (kernel, kernel),
        strides=(2, 2),
        padding=((before, before + kernel % 2),) * 2,
        use_bias=use_bias,
        kernel_init=kernel_init or nnx.initializers.he_normal(),
        dtype=dtype,
        rngs=rngs,
    )


class ConvNorm(nnx.Module):
    """Convolution, batch norm, ReLU (`activate`)."""

    def __init__(
        self,
        width_in: int,
        width: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        activate: bool = True,
        dtype=jnp.float32,
        rngs: nnx.Rngs,
    ):
        self.activate = activate
        self.conv = nnx.Conv(
            width_in,
            width,
            (kernel, kernel),
            strides=stride,
            padding=kernel // 2,
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            dtype=dtype,
            rngs=rngs,
        )
        self.norm = batch_norm(width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b H W cout"]:
        x = self.norm(self.conv(x), use_running_average=not train)
        return nnx.relu(x) if self.activate else x


class UpConvNorm(nnx.Module):
    """Transposed convolution to twice the size, batch norm, ReLU."""

    def __init__(self, width_in: int, width: int, kernel: int, *, dtype=jnp.float32, rngs: nnx.Rngs):
        self.conv = up_conv(width_in, width, kernel, dtype=dtype, rngs=rngs)
        self.norm = batch_norm(width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b h2 w2 cout"]:
        return nnx.relu(self.norm(self.conv(x), use_running_average=not train))


class DoubleConv(nnx.Module):
    """Two 3x3 `ConvNorm`s, the block of most U-Nets."""

    def __init__(self, width_in: int, width: int, *, dtype=jnp.float32, rngs: nnx.Rngs):
        self.first = ConvNorm(width_in, width, dtype=dtype, rngs=rngs)
        self.second = ConvNorm(width, width, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], train: bool) -> Float[Array, "b h w cout"]:
        return self.second(self.first(x, train), train)


def max_pool(x: Float[Array, "b h w c"], factor: int = 2) -> Float[Array, "b hs ws c"]:
    """Largest value of each square of `factor`."""
    return nnx.max_pool(x, (factor, factor), (factor, factor))


def nearest(x: Float[Array, "b h w c"], factor: int = 2) -> Float[Array, "b hf wf c"]:
    """Each value repeated over a square of `factor`."""
    return jnp.repeat(jnp.repeat(x, factor, 1), factor, 2)
