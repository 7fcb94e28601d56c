"""Colours spread from the pixels where they are known: Levin, Lischinski and Weiss 2004, "Colorization using
Optimization".

Each pixel's chroma is to be the weighted mean of its eight neighbours', weights falling with the difference in
intensity relative to the variance around the pixel; known pixels keep theirs. One sparse, unsymmetric linear system, of
which the weights are those of the authors' released program (`getColorExact.m`), where the paper leaves details open:
0.6 of the variance of the 3 x 3 window; the nearest neighbour's weight is at least 0.01; the variance at least 2e-6.

Two things differ from it: chroma is CIE ab, not IQ of YIQ; intensity is the sRGB gray value, 0..1, of the lightness.
L is 0..100.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hybridvit.classical import multigrid
from hybridvit.classical.grid_system import OFFSETS, factorise
from hybridvit.color.lab import light_of_response, linear_to_srgb

VARIANCE_SHARE = 0.6
LEAST_WEIGHT = 0.01  # of the neighbour that is nearest in intensity, before all are made to sum up to 1
LEAST_VARIANCE = 2e-6
MOST_DIRECT = 2**20  # pixels: of more, factors would take gigabytes, and multigrid takes over
TOLERANCE = 0.01  # ab units, of multigrid: errors of less than 0.1, root mean square


def propagate(
    L: Float[np.ndarray, "h w"], hint_ab: Float[np.ndarray, "h w 2"], mask: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 2"]:
    """ab of all pixels, float32, from those under the mask, which are kept; gray where nothing is known."""
    ab = np.where(mask[..., None], hint_ab, 0).astype(np.float32)
    if not mask.any():
        return ab
    weights = np.where(mask, 0, neighbour_weights(gray_of(L)))
    anchor, target = mask.astype(np.float64), np.moveaxis(ab, -1, 0)
    if mask.size <= MOST_DIRECT:
        found = factorise(weights, anchor)(target)
    else:
        found = multigrid.solve(weights, anchor, target, TOLERANCE)
    return np.where(mask[..., None], ab, np.moveaxis(found, 0, -1)).astype(np.float32)


def gray_of(L: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """The sRGB gray value, 0..1, float32, of a lightness."""
    return np.interp(L, *_grays()).astype(np.float32)


@functools.cache
def _grays() -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Lightness and its gray, close enough to interpolate: by JAX, but not compiled for each size of pictures."""
    L = np.linspace(0, 100, 10_001, dtype=np.float32)
    return L, np.asarray(linear_to_srgb(light_of_response(jnp.asarray((L + 16) / 116))))


def neighbour_weights(gray: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "8 h w"]:
    """Weights of each pixel's neighbours at OFFSETS, float64, with sum 1; 0 for those outside the picture."""
    height, width = gray.shape
    padded = np.pad(gray.astype(np.float64), 1, constant_values=np.nan)
    around = np.stack([padded[1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in OFFSETS])
    window = np.concatenate([around, padded[None, 1:-1, 1:-1]])
    variance = VARIANCE_SHARE * np.nanvar(window, 0)
    squares = np.square(around - window[-1])
    nearest = np.nanmin(squares, 0)
    scale = np.maximum(np.maximum(variance, nearest / -np.log(LEAST_WEIGHT)), LEAST_VARIANCE)
    weights = np.nan_to_num(np.exp(-squares / scale))
    return weights / weights.sum(0)
