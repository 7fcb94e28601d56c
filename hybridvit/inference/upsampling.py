"""Chroma from the model's view to full resolution, along the edges of the full-resolution lightness.

Around each pixel of the view chroma is taken as an affine function of lightness, as by the guided filter (He, Sun and
Tang 2013; its fast form, He and Sun 2015, does this at the low resolution). The guided filter uses the function alone
and so loses what chroma does apart from lightness. Here it only adds the detail that the view cannot hold:

    chroma = cubic(chroma at the view) + slope * (L - cubic(L at the view))

Between areas of flat colour this cancels the blur of the view's mixed pixels; where lightness tells nothing, it is
cubic interpolation; and a view of the picture's own size is returned as it is. tests/benchmarks/upsampling.py compares
it with nearest, bilinear and cubic interpolation, the guided filter and joint bilateral upsampling.

Chroma is in CIE ab units, L 0..100. What is interpolated are five maps [5, h, w]: a, b, L and the slopes of a and b.
"""

import jax.numpy as jnp
import numpy as np
from jax.lax import Precision
from jaxtyping import Array, Float

_TEXTURE = 50.0  # L units, squared: lightness that varies less than this around a pixel does not guide chroma
_SHARPNESS = -0.75  # of cubic interpolation: the parameter of Keys 1981, where -0.5 is the softer choice
_TAPS = 4


def guide_maps(ab: Float[np.ndarray, "h w 2"], L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "5 h w"]:
    """a, b, L, and the slopes of a and b over L, float32: what `chroma_planes` needs at every pixel."""
    planes = np.stack([ab[..., 0], ab[..., 1], L]).astype(np.float32)
    a, b, L = planes - planes.mean((1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    mean = _mean_around
    middle = mean(L)
    spread = mean(L * L) - middle * middle + np.float32(_TEXTURE)
    slopes = [mean((mean(L * x) - middle * mean(x)) / spread) for x in (a, b)]
    return np.concatenate([planes, slopes])


def chroma_planes(
    maps: Float[Array, "5 r c"], L: Float[Array, "r c"]
) -> tuple[Float[Array, "r c"], Float[Array, "r c"]]:
    """a and b at full resolution, from the maps interpolated to it and the lightness there."""
    detail = L - maps[2]
    return maps[0] + maps[3] * detail, maps[1] + maps[4] * detail


def interpolate(
    maps: Float[Array, "k h w"], weights: Float[Array, "n m"], axis: int
) -> Float[Array, "k _ _"]:
    """Maps at `n` rows (axis 1, of m) or `n` columns (axis 2, of m), by the weights of `cubic_weights`."""
    spec = {1: "nh,khw->knw", 2: "nw,khw->khn"}[axis]
    return jnp.einsum(spec, weights, maps, precision=Precision.HIGHEST)


def cubic_weights(
    size: float | int, view: int, start: float | int, count: int, window: int
) -> tuple[int, Float[np.ndarray, "count window"]]:
    """Weights that interpolate pixels start..start + count of `size` from `window` of the `view` pixels along an axis.

    Returns the window's first pixel, too. Pixels are squares, the first edges of both grids coincide; beyond its
    border the view's pixels go on. Pixels whose middles lie beyond 0..`size` have no weights. `window_size` says what
    window is enough.
    """
    middle = np.arange(start, start + count) + 0.5
    position = np.clip(middle, 0.5, max(0.5, size - 0.5)) * view / size - 0.5
    taps = np.floor(position).astype(int)[:, None] + np.arange(-1, _TAPS - 1)
    first = int(np.clip(taps[0, 0], 0, max(0, view - window)))
    weights = np.zeros((count, window), np.float32)
    index = np.broadcast_to(np.arange(count)[:, None], taps.shape)
    np.add.at(weights, (index, np.clip(taps, 0, view - 1) - first), _cubic(position[:, None] - taps))
    weights[(middle < 0) | (middle > size)] = 0
    return first, weights


def window_size(size: float | int, view: int, count: int) -> int:
    """Pixels of the view that `count` neighbouring pixels of `size` are interpolated from, at most."""
    return int(np.ceil((min(count, size) - 1) * view / size)) + 1 + _TAPS


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys's cubic convolution kernel."""
    x, a = np.abs(x), _SHARPNESS
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _mean_around(plane: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Mean over 3 x 3 pixels; the border's pixels go on beyond it."""
    rows = np.concatenate([plane[:1], plane[:-1]])
    rows += plane
    rows[:-1] += plane[1:]
    rows[-1] += plane[-1]
    mean = rows.copy()
    mean[:, 1:] += rows[:, :-1]
    mean[:, 0] += rows[:, 0]
    mean[:, :-1] += rows[:, 1:]
    mean[:, -1] += rows[:, -1]
    mean *= np.float32(1 / 9)
    return mean
