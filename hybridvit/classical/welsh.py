"""Chroma from the reference's pixel that is most alike: Welsh, Ashikhmin and Mueller 2002, "Transferring Color to
Greyscale Images".

The reference's lightness is shifted and scaled to the picture's mean and standard deviation. About SAMPLES pixels of it
are drawn on a jittered grid. Each pixel of the picture takes the chroma of the sample that is nearest in lightness and
in the standard deviation of lightness around it, of equal weight, and keeps its own lightness.

The paper works in l-alpha-beta; here it is CIE Lab, L 0..100, in which pictures are composed.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree

SAMPLES = 200
WINDOW = 5  # px, side of the square whose standard deviation is compared
SEED = 0  # of the jitter
_LEAST_DEVIATION = 1e-3  # L units, of pictures of one lightness


def transfer(
    L: Float[np.ndarray, "h w"], reference: Float[np.ndarray, "r c 3"]
) -> Float[np.ndarray, "h w 2"]:
    """ab of a picture of lightness L, float32, from a reference in Lab."""
    light = match_lightness(reference[..., 0], L)
    rows, columns = jittered_grid(*light.shape, SAMPLES, np.random.default_rng(SEED))
    samples = np.stack([light, deviation_around(light)], -1)[rows, columns]
    wanted = np.stack([L, deviation_around(L)], -1).reshape(-1, 2)
    _, nearest = cKDTree(samples).query(wanted, p=1)
    return reference[rows, columns, 1:][nearest].reshape(*L.shape, 2).astype(np.float32)


def match_lightness(
    light: Float[np.ndarray, "r c"], like: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "r c"]:
    """`light`, shifted and scaled to the mean and the standard deviation of `like`."""
    scale = like.std() / max(light.std(), _LEAST_DEVIATION)
    return (light - light.mean()) * scale + like.mean()


def deviation_around(light: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Standard deviation in the WINDOW around each pixel; the picture is mirrored beyond its border."""
    centred = light.astype(np.float64) - light.mean()
    mean, square = (uniform_filter(x, WINDOW) for x in (centred, centred**2))
    return np.sqrt(np.maximum(square - mean**2, 0))


def jittered_grid(
    height: int, width: int, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of one random pixel in each cell of a grid of about `count` nearly square cells."""
    down = min(height, max(1, round(np.sqrt(count * height / width))))
    across = min(width, max(1, round(count / down)))
    edges = [np.arange(n + 1) * size // n for n, size in ((down, height), (across, width))]
    lower = np.meshgrid(*(e[:-1] for e in edges), indexing="ij")
    upper = np.meshgrid(*(e[1:] for e in edges), indexing="ij")
    rows, columns = (rng.integers(low, high) for low, high in zip(lower, upper, strict=True))
    return rows.ravel(), columns.ravel()
