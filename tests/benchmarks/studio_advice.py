"""What the studio advises, on colour photographs whose truth it does not see.

    python -m tests.benchmarks.studio_advice --photos FOLDER [--count 60] [--only suggestions,next,carry,samples]

- suggestions: how far the truth is from the nearest of the five colours, at 20 random places a photograph; and of the
  first one: how often it is what the picture shows there, and how often to choose it, in the middle of a photograph or
  where a hint is asked for, makes the picture paler (mean chroma lower by more than 0.1 ab units; vivid decode).
- next: PSNR after so many true colours (of 2 x 2 px of 256) where `next_hints` asks for them, one by one or all at
  once, against random places, the least sure place, the place where the model itself, given likely colours, changes
  most, and the best of eight as only the truth could tell.
- carry: PSNR of a photograph with what is carried over from another one with ten (or three) true hints: the left
  half for the right one; the whole for its relit, cropped mirror image; another photograph.
- samples: how different drawn colourings are, from one another and from the vivid one, and how near the truth.

Photographs: shorter side to 256 px, centre crop (whole for `carry`). PSNR is that of the mean decode. Printed are means
and their standard errors.
"""

import argparse
import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

import hybridvit
from hybridvit.color.bins import BIN_CENTRES
from hybridvit.data.transforms import center_square
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.carry_over import carry_hints
from hybridvit.inference.influence import cell_means, choose_cells
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.palette import palette_of
from hybridvit.inference.predictor import STRIDE
from hybridvit.inference.sampling import probabilities, spread
from hybridvit.inference.suggestions import likely_colors
from hybridvit.measures.metrics import colorfulness

SIZE = 256
MEAN = Settings(decode="mean", borders="off")
PLACES = 20  # a photograph
ASKED = 5  # hints
CANDIDATES = 8
SEEDS = 4
SMALL = 128  # px, of the view in which the model is asked about candidates

Place = tuple[float, float]
Scores = dict[str, list]


class Truth:
    """A colour photograph; its colours are told where they are asked for."""

    def __init__(self, pixels: np.ndarray, colorizer: hybridvit.Colorizer):
        self.canvas = colorizer.open(pixels)
        self.rgb = pixels
        lab = rgb2lab(pixels).astype(np.float32)
        self.L, self.ab = lab[..., 0], lab[..., 1:]

    def hint(self, x: float, y: float) -> Point:
        """The mean of the 2 x 2 px around the corner nearest to a place."""
        column, row = (min(max(round(v), 1), n - 1) for v, n in zip((x, y), self.L.shape[::-1], strict=True))
        ab = self.ab[row - 1 : row + 1, column - 1 : column + 1].mean((0, 1))
        return Point(column, row, tuple(ab.tolist()))

    def psnr(self, ab: np.ndarray) -> float:
        """dB, of colours at full resolution."""
        rgb = np.rint(lab2rgb(np.concatenate([self.L[..., None], ab], -1)) * 255)
        return float(-10 * np.log10(max(np.square(rgb - self.rgb).mean() / 255**2, 1e-5)))

    def psnr_with(self, *hints: Point) -> float:
        """dB, of the mean decode with hints."""
        return self.psnr(self.canvas.chroma(Recipe(hints, settings=MEAN)))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=60, help="of photographs, evenly from the folder's")
    parser.add_argument("--only", default=",".join(SECTIONS))
    arguments = parser.parse_args()
    files = sorted(arguments.photos.glob("*.jpg"))
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(arguments.count, len(files))).astype(int)]
    colorizer = hybridvit.load()
    for section in arguments.only.split(","):
        print(f"\n{section}, {len(files)} photographs")
        start = time.process_time()
        SECTIONS[section](files, colorizer)
        print(f"{time.process_time() - start:.0f} CPU s", flush=True)


def squares(files: list[pathlib.Path], colorizer: hybridvit.Colorizer) -> Iterator[Truth]:
    for path in files:
        with Image.open(path) as image:
            yield Truth(center_square(image.convert("RGB"), SIZE), colorizer)


