"""PatchGAN (Isola et al. 2017): a convolutional discriminator that judges overlapping patches.

`[b, h, w, c]` (luma and chroma, about -1..1) to logits `[b, h', w', 1]`, one a patch. With `num_layers=3` a patch is
70 x 70 px; 1 gives 16, 2 gives 34, 4 gives 142.

pix2pix normalises by the batch, CycleGAN each picture by itself, both all but the first and the last layer; spectral
norm is for all layers.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

KERNEL = 4
# What follows a hidden convolution. The batch's own statistics, always: a discriminator has no inference
NORMS = {
    "batch": functools.partial(
        nnx.LayerNorm,
        reduction_axes=(0, 1, 2),
        scale_init=lambda *shape: 1 + nnx.initializers.normal(0.02)(*shape),
    ),
    "instance": functools.partial(nnx.InstanceNorm, use_scale=False, use_bias=False),
}


class SpectralConv(nnx.Module):
    """4x4 convolution whose kernel is divided by its largest singular value (Miyato et al. 2018, algorithm 1).

    `u` carries the power iteration from step to step; a call advances it by one iteration.
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        stride: int,
        *,
        normalise: bool,
        use_bias: bool = True,
        dtype,
        rngs: nnx.Rngs,
    ):
        self.conv = nnx.Conv(
            width_in,
            width,
            (KERNEL, KERNEL),
            strides=stride,
            padding=1,
            use_bias=use_bias,
            dtype=dtype,
            kernel_init=nnx.initializers.normal(0.02),
            rngs=rngs,
        )
        self.u = nnx.BatchStat(jax.random.normal(rngs.params(), (width,))) if normalise else None

    def __call__(self, x: Float[Array, "b h w cin"]) -> Float[Array, "b hs ws cout"]:
        y = self.conv(x)
        return y if self.u is None else y / self.sigma().astype(y.dtype)

    def sigma(self) -> Float[Array, ""]:
        """Largest singular value of the kernel as a matrix `[16 * width_in, width]`; the bias is scaled with it."""
        matrix = self.conv.kernel[...].reshape(-1, self.conv.out_features)
        v = _unit(jax.lax.stop_gradient(matrix) @ self.u[...])
        u = _unit(v @ jax.lax.stop_gradient(matrix))
        self.u[...] = u
        return v @ matrix @ u


def _unit(x: Float[Array, " n"]) -> Float[Array, " n"]:
    return x / (jnp.linalg.norm(x) + 1e-12)


class PatchGAN(nnx.Module):
    """`num_layers` convolutions of stride 2, doubling the width up to 8 times, then two of stride 1.

    `norm`: spectral, batch, instance or none.
    """

    def __init__(
        self,
        channels: int = 3,
        *,
        width: int = 64,
        num_layers: int = 3,
        norm: str = "spectral",
        dtype="float32",
        rngs: nnx.Rngs,
    ):
        self.dtype = jnp.dtype(dtype)
        widths = [min(2**i, 8) * width for i in range(num_layers + 1)] + [1]
        strides = [2] * num_layers + [1, 1]
        layers, norms = {}, {}
        for i, (out, stride) in enumerate(zip(widths, strides, strict=True)):
            followed = norm in NORMS and 0 < i < len(widths) - 1
            layers[f"conv{i}"] = SpectralConv(
                channels,
                out,
                stride,
                normalise=norm == "spectral",
                use_bias=not followed,  # the norm takes it away again
                dtype=self.dtype,
                rngs=rngs,
            )
            if followed:
                norms[f"conv{i}"] = NORMS[norm](
                    out, epsilon=1e-5, use_fast_variance=False, dtype=self.dtype, rngs=rngs
                )
            channels = out
        self.layers, self.norms = nnx.Dict(layers), nnx.Dict(norms)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b hs ws 1"]:
        x = x.astype(self.dtype)
        *hidden, last = self.layers
        for name in hidden:
            x = self.layers[name](x)
            x = nnx.leaky_relu(self.norms[name](x) if name in self.norms else x, 0.2)
        return self.layers[last](x).astype(jnp.float32)
