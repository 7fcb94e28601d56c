"""Layers shared by the generators: 1x1 convolutions as matmuls, norms, space-to-depth, rotary attention.

Maps are `[b, h, w, c]`, token sequences `[b, t, c]`. Parameters are float32, `dtype` is the compute type.
"""

import functools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from absl import logging
from flax import nnx
from jaxtyping import Array, Float, Int

from hybridvit.runtime.mesh import has_kernel_mesh, on_each_device

T = TypeVar("T")
Size = Any  # an int, or a symbolic size of jax.export
Constant = np.ndarray | Array  # traced only where sizes are symbolic


def look_up(variants: dict[str, T], variant: str) -> T:
    """The variant of that name; raises ValueError for an unknown one."""
    if variant not in variants:
        raise ValueError(f"config.model.variant={variant!r} is not one of {', '.join(variants)}")
    return variants[variant]


def space_to_depth(x: Float[Array, "b h w c"], size: int) -> Float[Array, "b hs ws css"]:
    """Folds each `size` x `size` square into channels: `[b, h, w, c]` to `[b, h/size, w/size, size*size*c]`."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // size, size, w // size, size, c).swapaxes(2, 3)
    return x.reshape(b, h // size, w // size, size * size * c)


def depth_to_space(x: Float[Array, "b h w css"], size: int) -> Float[Array, "b hs ws c"]:
    """Inverse of `space_to_depth` (the pixel shuffle of Shi et al. 2016)."""
    b, h, w, c = x.shape
    x = x.reshape(b, h, w, size, size, c // size**2).swapaxes(2, 3)
    return x.reshape(b, h * size, w * size, c // size**2)


def rms_norm(x: Float[Array, "*b c"]) -> Float[Array, "*b c"]:
    """Root-mean-square norm over the last axis (Zhang & Sennrich 2019), in float32.

    Without a learnt scale: a linear layer follows each norm here and has it in its columns, and on a CPU the
    multiplication costs as much as the norm.
    """
    y = x.astype(jnp.float32)
    return (y * jax.lax.rsqrt(jnp.mean(jnp.square(y), -1, keepdims=True) + 1e-6)).astype(x.dtype)


class ShapesOnly(nnx.Rngs):
    """In place of `nnx.Rngs` where only shapes are asked for: to trace how kernels are drawn takes most of a second."""


def initial(
    rngs: nnx.Rngs, draw: Callable[[Array, tuple[int, ...]], Array], shape: tuple[int, ...]
) -> Float[Array, "*shape"]:
    """A parameter of that shape, drawn from the next key; zeros of `ShapesOnly`."""
    return jnp.zeros(shape) if isinstance(rngs, ShapesOnly) else draw(rngs.params(), shape)


class Linear(nnx.Module):
    """A matmul over the last axis: on a map, a 1x1 convolution, which XLA runs faster written so."""

    def __init__(
        self, width_in: int, width: int, *, dtype=jnp.float32, init_scale: float = 1.0, rngs: nnx.Rngs
    ):
        initialise = nnx.initializers.variance_scaling(max(init_scale, 1e-9), "fan_in", "truncated_normal")
        self.kernel = nnx.Param(initial(rngs, initialise, (width_in, width)))
        self.bias = nnx.Param(jnp.zeros((width,)))
        self.dtype = dtype

    def __call__(self, x: Float[Array, "*b cin"], every: int = 1) -> Float[Array, "*b cout"]:
        """`every`: `x` holds only each so-many-th input, from the first; the others are 0."""
        kernel = self.kernel[...][::every].astype(self.dtype)
        return x.astype(self.dtype) @ kernel + self.bias[...].astype(self.dtype)


class Upscale(nnx.Module):
    """A matmul and a pixel shuffle to `factor` times the size.

    All positions of a square start from the same weights (Aitken et al. 2017), else the model begins with a
    checkerboard and a short training keeps it.
    """

    def __init__(self, width_in: int, width: int, factor: int = 2, *, dtype=jnp.float32, rngs: nnx.Rngs):
        self.factor = factor
        self.linear = Linear(width_in, factor**2 * width, dtype=dtype, rngs=rngs)
        self.linear.kernel[...] = jnp.tile(self.linear.kernel[:, :width], (1, factor**2))

    def __call__(self, x: Float[Array, "b h w cin"]) -> Float[Array, "b hf wf cout"]:
        return depth_to_space(self.linear(x), self.factor)


class ConvBlock(nnx.Module):
    """Residual block: norm, 3x3 convolution, GELU, matmul back; the last layer starts at zero.

    Only one 3x3 convolution: its weight gradient is the slowest operation of XLA on a CPU.
    """

    def __init__(self, width: int, *, dtype=jnp.float32, rngs: nnx.Rngs):
        self.conv = nnx.Conv(width, width, (3, 3), dtype=dtype, rngs=rngs)
        self.out = Linear(width, width, dtype=dtype, init_scale=0.0, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        return x + self.out(nnx.gelu(self.conv(rms_norm(x))))


def numpy_for(*sizes: Size) -> ModuleType:
    """The numpy that makes arrays of these sizes: jax's for the symbolic ones of an export, else constants are made."""
    return np if all(isinstance(size, int) for size in sizes) else jnp