def measure_suggestions(files: list[pathlib.Path], colorizer: hybridvit.Colorizer) -> None:
    """Distances of the truth to the nearest of what is suggested; what the first of it does."""
    rng = np.random.default_rng(0)
    cases = []
    near, paler = [], []
    for truth in squares(files, colorizer):
        vivid, height, width = truth.canvas.chroma(Recipe()), *truth.L.shape
        top, left, inside_height, inside_width = truth.canvas.inside(Recipe().settings)
        down, across = (
            n / whole for n, whole in zip(vivid.shape, (inside_height, inside_width), strict=False)
        )
        for x, y in rng.uniform((left, top), (left + inside_width, top + inside_height), (PLACES, 2)):
            first = likely_colors(truth.canvas, Recipe(), x, y)[0].ab
            shown = vivid[int((y - top) * down), int((x - left) * across)]
            near.append(np.linalg.norm(first - shown) <= 10)
        for place in ((width / 2, height / 2), next_hints(truth.canvas, Recipe(), 1)[0][:2]):
            chosen = Point(*place, likely_colors(truth.canvas, Recipe(), *place)[0].color)
            with_it = truth.canvas.chroma(Recipe((chosen,)))
            chroma = [np.linalg.norm(ab, axis=-1).mean() for ab in (vivid, with_it)]
            paler.append(chroma[1] < chroma[0] - 0.1)
        for hints in (0, 5):
            given = tuple(truth.hint(*place) for place in rng.uniform(2, SIZE - 2, (hints, 2)))
            recipe = Recipe(given, settings=MEAN)
            mean = truth.canvas.chroma(recipe)
            for x, y in rng.uniform(2, SIZE - 2, (PLACES, 2)):
                colors = np.array([color.ab for color in likely_colors(truth.canvas, recipe, x, y)])
                cases.append((hints, colors, mean[int(y), int(x)], np.array(truth.hint(x, y).color)))
    print(f"the first is within 10 ab units of what is shown: {np.mean(near):.3f} of {len(near)} places")
    for where, some in (("in the middle", paler[::2]), ("where a hint is asked for", paler[1::2])):
        print(f"to choose it {where} makes {sum(some)} of {len(some)} pictures paler")
    seen = np.array([case[-1] for case in cases])
    bins = np.linalg.norm(seen[:, None] - BIN_CENTRES, axis=-1).argmin(1)
    prior = np.bincount(bins, minlength=len(BIN_CENTRES)) / len(bins)
    for hints in (0, 5):
        rows: Scores = {}
        for count, colors, mean, true in cases:
            if count == hints:
                drawn = BIN_CENTRES[rng.choice(len(BIN_CENTRES), 5, replace=False, p=prior)]
                options = {"suggested": colors, "the likeliest": colors[:1], "the mean": mean[None]}
                for name, few in (options | {"5 bins of the truths' prior": drawn}).items():
                    rows.setdefault(name, []).append(np.linalg.norm(few - true, axis=-1).min())
        for name, values in rows.items():
            far = np.array(values)
            print(
                f"{hints} hints  {name:28} within 10: {np.mean(far <= 10):.3f}  within 15: {np.mean(far <= 15):.3f}"
                f"  distance {_mean(far)} ab units"
            )


