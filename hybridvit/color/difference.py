"""CIEDE2000, the colour difference that follows the eye best: Sharma, Wu and Dalal 2005.

In: CIE Lab (D65), [..., 3], float32, L in 0..100, in or out of the gamut. Out: [...]; 1 is about the smallest
difference one notices. All weights (kL, kC, kH) are 1. Gradients are finite, for equal and gray colours too.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_TINY = 1e-12  # squared Lab units below which a length is taken to be 0, where its gradient would not exist


def ciede2000(lab1: Float[Array, "*shape 3"], lab2: Float[Array, "*shape 3"]) -> Float[Array, "*shape"]:
    """CIEDE2000 difference of two colours, symmetric, 0 and up; equations (2) to (22) of the paper."""
    L1, a1, b1 = lab1[..., 0], lab1[..., 1], lab1[..., 2]
    L2, a2, b2 = lab2[..., 0], lab2[..., 1], lab2[..., 2]

    # a is stretched near gray; chroma and hue are those of the stretched colour.
    mean_chroma = (_root(a1**2 + b1**2) + _root(a2**2 + b2**2)) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma)
    chroma1, hue1 = _polar(a1 * stretch, b1)
    chroma2, hue2 = _polar(a2 * stretch, b2)
    mean_chroma = (chroma1 + chroma2) / 2

    # The hue goes round the shorter way; a gray has none, and takes the other colour's.
    colored = (chroma1 > 0) & (chroma2 > 0)
    hue_step = hue2 - hue1
    wraps = colored & (jnp.abs(hue_step) > np.pi)
    hue_step = jnp.where(wraps, hue_step - 2 * np.pi * jnp.sign(hue_step), hue_step)
    hue_sum = hue1 + hue2
    turn = jnp.where(hue_sum < 2 * np.pi, 2 * np.pi, -2 * np.pi)
    mean_hue = jnp.where(colored, (hue_sum + jnp.where(wraps, turn, 0.0)) / 2, hue_sum)

    lightness = (L2 - L1) / _lightness_scale((L1 + L2) / 2)
    chroma = (chroma2 - chroma1) / (1 + 0.045 * mean_chroma)
    hue = 2 * _root(chroma1 * chroma2) * jnp.sin(jnp.where(colored, hue_step, 0.0) / 2)
    hue = hue / (1 + 0.015 * mean_chroma * _hue_weight(mean_hue))
    rotation = _blue_rotation(mean_hue) * 2 * _saturation(mean_chroma)
    return _root(lightness**2 + chroma**2 + hue**2 - rotation * chroma * hue)


def _root(squared: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    positive = squared > _TINY
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)


def _polar(
    a: Float[Array, "*shape"], b: Float[Array, "*shape"]
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Chroma, and hue in 0..2 pi, which is 0 for a gray."""
    chroma = _root(a**2 + b**2)
    colored = chroma > 0
    hue = jnp.arctan2(jnp.where(colored, b, 0.0), jnp.where(colored, a, 1.0))
    return chroma, jnp.where(hue < 0, hue + 2 * np.pi, hue)


def _saturation(chroma: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Goes from 0 for grays to 1 for vivid colours, half-way (before the root) at chroma 25."""
    seventh = (chroma / 25.0) ** 7
    return _root(seventh / (1.0 + seventh))


def _lightness_scale(mean_lightness: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    squared = (mean_lightness - 50.0) ** 2
    return 1 + 0.015 * squared / jnp.sqrt(20.0 + squared)


def _hue_weight(hue: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """T of the paper."""
    return (
        1
        - 0.17 * jnp.cos(hue - np.deg2rad(30.0))
        + 0.24 * jnp.cos(2 * hue)
        + 0.32 * jnp.cos(3 * hue + np.deg2rad(6.0))
        - 0.20 * jnp.cos(4 * hue - np.deg2rad(63.0))
    )


def _blue_rotation(hue: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Sine of twice the rotation angle, which is greatest for blues, around 275 degrees."""
    distance = (hue - np.deg2rad(275.0)) / np.deg2rad(25.0)
    return jnp.sin(np.deg2rad(60.0) * jnp.exp(-(distance**2)))