def places(height: Size, width: Size) -> tuple[Int[Constant, " hw"], Int[Constant, " hw"]]:
    """Row and column of each place of a map, in reading order."""
    xp = numpy_for(height, width)
    rows, columns = xp.meshgrid(xp.arange(height), xp.arange(width), indexing="ij")
    return rows.reshape(-1), columns.reshape(-1)


def rotary_angles(
    height: Size, width: Size, head_dim: int, base: float = 100.0
) -> Float[Constant, "hw half_head_dim"]:
    """Angles of 2-D rotary positions (Su et al. 2021; the axial form of Heo et al. 2024), `[height*width, head_dim/2]`.

    The first half of the frequencies turns with the row, the second with the column.
    """
    frequencies = base ** (-np.arange(head_dim // 4) / (head_dim // 4))
    turns = [place[:, None] * frequencies for place in places(height, width)]
    return numpy_for(height, width).concatenate(turns, -1).astype(np.float32)


def rotate(x: Float[Array, "b n t d"], angles: Float[Constant, "t half"]) -> Float[Array, "b n t d"]:
    """Turns the pairs (i, i + d/2) of each head by the token's angles."""
    xp = numpy_for(*angles.shape)
    cos, sin = jnp.asarray(xp.cos(angles), x.dtype), jnp.asarray(xp.sin(angles), x.dtype)
    first, second = jnp.split(x, 2, -1)
    return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], -1)


cudnn_attention = functools.partial(jax.nn.dot_product_attention, implementation="cudnn")  # of [b, t, n, d]


def cudnn_attends(tokens: Size, heads: int, head_dim: int, dtype: Any) -> bool:
    """Whether cuDNN's attention and its gradient take queries `[b, tokens, heads, head_dim]` on this machine's GPU.

    It knows 16 bits, sizes that are fixed, and no other split over devices than that of the batch; for what else it
    wants it is asked, by compiling.
    """
    if jax.default_backend() != "gpu" or jnp.dtype(dtype).itemsize != 2 or not isinstance(tokens, int):
        return False
    if not has_kernel_mesh():
        return False
    return _cudnn_compiles(tokens, heads, head_dim, jnp.dtype(dtype).name)


@functools.cache
def _cudnn_compiles(tokens: int, heads: int, head_dim: int, dtype: str) -> bool:
    x = jax.ShapeDtypeStruct((1, tokens, heads, head_dim), dtype)
    try:
        jax.jit(jax.grad(lambda *x: cudnn_attention(*x).sum(), (0, 1, 2))).lower(x, x, x).compile()
    except (NotImplementedError, RuntimeError, ValueError) as error:  # a card, driver or cuDNN that cannot
        logging.warning("attention without cuDNN, which is slower: %s", str(error).split("\n")[0])
        return False
    return True


