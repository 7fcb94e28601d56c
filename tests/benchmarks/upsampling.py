"""Ways to upsample chroma from the model's view to full resolution, on photographs whose chroma is known.

    python -m tests.benchmarks.upsampling --photos FOLDER --factors 2,4,8

Each photograph is shrunk by the factor, as for the model; the chroma of the small picture is upsampled by each method,
guided by the full-resolution lightness, composed to 8-bit sRGB with it, and compared with the photograph. Without
--photos these are the colour ones that scikit-image brings. With --blur the small chroma is blurred first (sigma, px of
the view), as a model's chroma is softer than the truth.

- PSNR, dB, over the three channels.
- bleeding, CIE ab units: mean distance of chroma from the truth within 2 px of strong chroma edges of the truth (a
  gradient above 5 ab units a px), where colours run over edges if they do. As the cluster discrepancy ratio (Kim et
  al., ICCV 2021) it looks at edges only, but it needs no superpixels. Photographs with next to no such edges are left
  out.

The guided filter (He, Sun and Tang 2013) and joint bilateral upsampling (Kopf et al. 2007) have the parameters that did
best here; larger windows did worse.
"""

import pathlib
from collections.abc import Callable, Iterator

import jax.numpy as jnp
import numpy as np
import skimage
from absl import app, flags
from PIL import Image
from scipy.ndimage import gaussian_filter, maximum_filter, sobel, uniform_filter
from skimage.color import rgb2lab
from skimage.transform import resize

from hybridvit.data.bundled import COLOR
from hybridvit.inference.composition import compose
from hybridvit.inference.upsampling import chroma_planes, cubic_weights, guide_maps, interpolate
from hybridvit.inference.view import shrink

PHOTOS = flags.DEFINE_string("photos", None, "Folder of colour photographs; none: scikit-image's.")
FACTORS = flags.DEFINE_list("factors", ["2", "4", "8"], "How many times smaller the view is.")
BLUR = flags.DEFINE_float("blur", 0.0, "Sigma of a blur of the view's chroma, px.", lower_bound=0.0)
EVERY = flags.DEFINE_integer("every", 1, "Takes every n-th photograph only.", lower_bound=1)

STRONG_EDGE, NEAR = 5.0, 2  # ab units a px; px
FEWEST = 0.002  # of the pixels are near strong edges, or the photograph is left out
GUIDED_RADIUS, GUIDED_EPSILON = 1, 4.0  # px of the view; L units, squared
BILATERAL_SPACE, BILATERAL_RANGE = 0.5, 8.0  # px of the view; L units

Method = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # of ab and L at the view, and L: ab


def nearest(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    return resize(ab, L.shape, order=0, mode="edge", anti_aliasing=False)


def bilinear(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    return resize(ab, L.shape, order=1, mode="edge", anti_aliasing=False)


def cubic(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    return np.stack(interpolated(ab.transpose(2, 0, 1), L.shape), -1)


def guided_filter(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    """Fast form: the affine functions at the view, their averages interpolated bilinearly."""

    def mean(x: np.ndarray) -> np.ndarray:
        size = 2 * GUIDED_RADIUS + 1
        return uniform_filter(x, (size, size, 1), mode="nearest")

    guide = view_L[..., None].astype(np.float64)
    slope = (mean(guide * ab) - mean(guide) * mean(ab)) / (mean(guide**2) - mean(guide) ** 2 + GUIDED_EPSILON)
    offset = mean(ab) - slope * mean(guide)
    return bilinear(mean(slope), view_L, L) * L[..., None] + bilinear(mean(offset), view_L, L)


def joint_bilateral(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    """Weighted mean of the nearest 2 x 2 px of the view, weighted by distance and by difference of lightness."""
    y, x = ((np.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(L.shape, view_L.shape, strict=True))
    total, weights = 0.0, 0.0
    for down in (0, 1):
        for right in (0, 1):
            row, column = np.floor(y) + down, np.floor(x) + right
            near = np.exp(-(((y - row)[:, None] ** 2 + (x - column) ** 2) / (2 * BILATERAL_SPACE**2)))
            pick = np.ix_(
                *(np.clip(i, 0, n - 1).astype(int) for i, n in zip((row, column), view_L.shape, strict=True))
            )
            alike = np.exp(-((L - view_L[pick]) ** 2) / (2 * BILATERAL_RANGE**2)) + 1e-6
            total = total + (near * alike)[..., None] * ab[pick]
            weights = weights + near * alike
    return total / weights[..., None]


def ours(ab: np.ndarray, view_L: np.ndarray, L: np.ndarray) -> np.ndarray:
    return np.stack(chroma_planes(interpolated(guide_maps(ab, view_L), L.shape), jnp.asarray(L)), -1)


def interpolated(maps: np.ndarray, shape: tuple[int, int]) -> jnp.ndarray:
    sizes = zip(shape, maps.shape[1:], strict=True)
    rows, columns = (jnp.asarray(cubic_weights(n, m, 0, n, m)[1]) for n, m in sizes)
    return interpolate(interpolate(jnp.asarray(maps), rows, 1), columns, 2)


METHODS: dict[str, Method] = {
    "nearest": nearest,
    "bilinear": bilinear,
    "cubic": cubic,
    "guided filter": guided_filter,
    "joint bilateral": joint_bilateral,
    "cubic + guided detail (the package's)": ours,
}


def photographs() -> Iterator[np.ndarray]:
    """uint8 [h, w, 3]."""
    if PHOTOS.value:
        files = sorted(f for f in pathlib.Path(PHOTOS.value).iterdir() if f.suffix in {".jpg", ".png"})
    else:
        files = [pathlib.Path(skimage.data_dir) / name for name in COLOR]
    for file in files[:: EVERY.value]:
        yield np.asarray(Image.open(file).convert("RGB"))


def near_edges(ab: np.ndarray) -> np.ndarray:
    """Where the photograph's own chroma changes strongly, and around."""
    gradient = [sobel(ab, axis) / 8 for axis in (0, 1)]
    strong = np.sqrt(sum((g**2).sum(-1) for g in gradient)) > STRONG_EDGE
    return maximum_filter(strong, 2 * NEAR + 1)


def main(_: list[str]) -> None:
    for factor in map(float, FACTORS.value):
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
        for rgb in photographs():
            lab = rgb2lab(rgb).astype(np.float32)
            L, truth = np.ascontiguousarray(lab[..., 0]), lab[..., 1:]
            edges = near_edges(truth)
            if edges.mean() < FEWEST:
                continue
            height, width = (max(1, round(size / factor)) for size in L.shape)
            view = rgb2lab(shrink(rgb, height, width)).astype(np.float32)
            ab = gaussian_filter(view[..., 1:], (BLUR.value, BLUR.value, 0))
            for name, method in METHODS.items():
                up = np.asarray(method(ab, view[..., 0], L), np.float32)
                squared = (np.asarray(compose(L, up, np.uint8)).astype(float) - rgb) ** 2
                bleeding = np.linalg.norm(up - truth, axis=-1)[edges].mean()
                results[name].append((10 * np.log10(255**2 / squared.mean()), bleeding))
        count = len(results["nearest"])
        print(f"\n| view {factor:g} times smaller, {count} photographs | PSNR dB | bleeding |\n|---|--:|--:|")
        for name, measured in results.items():
            psnr, bleeding = np.mean(measured, 0)
            print(f"| {name} | {psnr:.2f} | {bleeding:.2f} |")


if __name__ == "__main__":
    app.run(main)
