"""What a hint changes besides what it was meant for, on photographs of which one object is recoloured in truth.

    python -m tests.benchmarks.locality --photos FOLDER [--count 40] [--size 256] [--historic FOLDER]

The object: superpixels (SLIC) merged by the colours of the truth, one region of 2 to 20 % of the picture, with its hue
turned by 90 to 270 degrees; the lightness stays. It is hinted once, with its new mean colour: by a point in its middle,
or by all of its area. Told are

- outside: the share of the pixels outside it that move by more than 5 ab units (mean decode, as without the hint);
- far: by how many ab units these pixels move on average;
- inside: the mean CIEDE2000 of its pixels to the recoloured truth;
- PSNR@N of the photograph as it was, with N true colours: points of 2 x 2 px (the places of `hybridvit.evaluate`), or
  the superpixels that hold these places, each with its mean colour.

Each for the reach that is the shape's default, and for the whole picture, which is what all hints had in 0.1.
With --historic, photographs without truth: the median share of pixels that a point in the middle moves by more than 10
ab units if it is red, green or blue, and by more than 5 if it is the third of the suggested colours (vivid decode).
"""

import argparse
import dataclasses
import pathlib
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import graph, segmentation
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

import hybridvit
from hybridvit.data.transforms import center_square
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PICTURE, Hint, Mask, Point, Region
from hybridvit.hints.simulate import protocol_hints
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.suggestions import likely_colors

COUNTS = (1, 10, 100)
MEAN = Settings(decode="mean", borders="off")
SHARES = (0.02, 0.2)  # of the picture, of an object
CHROMAS = (25.0, 50.0)  # ab units, at least, of a new colour
FAINT, CLEAR = 5.0, 10.0  # ab units: what counts as moved


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40, help="of photographs, evenly from the folder's")
    parser.add_argument("--size", type=int, default=256, help="px, side of the centre crop")
    parser.add_argument(
        "--set", default="dev", help="name of the set, from which the places of true colours follow"
    )
    parser.add_argument("--historic", type=pathlib.Path)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Conversion from CIE-LAB")  # out of the gamut: clipped
    colorizer = hybridvit.load()
    files = evenly(options.photos, options.count)
    rows: dict[str, list[list[float]]] = {}
    for index, path in enumerate(files):
        with Image.open(path) as image:
            rgb = center_square(image.convert("RGB"), options.size)
        for name, values in measure(colorizer, rgb, f"{options.set}/{path.name}", index).items():
            rows.setdefault(name, []).append(values)
    print(f"{len(files)} photographs, {options.size} px")
    print(
        f"{'hint, reach':24} {'outside %':>10} {'far ab':>10} {'inside dE':>10} "
        + " ".join(f"PSNR@{n:<5}" for n in COUNTS)
    )
    for name, values in rows.items():
        outside, far, inside, *psnr = np.mean(values, 0)
        print(f"{name:24} {outside:10.1f} {far:10.2f} {inside:10.2f} " + " ".join(f"{x:10.2f}" for x in psnr))
    if options.historic:
        measure_historic(colorizer, evenly(options.historic, options.count))


def evenly(folder: pathlib.Path, count: int) -> list[pathlib.Path]:
    """So many of a folder's photographs."""
    files = sorted(folder.glob("*.jpg"))
    return [files[i] for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]


def measure(colorizer: hybridvit.Colorizer, rgb: np.ndarray, name: str, seed: int) -> dict[str, list[float]]:
    """The table's columns by its rows, for one photograph."""
    canvas = colorizer.open(rgb)
    lab = rgb2lab(rgb).astype(np.float32)
    pieces = segmentation.slic(rgb, n_segments=200, compactness=8, start_label=0)
    inside, truth = recolored(rgb, lab, pieces, np.random.default_rng(seed))
    free = canvas.chroma(Recipe(settings=MEAN))
    places = {n: true_points(lab[..., 1:], name, n) for n in COUNTS}
    areas = {n: true_areas(lab[..., 1:], pieces, points) for n, points in places.items()}
    color = tuple(truth[inside].mean(0).tolist())
    rows = {}
    for shape, hint, known in (
        ("point", Point(*middle(inside), color), places),
        ("area", Region(Mask.of(inside), color), areas),
    ):
        for reach, set_reach in (("default", lambda hint: hint), ("picture", to_picture)):
            ab = canvas.chroma(Recipe((set_reach(hint),), settings=MEAN))
            moved = np.linalg.norm(ab - free, axis=-1)[~inside]
            colored, true = (np.dstack([lab[..., 0], x])[inside] for x in (ab, truth))
            faults = [100 * (moved > FAINT).mean(), moved.mean(), deltaE_ciede2000(colored, true).mean()]
            rows[f"{shape}, {reach}"] = faults + [
                psnr(rgb, lab[..., 0], colored_with(canvas, known[n], set_reach)) for n in COUNTS
            ]
    rows["none"] = [0.0, 0.0, deltaE_ciede2000(np.dstack([lab[..., 0], free])[inside], true).mean()]
    rows["none"] += [psnr(rgb, lab[..., 0], free)] * len(COUNTS)
    return rows


