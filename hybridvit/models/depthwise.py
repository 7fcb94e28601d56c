"""Depthwise convolutions, in the form that each backend runs fastest.

XLA's CPU runs a convolution with one group a channel at about 1 GFLOP/s; written as k x k shifted multiply-adds, which
it fuses into one loop, the same arithmetic is 10 to 40 times faster, and its gradient too if it is written out:
`python -m tests.benchmarks.depthwise`. On accelerators, and in exported files, it is a convolution.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from hybridvit.models.blocks import initial

Padding = tuple[int, int]  # rows above and below, and columns left and right alike

PICTURES_AT_ONCE = 2  # of a batch on a CPU: the maps of so few stay in its cache


class Depthwise(nnx.Module):
    """One `size` x `size` kernel for each channel, with a bias."""

    def __init__(self, width: int, size: int, stride: int, padding: Padding, *, dtype, rngs: nnx.Rngs):
        initialise = nnx.initializers.normal(2**0.5 / size)  # He et al. 2015: size * size inputs
        self.kernel = nnx.Param(initial(rngs, initialise, (size, size, width)))
        self.bias = nnx.Param(jnp.zeros((width,)))
        self.stride, self.padding, self.dtype = stride, padding, dtype

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b hs ws c"]:
        kernel = self.kernel[...].astype(self.dtype)
        return depthwise(x.astype(self.dtype), kernel, self.stride, self.padding) + self.bias[...].astype(
            self.dtype
        )


def depthwise(
    x: Float[Array, "b h w c"], kernel: Float[Array, "k k c"], stride: int, padding: Padding
) -> Float[Array, "b hs ws c"]:
    """Each channel's correlation with its own kernel; the input is padded with zeros."""
    if jax.default_backend() == "cpu" and all(isinstance(size, int) for size in x.shape):
        return _shifted(x, kernel, stride, padding)
    return convolved(x, kernel, stride, padding)


def convolved(
    x: Float[Array, "b h w c"], kernel: Float[Array, "k k c"], stride: int, padding: Padding
) -> Float[Array, "b hs ws c"]:
    """As a convolution with one group a channel."""
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        (padding, padding),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _shifted(
    x: Float[Array, "b h w c"], kernel: Float[Array, "k k c"], stride: int, padding: Padding
) -> Float[Array, "b hs ws c"]:
    def of_few(x: Float[Array, "b h w c"]) -> Float[Array, "b hs ws c"]:
        parts = zip(_parts(x, kernel, stride, padding), _taps(kernel), strict=True)
        return sum(part * weight for part, weight in parts)

    if not _too_many(x):
        return of_few(x)
    y = jax.lax.map(of_few, _in_few(x))
    return y.reshape(-1, *y.shape[2:])


def _forward(x, kernel, stride, padding):
    return _shifted(x, kernel, stride, padding), (x, kernel)


def _backward(stride, padding, saved, dy):
    x, kernel = saved
    size = len(kernel)

    def of_few(x_and_dy):
        x, dy = x_and_dy
        # The input's: the output's, its rows apart again, correlated with the kernel turned round
        apart = jax.lax.pad(dy, jnp.zeros((), dy.dtype), [(0, 0, 0)] + [(0, 0, stride - 1)] * 2 + [(0, 0, 0)])
        sides = zip(x.shape[1:3], apart.shape[1:3], strict=True)
        ends = [(size - 1 - padding[0], n - m + padding[0]) for n, m in sides]
        parts = zip(_slices(apart, size, 1, ends), _taps(kernel[::-1, ::-1]), strict=True)
        dx = sum(part * weight for part, weight in parts)
        dkernel = [jnp.sum(part * dy, (0, 1, 2)) for part in _parts(x, kernel, stride, padding)]
        return dx, jnp.stack(dkernel)

    if not _too_many(x):
        dx, dkernel = of_few((x, dy))
        return dx, dkernel.reshape(kernel.shape)
    dx, dkernel = jax.lax.map(of_few, (_in_few(x), _in_few(dy)))
    return dx.reshape(x.shape), dkernel.sum(0).reshape(kernel.shape)


_shifted.defvjp(_forward, _backward)


def _too_many(x: Float[Array, "b h w c"]) -> bool:
    """Whether a batch is done a few pictures at a time; not where it is spread over devices."""
    return len(x) > PICTURES_AT_ONCE and len(x) % PICTURES_AT_ONCE == 0 and jax.device_count() == 1


def _in_few(x: Float[Array, "b h w c"]) -> Float[Array, "n few h w c"]:
    return x.reshape(-1, PICTURES_AT_ONCE, *x.shape[1:])


def _taps(kernel: Float[Array, "k k c"]) -> list[Float[Array, " c"]]:
    return [kernel[i, j] for i in range(len(kernel)) for j in range(len(kernel))]


def _parts(x, kernel, stride, padding):
    return _slices(x, len(kernel), stride, [padding, padding])


def _slices(
    x: Float[Array, "b h w c"], size: int, stride: int, padding: list[Padding]
) -> list[Float[Array, "b hs ws c"]]:
    """What each tap of a kernel sees, in reading order."""
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    rows, columns = (n - size + 1 for n in x.shape[1:3])
    return [x[:, i : i + rows : stride, j : j + columns : stride] for i in range(size) for j in range(size)]