def measure_next(files: list[pathlib.Path], colorizer: hybridvit.Colorizer) -> None:
    """PSNR by who chooses the places."""
    rows: Scores = {}
    expected, removed = [], []
    for index, truth in enumerate(squares(files, colorizer)):
        for name, choose in _choosers(truth, index).items():
            hints: list[Point] = []
            scores = [truth.psnr_with()]
            for _ in range(ASKED):
                hints.append(truth.hint(*choose(Recipe(tuple(hints), settings=MEAN))))
                scores.append(truth.psnr_with(*hints))
            rows.setdefault(name, []).append(scores)
        places = next_hints(truth.canvas, Recipe(settings=MEAN), ASKED)
        hints = [truth.hint(place.x, place.y) for place in places]
        at_once = [truth.psnr_with(*hints[:n]) for n in range(ASKED + 1)]
        rows.setdefault("next_hints, all at once", []).append(at_once)
        errors = [
            np.square(truth.canvas.chroma(Recipe(tuple(hints[:n]), settings=MEAN)) - truth.ab).mean()
            for n in (0, 1)
        ]
        expected.append(places[0].gain * errors[0])
        removed.append(errors[0] - errors[1])
    by_chance = np.mean([rows[name] for name in rows if name.startswith("random")], 0)
    rows["random places, mean"] = list(by_chance)
    for name, values in rows.items():
        scores = np.array(values)
        gains = "  ".join(_mean(column) for column in (scores - by_chance).T[[1, 2, 3, 5]])
        means = " ".join(f"{score:.2f}" for score in scores.mean(0)[[0, 1, 2, 3, 5]])
        print(f"{name:28} PSNR after 0 1 2 3 5: {means} dB; above random: {gains}")
    print(f"error removed by the first / expected: {np.sum(removed) / np.sum(expected):.2f}")


def _choosers(truth: Truth, index: int) -> dict[str, Callable[[Recipe], Place]]:
    def at_random(seed: int) -> Callable[[Recipe], Place]:
        rng = np.random.default_rng([index, seed])
        return lambda recipe: tuple(rng.uniform(2, SIZE - 2, 2).tolist())

    def least_sure(recipe: Recipe) -> Place:
        unsure = spread(probabilities(truth.canvas.logits(recipe)))
        for hint in recipe.hints:
            unsure[int(hint.y) // STRIDE, int(hint.x) // STRIDE] = 0
        row, column = np.unravel_index(unsure.argmax(), unsure.shape)
        return _middle(row, column)

    def next_hint(recipe: Recipe) -> Place:
        return next_hints(truth.canvas, recipe, 1)[0][:2]

    def by_model(recipe: Recipe) -> Place:
        return max(_candidates(truth.canvas, recipe), key=lambda place: _change(truth.canvas, recipe, place))

    def by_truth(recipe: Recipe) -> Place:
        options = _candidates(truth.canvas, recipe)
        return max(options, key=lambda place: truth.psnr_with(*recipe.hints, truth.hint(*place)))

    return {f"random places, seed {seed}": at_random(seed) for seed in range(SEEDS)} | {
        "the least sure place": least_sure,
        "next_hints": next_hint,
        "the model's own change": by_model,
        f"the best of {CANDIDATES} (oracle)": by_truth,
    }


def _candidates(canvas: Canvas, recipe: Recipe) -> list[Place]:
    probs = probabilities(canvas.logits(recipe))
    L = cell_means(canvas.lightness(recipe.settings))
    taken = np.zeros(L.shape, bool)
    for hint in recipe.hints:
        taken[int(hint.y) // STRIDE, int(hint.x) // STRIDE] = True
    cells = choose_cells(probs, L, spread(probs), ~taken, CANDIDATES)
    return [_middle(cell.row, cell.column) for cell in cells]


def _change(canvas: Canvas, recipe: Recipe, place: Place) -> float:
    """The expected squared change of the picture by the colour of a place (the law of total variance)."""
    recipe = dataclasses.replace(recipe, settings=dataclasses.replace(recipe.settings, size=SMALL))
    before = canvas.chroma(recipe)
    changes = (
        color.share
        * np.square(
            canvas.chroma(dataclasses.replace(recipe, hints=(*recipe.hints, Point(*place, color.ab))))
            - before
        ).mean()
        for color in likely_colors(canvas, recipe, *place, count=3)
    )
    return float(sum(changes))


def _middle(row: int, column: int) -> Place:
    return (float(column) + 0.5) * STRIDE, (float(row) + 0.5) * STRIDE


def measure_carry(files: list[pathlib.Path], colorizer: hybridvit.Colorizer) -> None:
    """PSNR of the target alone, with the source's palette, and with the points carried over."""
    photos = []
    for path in files:
        with Image.open(path) as image:
            scale = SIZE / min(image.size)
            size = tuple(max(SIZE, round(side * scale)) for side in image.size)
            photos.append(np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC)))
    rng = np.random.default_rng(0)
    pairs = {
        "left half for right half": [_halves(photo) for photo in photos],
        "relit, cropped mirror image": [(photo, _variant(photo)) for photo in photos],
        "another photograph": list(zip(photos, photos[1:] + photos[:1], strict=True)),
    }
    for count in (10, 3):
        for kind, both in pairs.items():
            rows: Scores = {}
            points = []
            for source, target in (tuple(Truth(pixels, colorizer) for pixels in pair) for pair in both):
                places = rng.uniform(2, np.array(source.L.shape[::-1]) - 2, (count, 2))
                recipe = Recipe(tuple(source.hint(*place) for place in places), settings=MEAN)
                carried = carry_hints(source.canvas, recipe, target.canvas, Recipe(settings=MEAN), "it")
                lab = np.concatenate([source.L[..., None], source.canvas.chroma(recipe)], -1)
                palette = palette_of(np.rint(lab2rgb(lab) * 255).astype(np.uint8))
                palette_ab = target.canvas.chroma(Recipe(palette=palette, settings=MEAN))
                alone = target.psnr_with()
                rows.setdefault("alone", []).append(alone)
                rows.setdefault("source's palette, above", []).append(target.psnr(palette_ab) - alone)
                rows.setdefault("carried over, above", []).append(target.psnr_with(*carried.hints) - alone)
                points.append(len(carried.hints))
            found = "; ".join(f"{name} {_mean(np.array(values))}" for name, values in rows.items())
            print(f"{count:2} hints, {kind:28} {found} dB; {np.mean(points):.1f} points")