def attention(
    q: Float[Array, "b n t d"], k: Float[Array, "b n t d"], v: Float[Array, "b n t d"]
) -> Float[Array, "b n t d"]:
    """Softmax attention of queries and keys of root mean square 1, in the form that each backend runs fastest.

    On a GPU cuDNN's, which never writes [t, t] to memory, where that can do it (`cudnn_attends`). On a CPU: their
    products are at most sqrt(d), so the exponential is safe without taking the maximum off first, and dividing by its
    sum can wait until after the product with the values: two passes over [t, t] less.
    """
    if jax.default_backend() != "cpu":
        q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
        if cudnn_attends(*q.shape[1:], q.dtype):
            return on_each_device(cudnn_attention)(q, k, v).swapaxes(1, 2)
        return jax.nn.dot_product_attention(q, k, v).swapaxes(1, 2)
    weights = jnp.exp(jnp.einsum("bntd,bnsd->bnts", q / math.sqrt(q.shape[-1]), k))
    return jnp.einsum("bnts,bnsd->bntd", weights, v) / jnp.sum(weights, -1, keepdims=True)


class ViTBlock(nnx.Module):
    """Transformer block with attention and MLP side by side (Dehghani et al. 2023), so one norm serves both.

    Queries and keys are normalised before the rotary turn, which keeps large models stable in bfloat16 (same source);
    the MLP's activation is the squared ReLU (So et al. 2021). Separate matrices, because cutting one matmul's output
    apart costs more on a CPU than the larger matmul gains.
    """

    def __init__(self, width: int, num_heads: int, *, mlp_ratio: int = 4, dtype=jnp.float32, rngs: nnx.Rngs):
        def linear(width_in: int, width: int, init_scale: float = 1.0) -> Linear:
            return Linear(width_in, width, dtype=dtype, init_scale=init_scale, rngs=rngs)

        self.num_heads = num_heads
        self.query, self.key, self.value = linear(width, width), linear(width, width), linear(width, width)
        self.attention_out = linear(width, width, init_scale=0.1)
        self.mlp_in = linear(width, mlp_ratio * width)
        self.mlp_out = linear(mlp_ratio * width, width, init_scale=0.1)

    def __call__(self, x: Float[Array, "b t c"], angles: Float[Constant, "t half"]) -> Float[Array, "b t c"]:
        b, t, c = x.shape
        h = rms_norm(x)
        q, k, v = (
            layer(h).reshape(b, t, self.num_heads, -1).swapaxes(1, 2)  # [b, n, t, d]
            for layer in (self.query, self.key, self.value)
        )
        y = attention(rotate(rms_norm(q), angles), rotate(rms_norm(k), angles), v)
        y = self.attention_out(y.swapaxes(1, 2).reshape(b, t, c))
        return x + y + self.mlp_out(jnp.square(nnx.relu(self.mlp_in(h))))


def interpolation_matrix(size: Size, factor: int) -> Float[Constant, "sf size"]:
    """Bilinear interpolation of `size` samples (pixel centres aligned), `[size * factor, size]`."""
    xp = numpy_for(size)
    position = xp.clip((xp.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
    return xp.maximum(1 - abs(position[:, None] - xp.arange(size)), 0).astype(np.float32)


def upsample(x: Float[Array, "b h w c"], factor: int) -> Float[Array, "b hf wf c"]:
    """Bilinear upsampling by a whole factor, as two matmuls: their transpose is as fast as they are."""
    rows, columns = (interpolation_matrix(n, factor) for n in x.shape[1:3])
    x = jnp.einsum("bhwc,Hh->bHwc", x, jnp.asarray(rows, x.dtype))
    return jnp.einsum("bhwc,Ww->bhWc", x, jnp.asarray(columns, x.dtype))
