"""What an album adds to its photographs' own colours, on colour photographs whose truth it does not see.

    python -m tests.benchmarks.album --photos FOLDER [--count 24] [--only groups,hints,unrelated]

- groups: each photograph as three views (whole; a mirrored crop, lighter; another crop, darker), all views one album.
  PSNR and CIEDE2000 of the places that match (mean decode), with the album and without; and how far the colours of
  corresponding places (known from how the views were cut) are apart, of all of them and of those that matched.
- hints: the same with three true hints on the first view, or with the first view in colour as reference: PSNR of the
  two others.
- unrelated: one view of each photograph, all of them one album: what it costs photographs that have little in common.

Views are of 256 px. Printed are means and standard errors over photographs.
"""

import argparse
import pathlib
import tempfile
import time
from typing import NamedTuple

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

import hybridvit
from hybridvit.album.know import Picture, know_album
from hybridvit.data.transforms import center_square
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.hints.simulate import protocol_hints
from hybridvit.inference.places import CELL, Describer, pooled
from hybridvit.inference.weights import load_weights

SIZE = 256
MEAN = Settings(decode="mean", borders="off")
GAMMAS = (1.0, 0.75, 1.3)  # of the lightness of the three views
SIDES = (170, 215)  # px, of the crops


class View(NamedTuple):
    """A view's truth, Lab, and where in the photograph the middles of its cells are, px."""

    lab: np.ndarray
    at: np.ndarray


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=24, help="of photographs, evenly from the folder's")
    parser.add_argument("--only", default="groups,hints,unrelated")
    options = parser.parse_args()
    files = sorted(options.photos.glob("*.jpg"))
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(options.count, len(files))).astype(int)]
    weights = load_weights("pretrained")
    colorizer, describer = hybridvit.load(), Describer(weights)
    rng = np.random.default_rng(0)
    groups = [make_views(path, rng) for path in files]
    for section in options.only.split(","):
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            SECTIONS[section](groups, colorizer, describer, pathlib.Path(folder))
        print(f"{section}: {time.process_time() - start:.0f} CPU s\n", flush=True)


def make_views(path: pathlib.Path, rng: np.random.Generator) -> list[View]:
    """Three of a photograph."""
    with Image.open(path) as image:
        square = Image.fromarray(center_square(image.convert("RGB"), SIZE))
    middles = np.mgrid[CELL / 2 : SIZE : CELL, CELL / 2 : SIZE : CELL].transpose(1, 2, 0)
    views = []
    for k, gamma in enumerate(GAMMAS):
        side = SIZE if k == 0 else int(rng.integers(*SIDES))
        left, top = rng.integers(0, SIZE - side + 1, 2).tolist()
        seen = square.crop((left, top, left + side, top + side)).resize(
            (SIZE, SIZE), Image.Resampling.BICUBIC
        )
        at = middles * side / SIZE + (top, left)
        if k == 1:
            seen, at = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT), at[:, ::-1]
        lab = rgb2lab(np.asarray(seen)).astype(np.float32)
        lab[..., 0] = 100 * (lab[..., 0] / 100) ** gamma
        views.append(View(lab, at))
    return views


def save(view: View, path: pathlib.Path, gray: bool = True) -> pathlib.Path:
    """As a picture."""
    lab = view.lab * np.float32([1, not gray, not gray])
    rgb = np.rint(np.clip(lab2rgb(lab), 0, 1) * 255).astype(np.uint8)
    Image.fromarray(rgb[..., 0] if gray else rgb).save(path)
    return path


def colours(colorizer_of, paths: list[pathlib.Path]) -> list[np.ndarray]:
    """ab of each view."""
    return [colorizer_of(path).open(path).chroma(Recipe(settings=MEAN)) for path in paths]


def psnr(view: View, ab: np.ndarray, where: np.ndarray | None = None) -> float:
    """dB, of the pixels `where`."""
    out, true = (np.clip(lab2rgb(np.dstack([view.lab[..., 0], x])), 0, 1) for x in (ab, view.lab[..., 1:]))
    error = np.square(out - true)
    return float(-10 * np.log10(max(error[where].mean() if where is not None else error.mean(), 1e-5)))


def ciede(view: View, ab: np.ndarray, where: np.ndarray) -> float:
    """Mean of the pixels `where`."""
    return float(deltaE_ciede2000(view.lab, np.dstack([view.lab[..., 0], ab]))[where].mean())


def corresponding(first: View, second: View) -> tuple[np.ndarray, np.ndarray]:
    """Cells of the one and the nearest of the other, less than half a cell away."""
    far = np.linalg.norm(first.at.reshape(-1, 1, 2) - second.at.reshape(1, -1, 2), axis=-1)
    here = np.flatnonzero(far.min(1) < CELL / 2)
    return here, far.argmin(1)[here]


