"""The colour spaces an experiment may live in: what is the model's input, what it predicts, and the way back.

Each splits sRGB 0..1 into luma `[..., 1]`, -1..1, and chroma `[..., channels]`, about -1..1:

    lab   L                         | a and b of CIE Lab, 110 units one (`color.lab`)
    yuv   Y' of BT.601              | U and V over their largest values (ITU-R BT.601, section 2.5)
    hsv   V, the largest channel    | saturation times cosine and sine of hue: hue is circular, and undefined at 0
    rgb   gray of the luminance     | red, green and blue themselves: the luma is not kept, it must be learnt

Gradients are finite everywhere.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hybridvit.color import lab

BT601 = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue in Y'
U_MOST, V_MOST = 0.436, 0.615
_LEAST = 1e-6  # of saturation, below which there is no hue

Rgb = Float[Array, "*shape 3"]
Luma = Float[Array, "*shape 1"]
Chroma = Float[Array, "*shape c"]


class Space(NamedTuple):
    """`gray_to_luma` gives the luma of gray sRGB values 0..1 `[..., 1]`."""

    channels: int  # of the chroma
    to_luma_chroma: Callable[[Rgb], tuple[Luma, Chroma]]
    to_rgb: Callable[[Luma, Chroma], Rgb]
    gray_to_luma: Callable[[Luma], Luma]


def rgb_to_yuv(rgb: Rgb) -> tuple[Luma, Chroma]:
    """Luma 2 Y' - 1, chroma (U / U_MOST, V / V_MOST)."""
    red, green, blue = jnp.split(rgb, 3, -1)
    y = BT601[0] * red + BT601[1] * green + BT601[2] * blue
    return 2 * y - 1, jnp.concatenate([(blue - y) / (1 - BT601[2]), (red - y) / (1 - BT601[0])], -1)


def yuv_to_rgb(luma: Luma, chroma: Chroma) -> Rgb:
    """Inverse of `rgb_to_yuv`, clipped to 0..1."""
    y = (luma + 1) / 2
    blue = y + chroma[..., 0:1] * (1 - BT601[2])
    red = y + chroma[..., 1:2] * (1 - BT601[0])
    green = (y - BT601[0] * red - BT601[2] * blue) / BT601[1]
    return jnp.clip(jnp.concatenate([red, green, blue], -1), 0, 1)


def rgb_to_hsv(rgb: Rgb) -> tuple[Luma, Chroma]:
    """Luma 2 V - 1, chroma S (cos H, sin H)."""
    value = rgb.max(-1, keepdims=True)
    spread = value - rgb.min(-1, keepdims=True)
    gray = spread < _LEAST
    divisor = jnp.where(gray, 1.0, spread)
    saturation = jnp.where(gray, 0.0, spread / jnp.maximum(value, _LEAST))
    red, green, blue = jnp.split(rgb, 3, -1)
    sixth = jnp.where(
        red == value,
        (green - blue) / divisor,
        jnp.where(green == value, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    hue = sixth * (jnp.pi / 3)
    return 2 * value - 1, saturation * jnp.concatenate([jnp.cos(hue), jnp.sin(hue)], -1)


def hsv_to_rgb(luma: Luma, chroma: Chroma) -> Rgb:
    """Inverse of `rgb_to_hsv`, clipped to 0..1; a saturation above 1 counts as 1."""
    value = (luma + 1) / 2
    length = jnp.sqrt(jnp.square(chroma).sum(-1, keepdims=True) + _LEAST**2)
    x, y = chroma[..., 0:1], chroma[..., 1:2]
    hue = jnp.arctan2(y, jnp.where(length > 2 * _LEAST, x, 1.0)) * (3 / jnp.pi)
    # Smith 1978: each channel is the value, less saturation by how far the hue is from it
    distance = jnp.concatenate([(hue + shift) % 6 for shift in (5, 3, 1)], -1)
    lack = jnp.clip(jnp.minimum(distance, 4 - distance), 0, 1)
    return jnp.clip(value * (1 - jnp.minimum(length, 1.0) * lack), 0, 1)


def rgb_to_gray_rgb(rgb: Rgb) -> tuple[Luma, Chroma]:
    """Luma is 2 g - 1, g the gray of the same luminance, sRGB-encoded; chroma 2 rgb - 1."""
    linear = lab.srgb_to_linear(rgb)
    luminance = (linear * lab.XYZ_FROM_RGB[1].astype(np.float32)).sum(-1, keepdims=True)
    return 2 * lab.linear_to_srgb(luminance) - 1, 2 * rgb - 1


SPACES = {
    "lab": Space(2, lab.to_luma_chroma, lab.to_rgb, lab.gray_to_luma),
    "yuv": Space(2, rgb_to_yuv, yuv_to_rgb, lambda gray: 2 * gray - 1),
    "hsv": Space(2, rgb_to_hsv, hsv_to_rgb, lambda gray: 2 * gray - 1),
    "rgb": Space(
        3, rgb_to_gray_rgb, lambda luma, chroma: jnp.clip((chroma + 1) / 2, 0, 1), lambda gray: 2 * gray - 1
    ),
}
