"""What the two networks of Zhang et al. (2016, 2017) are made of: stages of 3x3 convolutions, and bins at 1/8.

Maps are `[b, h, w, c]`. Paddings are those of the published PyTorch release, so that its weights give its results.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

STRIDE = 8  # of the innermost stages; inputs are padded to a multiple of it


class ConvStage(nnx.Module):
    """`count` convolutions with ReLU, then a batch norm; `stride` is the last convolution's."""

    def __init__(
        self,
        width_in: int,
        width: int,
        count: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        dtype: jnp.dtype,
        rngs: nnx.Rngs,
    ):
        convs = {}
        for i in range(count):
            convs[f"conv{i}"] = conv3(
                width if i else width_in,
                width,
                stride=stride if i == count - 1 else 1,
                dilation=dilation,
                dtype=dtype,
                rngs=rngs,
            )
        self.convs = nnx.Dict(convs)
        self.norm = nnx.BatchNorm(width, momentum=0.9, dtype=dtype, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w cin"], training: bool) -> Float[Array, "b hs ws cout"]:
        for conv in self.convs.values():
            x = nnx.relu(conv(x))
        return self.norm(x, use_running_average=not training)


def conv3(
    width_in: int, width: int, *, stride: int = 1, dilation: int = 1, dtype: jnp.dtype, rngs: nnx.Rngs
) -> nnx.Conv:
    """A 3x3 convolution, zeros around the map."""
    return nnx.Conv(
        width_in,
        width,
        (3, 3),
        strides=stride,
        padding=dilation,
        kernel_dilation=dilation,
        kernel_init=nnx.initializers.he_normal(),
        dtype=dtype,
        rngs=rngs,
    )


def up2(width_in: int, width: int, *, dtype: jnp.dtype, rngs: nnx.Rngs) -> nnx.ConvTranspose:
    """A transposed 4x4 convolution to twice the size."""
    return nnx.ConvTranspose(width_in, width, (4, 4), strides=(2, 2), padding="SAME", dtype=dtype, rngs=rngs)


def run(
    stage: ConvStage, x: Float[Array, "b h w cin"], training: bool, remat: bool
) -> Float[Array, "b hs ws cout"]:
    """Applies a stage; with `remat` its inside is computed again in the backward pass."""
    step = lambda stage, x: stage(x, training)  # noqa: E731, nnx.remat takes positional arguments only
    return (nnx.remat(step) if remat else step)(stage, x)


def pad(x: Float[Array, "b h w c"]) -> Float[Array, "b hp wp c"]:
    """Repeats the lower and right edges up to a multiple of STRIDE."""
    return jnp.pad(x, ((0, 0), (0, -x.shape[1] % STRIDE), (0, -x.shape[2] % STRIDE), (0, 0)), mode="edge")


def mix_squares(logits: Float[Array, "b h w q"]) -> Float[Array, "b hs ws q"]:
    """Logits of the mean of the distributions in each square of 2 x 2: those at 1/4 become those of cells at 1/8."""
    b, h, w, q = logits.shape
    logs = jax.nn.log_softmax(logits).reshape(b, h // 2, 2, w // 2, 2, q)
    return jax.nn.logsumexp(logs, axis=(2, 4)) - jnp.log(4.0)