def measure_groups(groups, colorizer, describer, folder: pathlib.Path) -> None:
    """Gains where places match; disagreement."""
    paths = [
        [save(view, folder / f"{g}-{k}.png") for k, view in enumerate(views)]
        for g, views in enumerate(groups)
    ]
    flat = [path for row in paths for path in row]
    colorizer_of = know_album(
        colorizer, [Picture(path, Recipe(settings=MEAN)) for path in flat], folder / "x", describer
    )
    rows, apart, alone = {}, {}, 0
    for views, row in zip(groups, paths, strict=True):
        plain, told = colours(lambda path: colorizer, row), colours(colorizer_of, row)
        gains = []
        for view, a, b in zip(views, plain, told, strict=True):
            changed = np.abs(a - b).max(-1) > 0
            if not changed.any():
                alone += 1
                continue
            gains.append(
                (
                    psnr(view, b, changed) - psnr(view, a, changed),
                    ciede(view, b, changed) - ciede(view, a, changed),
                )
            )
        if gains:
            for name, value in zip(("PSNR", "CIEDE2000"), np.mean(gains, 0), strict=True):
                rows.setdefault(name, []).append(value)
        for i, j in ((0, 1), (0, 2), (1, 2)):
            here, there = corresponding(views[i], views[j])
            if not len(here):
                continue
            far = []
            for ab in (plain, told):
                cells = [pooled(one, CELL).reshape(-1, 2) for one in (ab[i], ab[j])]
                far.append(np.linalg.norm(cells[0][here] - cells[1][there], axis=-1).mean())
            apart.setdefault("all corresponding places", []).append(far)
    print(f"{len(flat)} views of {len(groups)} photographs; {alone} match nothing")
    for name, values in rows.items():
        print(f"where places match, {name}: {mean(values)}")
    for name, values in apart.items():
        before, after = np.mean(values, 0)
        print(
            f"{name}: {before:.2f} ab apart without, {after:.2f} with the album ({100 * (after / before - 1):+.0f} %)"
        )


def measure_hints(groups, colorizer, describer, folder: pathlib.Path) -> None:
    """The two other views, where the first is known."""
    found: dict[str, list[float]] = {}
    for name in ("nothing", "three hints", "in colour"):
        pictures, others = [], []
        for g, views in enumerate(groups):
            known = folder / f"{name}-{g}-0.png"
            save(views[0], known, gray=name != "in colour")
            recipe = Recipe(settings=MEAN)
            if name == "three hints":
                hint_ab, mask = protocol_hints(views[0].lab[..., 1:], f"album/{g}", 3)
                points = np.argwhere(mask[::2, ::2])
                recipe = Recipe(
                    tuple(
                        Point(2 * x + 1, 2 * y + 1, tuple(hint_ab[2 * y, 2 * x].tolist())) for y, x in points
                    ),
                    settings=MEAN,
                )
            pictures.append(Picture(known, recipe, name == "in colour"))
            for k in (1, 2):
                path = save(views[k], folder / f"{name}-{g}-{k}.png")
                pictures.append(Picture(path, Recipe(settings=MEAN)))
                others.append((views[k], path))
        colorizer_of = know_album(colorizer, pictures, folder / name.replace(" ", "-"), describer)
        scores = [psnr(view, colours(colorizer_of, [path])[0]) for view, path in others]
        found[name] = scores
        gain = mean(np.subtract(scores, found["nothing"]))
        print(f"the first view: {name}; the two others: {np.mean(scores):.2f} dB ({gain})", flush=True)


def measure_unrelated(groups, colorizer, describer, folder: pathlib.Path) -> None:
    """One view of each."""
    paths = [save(views[0], folder / f"{g}.png") for g, views in enumerate(groups)]
    colorizer_of = know_album(
        colorizer, [Picture(path, Recipe(settings=MEAN)) for path in paths], folder / "x", describer
    )
    changes, same = [], 0
    for views, path in zip(groups, paths, strict=True):
        a, b = (colours(lambda path, c=c: c(path), [path])[0] for c in (lambda path: colorizer, colorizer_of))
        if np.array_equal(a, b):
            same += 1
            continue
        everywhere = np.ones(a.shape[:2], bool)
        changes.append(
            (
                psnr(views[0], b) - psnr(views[0], a),
                ciede(views[0], b, everywhere) - ciede(views[0], a, everywhere),
            )
        )
    print(f"{len(paths)} photographs; {same} match nothing, and are the same to the bit")
    for name, values in zip(("PSNR", "CIEDE2000"), zip(*changes, strict=True), strict=True):
        print(f"the others, {name}: {mean(values)}")


def mean(values) -> str:
    """With its standard error."""
    values = np.asarray(values)
    return f"{values.mean():+.3f} +- {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


SECTIONS = {"groups": measure_groups, "hints": measure_hints, "unrelated": measure_unrelated}

if __name__ == "__main__":
    main()
