"""A tint by rules of thumb: what somebody would paint who sees only place, lightness and texture.

What is bright, smooth and joined to the upper border by nothing but the like is sky; what is textured and of middle
lightness in the lower part is vegetation; what is smooth and of middle lightness about the middle is skin; all else has
the warm brown of old prints. The rules are soft: a pixel is mixed from the colours by how well each rule holds, and
black and white stay colourless. It knows nothing, and is the row that a learned method has to beat.

L is 0..100; ab in CIE units, chosen by eye to be what such things have in photographs, at less than their full chroma.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

SKY = (-4.0, -20.0)
VEGETATION = (-11.0, 18.0)
SKIN = (11.0, 14.0)
GROUND = (2.0, 7.0)  # all else
GROUND_SHARE = 0.35  # how well its rule holds everywhere
BLUR = 1 / 64  # of the shorter side: standard deviation of what counts as a pixel's surroundings
TEXTURE = (
    4.0  # L units: standard deviation of lightness around a pixel at which it is half smooth, half textured
)


def tint(L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w 2"]:
    """ab of a picture of lightness L, float32."""
    height, width = L.shape
    y = (np.arange(height)[:, None] + 0.5) / height
    x = (np.arange(width) + 0.5) / width
    sigma = max(1.0, BLUR * min(height, width))
    light = L.astype(np.float64)
    mean = gaussian_filter(light, sigma)
    deviation = np.sqrt(np.maximum(gaussian_filter(np.square(light - mean), sigma), 0))
    textured = _rises(deviation, TEXTURE, TEXTURE / 4)
    smooth = 1 - textured
    bright = _rises(mean, 62.0, 5.0)
    sky = np.minimum.accumulate(bright * smooth, axis=0) * _rises(0.75 - y, 0.0, 0.08)
    vegetation = textured * _between(mean, 20.0, 60.0, 6.0) * _rises(y, 0.3, 0.1)
    central = np.exp(-np.square((x - 0.5) / 0.3) - np.square((y - 0.5) / 0.35))
    skin = smooth * _between(mean, 50.0, 82.0, 5.0) * central * (1 - sky)
    shares = np.stack(np.broadcast_arrays(sky, vegetation, skin, GROUND_SHARE), -1)
    ab = shares @ np.array([SKY, VEGETATION, SKIN, GROUND]) / shares.sum(-1, keepdims=True)
    room = _between(light, 10.0, 95.0, 3.0)
    return (ab * room[..., None]).astype(np.float32)


def _rises(value: np.ndarray, middle: float, width: float) -> np.ndarray:
    """From 0 to 1 around `middle`, a logistic curve."""
    return 1 / (1 + np.exp(np.clip(-(value - middle) / width, -50, 50)))


def _between(value: np.ndarray, low: float, high: float, width: float) -> np.ndarray:
    return _rises(value, low, width) * _rises(-value, -high, width)
