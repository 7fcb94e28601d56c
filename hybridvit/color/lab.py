"""sRGB and CIE Lab (D65, 2 degree observer) in JAX, with scikit-image's constants; the model's scaling of it.

In and out, float32: `rgb` [..., 3] in 0..1; `lab` [..., 3] with L in 0..100 and a, b in about -110..110;
`luma` [..., 1] in -1..1; `chroma` [..., 2] in about -1..1. Gradients are finite, out of the gamut too.

Channels stay on the last axis and are mixed by broadcasting rather than by a matmul: that is several times
faster on a CPU, and TPUs and GPUs lower the precision of matmuls.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

CHROMA_SCALE = 110.0  # ab units that one unit of model chroma stands for

XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
_RELATIVE_XYZ_FROM_RGB = (XYZ_FROM_RGB / _WHITE[:, None]).astype(np.float32)
_RGB_FROM_RELATIVE_XYZ = (np.linalg.inv(XYZ_FROM_RGB) * _WHITE).astype(np.float32)


def srgb_to_linear(srgb: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Linear light of sRGB values (IEC 61966-2-1), both 0..1; the linear piece goes on below 0."""
    curved = srgb > 0.04045
    base = jnp.where(curved, srgb, 1.0)
    return jnp.where(curved, _power((base + 0.055) / 1.055, 2.4), srgb / 12.92)


def linear_to_srgb(linear: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Values in sRGB of linear light, both 0..1 (not clipped); the linear piece goes on below 0."""
    curved = linear > 0.0031308
    base = jnp.where(curved, linear, 1.0)
    return jnp.where(curved, 1.055 * _power(base, 1 / 2.4) - 0.055, 12.92 * linear)


def rgb_to_lab(rgb: Float[Array, "*shape 3"]) -> Float[Array, "*shape 3"]:
    """CIE Lab of sRGB 0..1: L 0..100, a and b in CIE units."""
    x, y, z = _response_of_rgb(rgb)
    return jnp.concatenate([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def to_luma_chroma(
    rgb: Float[Array, "*shape 3"],
) -> tuple[Float[Array, "*shape 1"], Float[Array, "*shape 2"]]:
    """The model's input and target of sRGB 0..1: luma = L / 50 - 1 and chroma = ab / CHROMA_SCALE."""
    x, y, z = _response_of_rgb(rgb)
    chroma = jnp.concatenate([(500.0 / CHROMA_SCALE) * (x - y), (200.0 / CHROMA_SCALE) * (y - z)], axis=-1)
    return _luma_of_response(y), chroma


def to_rgb(luma: Float[Array, "*shape 1"], chroma: Float[Array, "*shape 2"]) -> Float[Array, "*shape 3"]:
    """Colours in sRGB 0..1 of the model's luma and chroma, clipped where they are out of the gamut."""
    ab = chroma * CHROMA_SCALE
    return _rgb_of_lab(50.0 * luma + 50.0, ab[..., 0:1], ab[..., 1:2])


def gray_to_luma(gray: Float[Array, "*shape 1"]) -> Float[Array, "*shape 1"]:
    """Luma in -1..1 of gray sRGB values 0..1: that of a picture whose three channels are the gray one."""
    return _luma_of_response(response_of_light(srgb_to_linear(gray)))


def _power(base: Float[Array, "*shape"], exponent: float) -> Float[Array, "*shape"]:
    """`base ** exponent` of positive numbers."""
    # XLA vectorises exp2 and log2 on a CPU; pow is 3 times slower than the two, cbrt 10 times.
    return jnp.exp2(exponent * jnp.log2(base))


def response_of_light(light: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """CIE's f: the cube root of light relative to white, linear near black."""
    curved = light > 0.008856
    return jnp.where(curved, _power(jnp.where(curved, light, 1.0), 1 / 3), 7.787 * light + 16 / 116)


def light_of_response(response: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Inverse of `response_of_light`."""
    return jnp.where(response > 0.2068966, response * response * response, (response - 16 / 116) / 7.787)


def _luma_of_response(y: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return (116.0 * y - 16.0) / 50.0 - 1.0


def _response_of_rgb(rgb: Float[Array, "*shape 3"]) -> tuple[Float[Array, "*shape 1"], ...]:
    linear = srgb_to_linear(rgb)
    xyz = response_of_light(
        _mix(_RELATIVE_XYZ_FROM_RGB, linear[..., 0:1], linear[..., 1:2], linear[..., 2:3])
    )
    return xyz[..., 0:1], xyz[..., 1:2], xyz[..., 2:3]


def _rgb_of_lab(
    L: Float[Array, "*shape 1"], a: Float[Array, "*shape 1"], b: Float[Array, "*shape 1"]
) -> Float[Array, "*shape 3"]:
    y = (L + 16.0) / 116.0
    x = y + a / 500.0
    z = jnp.maximum(y - b / 200.0, 0.0)  # scikit-image clips this one before, not after, the cube
    linear = _mix(_RGB_FROM_RELATIVE_XYZ, light_of_response(x), light_of_response(y), light_of_response(z))
    return jnp.clip(linear_to_srgb(linear), 0.0, 1.0)


def _mix(
    matrix: np.ndarray, x: Float[Array, "*shape 1"], y: Float[Array, "*shape 1"], z: Float[Array, "*shape 1"]
) -> Float[Array, "*shape 3"]:
    """The matrix, 3 x 3, times the vectors (x, y, z), in full float32."""
    return x * matrix[:, 0] + y * matrix[:, 1] + z * matrix[:, 2]
