"""Chroma by statistics of a reference: Reinhard, Ashikhmin, Gooch and Shirley 2001, "Color Transfer between Images".

The paper shifts and scales each channel to the reference's mean and standard deviation. Of a gray picture only the
lightness has a deviation to scale, so by itself that gives one tint. Therefore the paper's swatches: both pictures'
pixels are parted by lightness into BANDS of equal number, darkest to brightest; a band takes the mean chroma of the
reference's band; and each pixel is blended from all of them by the inverse of its distance to the band's mean lightness
in units of the band's deviation.

The paper works in l-alpha-beta; here it is CIE Lab, L 0..100, in which pictures are composed.
"""

import numpy as np
from jaxtyping import Float

BANDS = 5
_LEAST_DEVIATION = 1.0  # L units: bands of pictures of few tones are not narrower
_NEAREST = 0.1  # deviations: what is nearer to a band's mean counts as this near


def transfer(
    L: Float[np.ndarray, "h w"], reference: Float[np.ndarray, "r c 3"]
) -> Float[np.ndarray, "h w 2"]:
    """ab of a picture of lightness L, float32, from a reference in Lab."""
    pixels = reference.reshape(-1, 3)
    pixels = pixels[np.argsort(pixels[:, 0], kind="stable")]
    swatches = np.array_split(pixels[:, 1:], BANDS)
    own = np.array_split(np.sort(L.astype(np.float64), axis=None), BANDS)
    ab, total = np.zeros((*L.shape, 2)), np.zeros(L.shape)
    for band, swatch in zip(own, swatches, strict=True):
        if not (band.size and swatch.size):  # a picture has fewer pixels than bands
            continue
        away = np.abs(L - band.mean()) / max(band.std(), _LEAST_DEVIATION)
        weight = 1 / np.maximum(away, _NEAREST)
        ab += weight[..., None] * swatch.mean(0)
        total += weight
    return (ab / total[..., None]).astype(np.float32)
