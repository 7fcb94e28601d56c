"""Quality of coloured pictures: PSNR, SSIM, CIEDE2000, and colorfulness.

In: pictures [b, h, w, 3] in sRGB, float32 in 0..1, and their truth alike. Out: one value a picture, [b].
The protocol measures what a file would hold: pass pictures through `to_uint8_grid` first.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hybridvit.color.difference import ciede2000
from hybridvit.color.lab import rgb_to_lab

MIN_SQUARED_ERROR = 1e-5  # caps the PSNR at 50 dB, so that one gray picture does not decide a mean

_SSIM_RADIUS = 5  # px: 3.5 times the Gaussian's sigma of 1.5, rounded
_SSIM_KERNEL = np.exp(-0.5 * (np.arange(-_SSIM_RADIUS, _SSIM_RADIUS + 1) / 1.5) ** 2)
_SSIM_KERNEL = (_SSIM_KERNEL / _SSIM_KERNEL.sum()).astype(np.float32)
_SSIM_C1 = 0.01**2
_SSIM_C2 = 0.03**2


def to_uint8_grid(rgb: Float[Array, "*shape 3"]) -> Float[Array, "*shape 3"]:
    """Colours clipped to 0..1 and rounded to the 256 levels of a file, still as 0..1."""
    return jnp.round(jnp.clip(rgb, 0.0, 1.0) * 255.0) / 255.0


def psnr(rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> Float[Array, "b"]:
    """Peak signal-to-noise ratio in dB over all pixels and channels, at most 50 dB (equal pictures)."""
    squared_error = jnp.mean((rgb - truth) ** 2, axis=(1, 2, 3))
    return -10.0 * jnp.log10(jnp.maximum(squared_error, MIN_SQUARED_ERROR))


def ssim(rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> Float[Array, "b"]:
    """Structural similarity, -1..1, mean over the channels (Wang, Bovik, Sheikh and Simoncelli 2004).

    The paper's 11 x 11 Gaussian window of sigma 1.5, where it lies wholly inside the picture: what scikit-image
    gives with gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.
    Raises ValueError for pictures smaller than the window.
    """
    height, width = rgb.shape[1:3]
    size = len(_SSIM_KERNEL)
    if min(height, width) < size:
        raise ValueError(f"SSIM needs pictures of {size} x {size} px or more, not {height} x {width}")
    x, y = (jnp.moveaxis(picture, -1, 0) for picture in (rgb, truth))  # [3, b, h, w]
    mean_x, mean_y, squares, product = _blur(jnp.stack([x, y, x * x + y * y, x * y]))
    mean_squares, mean_product = mean_x**2 + mean_y**2, mean_x * mean_y
    similarity = (2 * mean_product + _SSIM_C1) * (2 * (product - mean_product) + _SSIM_C2)
    similarity /= (mean_squares + _SSIM_C1) * (squares - mean_squares + _SSIM_C2)
    return jnp.mean(similarity, axis=(0, 2, 3))


def colorfulness(rgb: Float[Array, "b h w 3"], unsigned: bool = False) -> Float[Array, "b"]:
    """Colorfulness of Hasler and Suesstrunk 2003 on the 0..255 scale: 0 gray, about 100 vivid.

    The signed variant, as in the paper: the opponents R - G and (R + G) / 2 - B keep their sign. The programs behind
    the tables of papers on colouring (CT2, DDColor, L-CAD) take the `unsigned` values, and get smaller figures.
    """
    red, green, blue = (255.0 * rgb[..., channel] for channel in range(3))
    opponents = jnp.stack([red - green, (red + green) / 2 - blue])
    opponents = jnp.abs(opponents) if unsigned else opponents
    deviation = jnp.sqrt(jnp.sum(jnp.var(opponents, axis=(2, 3)), axis=0))
    offset = jnp.sqrt(jnp.sum(jnp.mean(opponents, axis=(2, 3)) ** 2, axis=0))
    return deviation + 0.3 * offset


def mean_ciede2000(rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> Float[Array, "b"]:
    """CIEDE2000 difference, 0 and up, mean over the pixels."""
    return jnp.mean(ciede2000(rgb_to_lab(rgb), rgb_to_lab(truth)), axis=(1, 2))


def _blur(planes: Float[Array, "*n h w"]) -> Float[Array, "*n h-10 w-10"]:
    """Gaussian window over both axes, as sums of shifted copies: a fraction of a depthwise convolution's time."""
    height, width = (side - 2 * _SSIM_RADIUS for side in planes.shape[-2:])
    rows = sum(weight * planes[..., i : i + height, :] for i, weight in enumerate(_SSIM_KERNEL))
    return sum(weight * rows[..., i : i + width] for i, weight in enumerate(_SSIM_KERNEL))