def recolored(
    rgb: np.ndarray, lab: np.ndarray, pieces: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The mask of an object, and the ab of all of the picture with that in another hue."""
    merged = graph.cut_threshold(pieces, graph.rag_mean_color(rgb, pieces), 20)
    labels, counts = np.unique(merged, return_counts=True)
    share = counts / merged.size
    fit = labels[(share > SHARES[0]) & (share < SHARES[1])]
    chosen = rng.choice(fit) if len(fit) else labels[np.where(share < 0.5, share, 0).argmax()]
    parts, count = ndimage.label(ndimage.binary_fill_holes(merged == chosen))
    inside = parts == 1 + np.argmax(ndimage.sum_labels(parts > 0, parts, range(1, count + 1)))
    mean = lab[inside, 1:].mean(0)
    hue = np.arctan2(mean[1], mean[0]) + rng.uniform(np.pi / 2, 3 * np.pi / 2)
    new = max(np.hypot(*mean), rng.uniform(*CHROMAS)) * np.array([np.cos(hue), np.sin(hue)])
    changed = lab.copy()
    changed[inside, 1:] = new + 0.3 * (
        lab[inside, 1:] - mean
    )  # less varied, as in another hue it would be confetti
    return inside, rgb2lab(np.clip(lab2rgb(changed), 0, 1))[..., 1:].astype(np.float32)


def middle(inside: np.ndarray) -> tuple[float, float]:
    """x and y of the pixel that is furthest from the outside."""
    far = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(far.argmax(), far.shape)
    return column + 0.5, row + 0.5


def true_points(ab: np.ndarray, name: str, count: int) -> list[Hint]:
    """The true colours of the PSNR@N protocol."""
    hint_ab, mask = protocol_hints(ab, name, count)
    return [
        Point(2 * x + 1, 2 * y + 1, tuple(hint_ab[2 * y, 2 * x].tolist()))
        for y, x in np.argwhere(mask[::2, ::2])
    ]


def true_areas(ab: np.ndarray, pieces: np.ndarray, points: Sequence[Point]) -> list[Hint]:
    """The superpixels that hold these points."""
    labels = {int(pieces[int(point.y), int(point.x)]) for point in points}
    insides = [pieces == label for label in sorted(labels)]
    return [Region(Mask.of(inside), tuple(ab[inside].mean(0).tolist())) for inside in insides]


def to_picture(hint: Hint) -> Hint:
    """The hint, reaching as far as in 0.1."""
    return dataclasses.replace(hint, reach=PICTURE)


def colored_with(canvas: Canvas, hints: Sequence[Hint], set_reach: Callable[[Hint], Hint]) -> np.ndarray:
    """ab of the photograph."""
    return canvas.chroma(Recipe(tuple(map(set_reach, hints)), settings=MEAN))


def psnr(rgb: np.ndarray, L: np.ndarray, ab: np.ndarray) -> float:
    """dB."""
    out = np.rint(lab2rgb(np.dstack([L, ab])) * 255)
    return float(-10 * np.log10(max(np.square(out - rgb).mean() / 255**2, 1e-5)))


def measure_historic(colorizer: hybridvit.Colorizer, files: list[pathlib.Path]) -> None:
    """Prints the shares of pixels that move."""
    shares: dict[str, list[float]] = {}
    for path in files:
        canvas = colorizer.open(path)
        height, width = canvas.photo.pixels.shape[:2]
        free = canvas.chroma(Recipe())
        suggested = likely_colors(canvas, Recipe(), width / 2, height / 2)
        third = suggested[min(2, len(suggested) - 1)].color
        for color, least in {"#c03028": CLEAR, "#308040": CLEAR, "#3050b0": CLEAR, third: FAINT}.items():
            for reach, set_reach in (("default", lambda hint: hint), ("picture", to_picture)):
                ab = canvas.chroma(Recipe((set_reach(Point(width / 2, height / 2, color)),)))
                name = f"{'third suggestion' if color == third else 'red, green or blue'}, {reach}"
                shares.setdefault(name, []).append(100 * (np.linalg.norm(ab - free, axis=-1) > least).mean())
    for name, values in shares.items():
        print(f"{name:32} median {np.median(values):.0f} % of the pixels move, at most {max(values):.0f} %")


if __name__ == "__main__":
    main()
