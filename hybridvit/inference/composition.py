"""Lightness and chroma to colour files' pixels and back: the lightness is kept, whatever the chroma.

Lightness is CIE L*, 0..100, chroma ab in CIE units; pixels are sRGB-encoded, uint8 or uint16. Colours out of the sRGB
gamut move towards the gray axis, along lines of equal lightness and equal Lab hue, as far as it takes. Rounding
the three channels to the file's grid moves L by 0.26 at most at 8 bits and by 0.001 at 16.

Everything is computed by planes [rows, columns], one a channel, which a CPU's compiler vectorises best.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8, UInt16

from hybridvit.color.lab import (
    XYZ_FROM_RGB,
    light_of_response,
    linear_to_srgb,
    response_of_light,
    srgb_to_linear,
)

# White is here the sum of the primaries, to the last digit: then no chroma is exactly gray, at 16 bits too.
_RELATIVE_XYZ_FROM_RGB = XYZ_FROM_RGB / XYZ_FROM_RGB.sum(1, keepdims=True)
_LUMA_WEIGHTS = _RELATIVE_XYZ_FROM_RGB[1].astype(np.float32)
_RGB_FROM_RELATIVE_XYZ = np.linalg.inv(_RELATIVE_XYZ_FROM_RGB).astype(np.float32)

# So far out, relative to luminance, counts as within and is clipped: that moves L by 0.012 at most, and colours on the
# gamut's border are written down with less precision.
_SLACK = 3e-4
_BISECTIONS = 10  # the chroma found is within 1/1024 of the greatest


@jax.jit
def lightness(
    pixels: UInt8[Array, "*shape c"] | UInt16[Array, "*shape c"] | Float[Array, "*shape c"],
) -> Float[Array, "*shape"]:
    """L, float32 0..100, of sRGB pixels with 1 (gray) or 3 channels: uint8, uint16 or float 0..1."""
    scale = 1.0 if jnp.issubdtype(pixels.dtype, jnp.floating) else jnp.iinfo(pixels.dtype).max
    linear = [srgb_to_linear(pixels[..., i] / jnp.float32(scale)) for i in range(pixels.shape[-1])]
    luminance = linear[0] if len(linear) == 1 else _mix(_LUMA_WEIGHTS, linear)
    return 116.0 * response_of_light(luminance) - 16.0


@functools.partial(jax.jit, static_argnames="dtype")
def compose(
    L: Float[Array, "*shape"], ab: Float[Array, "*shape 2"], dtype: type[np.unsignedinteger]
) -> UInt8[Array, "*shape 3"] | UInt16[Array, "*shape 3"]:
    """sRGB pixels of `dtype` (np.uint8 or np.uint16) with lightness L, 0..100, and the chroma ab that fits there."""
    return compose_planes(L, ab[..., 0], ab[..., 1], dtype)


def compose_planes(
    L: Float[Array, "*shape"],
    a: Float[Array, "*shape"],
    b: Float[Array, "*shape"],
    dtype: type[np.unsignedinteger],
) -> UInt8[Array, "*shape 3"] | UInt16[Array, "*shape 3"]:
    """`compose`, to be called within a compiled function."""
    share = _share_in_gamut(L, a, b)
    top = jnp.iinfo(dtype).max
    channels = [linear_to_srgb(jnp.clip(x, 0.0, 1.0)) * top for x in linear_rgb(L, share * a, share * b)]
    return jnp.stack([jnp.rint(channel).astype(dtype) for channel in channels], axis=-1)


@jax.jit
def compose_ab(L: Float[Array, "*shape"], ab: Float[Array, "*shape 2"]) -> Float[Array, "*shape 2"]:
    """The chroma of `ab` that fits in the gamut at lightness L, 0..100, CIE units: what `compose` shows of it."""
    return ab * _share_in_gamut(L, ab[..., 0], ab[..., 1])[..., None]


def _share_in_gamut(
    L: Float[Array, "*shape"], a: Float[Array, "*shape"], b: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """The share, 0..1, of the chroma that the gamut has room for at this lightness and hue."""
    slack = _SLACK * light_of_response((L + 16.0) / 116.0)

    def fits(share: Float[Array, "*shape"]) -> Array:
        red, green, blue = linear_rgb(L, share * a, share * b)
        darkest = jnp.minimum(jnp.minimum(red, green), blue)
        brightest = jnp.maximum(jnp.maximum(red, green), blue)
        return (darkest >= -slack) & (brightest <= 1.0 + slack)

    def bisect(i: Int[Array, ""], share: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        more = share + jnp.exp2(-1.0 - i)
        return jnp.where((more <= 1.0) & fits(more), more, share)

    share = jnp.where(fits(jnp.ones_like(L)), 1.0, 0.0)
    return jax.lax.fori_loop(0, _BISECTIONS, bisect, share)  # unrolled it is twice slower


def linear_rgb(
    L: Float[Array, "*shape"], a: Float[Array, "*shape"], b: Float[Array, "*shape"]
) -> list[Float[Array, "*shape"]]:
    """Linear light of red, green and blue, not clipped: within 0..1 if the colour is in the gamut."""
    y = (L + 16.0) / 116.0
    xyz = [light_of_response(response) for response in (y + a / 500.0, y, y - b / 200.0)]
    return [_mix(row, xyz) for row in _RGB_FROM_RELATIVE_XYZ]


def _mix(weights: np.ndarray, planes: list[Float[Array, "*shape"]]) -> Float[Array, "*shape"]:
    return weights[0] * planes[0] + weights[1] * planes[1] + weights[2] * planes[2]