def _halves(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if photo.shape[0] > photo.shape[1]:
        return photo[: len(photo) // 2], photo[len(photo) // 2 :]
    middle = photo.shape[1] // 2
    return np.ascontiguousarray(photo[:, :middle]), np.ascontiguousarray(photo[:, middle:])


def _variant(photo: np.ndarray) -> np.ndarray:
    part = photo[len(photo) // 8 :, : photo.shape[1] * 7 // 8][:, ::-1]
    return np.rint((part / 255) ** 0.75 * 240).astype(np.uint8)


def measure_samples(files: list[pathlib.Path], colorizer: hybridvit.Colorizer) -> None:
    """Mean CIEDE2000 between samples, vivid and the truth."""
    rows: Scores = {}
    for truth in squares(files, colorizer):
        recipes = [Recipe(settings=Settings(decode="sample", seed=seed)) for seed in range(SEEDS)]
        vivid, *samples = (
            np.concatenate([truth.L[..., None], truth.canvas.chroma(recipe)], -1)
            for recipe in (Recipe(), *recipes)
        )
        true = np.concatenate([truth.L[..., None], truth.ab], -1)
        errors = [_difference(sample, true) for sample in samples]
        of_vivid = _difference(vivid, true)
        among = [_difference(one, other) for i, one in enumerate(samples) for other in samples[:i]]
        for name, value in {
            "between two samples": np.mean(among),
            "samples to vivid": np.mean([_difference(sample, vivid) for sample in samples]),
            "vivid to the truth": of_vivid,
            "samples to the truth": np.mean(errors),
            "the best of 4 to the truth": min(errors),
            "the best of vivid and 3 to the truth": min(of_vivid, *errors[:3]),
            "colorfulness of samples": np.mean([_colorfulness(sample) for sample in samples]),
            "colorfulness of vivid": _colorfulness(vivid),
            "colorfulness of the truth": _colorfulness(true),
        }.items():
            rows.setdefault(name, []).append(value)
    for name, values in rows.items():
        print(f"{name:38} {_mean(np.array(values))}")


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(deltaE_ciede2000(one, other).mean())


def _colorfulness(lab: np.ndarray) -> float:
    return float(colorfulness(lab2rgb(lab)[None].astype(np.float32))[0])


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.2f} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


SECTIONS = {
    "suggestions": measure_suggestions,
    "next": measure_next,
    "carry": measure_carry,
    "samples": measure_samples,
}

if __name__ == "__main__":
    main()
