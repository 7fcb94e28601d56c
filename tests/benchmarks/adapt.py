"""What `hybridvit adapt` makes of simulated corrections, on photographs of one kind whose truth it does not see.

    python -m tests.benchmarks.adapt --photos FOLDER --kind SOURCE [--corrected 50] [--others 100] [--replay FOLDER]
        [--general FOLDER] [--loss DB] [--only adapted,album,carried]

Of the photographs of FOLDER whose `source_repo` in its manifest.csv is SOURCE, some are corrected: the true colours of
2 x 2 px are given where the studio asks for them, five a photograph. Measured on others of the kind: PSNR without hints
(mean decode) with the weights as they are, adapted, with what the studio carries over from the corrected one that
matches best, and in an album with all that are corrected; and with five hints of their own. On general photographs
(FOLDER's of other kinds, or all of --general): what is lost, without hints and with five. Shorter side to 256 px at
most, centre crop.
"""

import argparse
import csv
import pathlib
import random
import time

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

import hybridvit
from hybridvit.adapt.folder import anchors_of
from hybridvit.adapt.learn import adapt
from hybridvit.adapt.lesson import lesson_of
from hybridvit.data.transforms import center_square
from hybridvit.hints.recipe import Recipe
from hybridvit.inference.carry_over import SURE, preview_carry
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.places import Describer
from hybridvit.inference.weights import Weights, load_weights
from tests.benchmarks.album import Maker, View
from tests.benchmarks.studio_advice import MEAN, SIZE, Truth

HINTS = 5
CARRIED = 20  # photographs for which it is asked what is carried over from whichever corrected one


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--photos", required=True, type=pathlib.Path)
    add("--kind", required=True, help="a source_repo of manifest.csv")
    add("--corrected", type=int, default=50)
    add("--others", type=int, default=100)
    add("--general", type=pathlib.Path, help="folder of general photographs (FOLDER's of other kinds)")
    add("--most", type=int, default=100, help="of the general photographs")
    add("--replay", nargs="+", default=[])
    add("--loss", type=float, help="as of the command")
    add("--seed", type=int, default=0)
    add("--only", default="adapted,album,carried", help="what is measured")
    options = parser.parse_args()
    with open(options.photos / "manifest.csv") as file:
        kinds = {row["file"]: row["source_repo"] for row in csv.DictReader(file)}
    of_kind = [options.photos / name for name, kind in kinds.items() if kind == options.kind]
    random.Random(options.seed).shuffle(of_kind)
    corrected, others = of_kind[: options.corrected], of_kind[options.corrected :][: options.others]
    general = [options.photos / name for name, kind in kinds.items() if kind != options.kind]
    if options.general:
        general = sorted(options.general.glob("*.jpg"))
    random.Random(0).shuffle(general)
    weights = load_weights("pretrained")
    colorizer = hybridvit.Colorizer(weights)
    truths = [open_truth(path, colorizer) for path in corrected]
    hints = [asked(truth) for truth in truths]
    wanted = options.only.split(",")
    if "adapted" in wanted:
        paths = {"of the kind": others, "general": general[: options.most]}
        measure_adapted(options, weights, colorizer, list(zip(truths, hints, strict=True)), paths)
    if "album" in wanted:
        start = time.process_time()
        gains = album_gains(truths, hints, [open_truth(path, colorizer) for path in others], colorizer)
        minutes = (time.process_time() - start) / 60
        print(
            f"{options.kind}: {len(others)} others in an album with {len(corrected)} that are corrected: "
            f"{_mean(gains)} dB, {minutes:.1f} minutes of CPU",
            flush=True,
        )
    if "carried" in wanted:
        carried = [carry(path, colorizer, truths, hints) for path in others[:CARRIED]]
        gains, sure = np.array(carried).T
        print(
            f"carried over from the best match: {_mean(gains)} dB; of the {int(sure.sum())} that match: "
            f"{_mean(gains[sure > 0]) if sure.sum() > 1 else '-'}"
        )


def measure_adapted(
    options: argparse.Namespace,
    weights: Weights,
    colorizer: hybridvit.Colorizer,
    corrected: list[tuple[Truth, Recipe]],
    paths: dict[str, list[pathlib.Path]],
) -> None:
    """What is learnt of those that are corrected, and what becomes of the photographs of `paths`."""
    start = time.process_time()
    lessons = [lesson_of(truth.canvas, recipe) for truth, recipe in corrected]
    anchors = anchors_of(colorizer, options.replay, {})
    adapted = adapt(weights, lessons, anchors, "adapted", options.loss)
    minutes = (time.process_time() - start) / 60
    print(
        f"{options.kind}: {len(corrected)} corrected, {minutes:.1f} minutes of CPU: "
        f"strength {adapted.strength}, {adapted.gain:.3f} dB expected to be gained, {adapted.loss:.3f} lost",
        flush=True,
    )
    after = hybridvit.Colorizer(adapted.weights)
    for name, some in paths.items():
        report(name, [scores(path, colorizer, after) for path in some])


def read(path: pathlib.Path) -> np.ndarray:
    """A square of a photograph."""
    with Image.open(path) as image:
        side = min(SIZE, *image.size) // 32 * 32
        return center_square(image.convert("RGB"), side)


def open_truth(path: pathlib.Path, colorizer: hybridvit.Colorizer) -> Truth:
    """The same, which tells its colours where they are asked for."""
    return Truth(read(path), colorizer)


def asked(truth: Truth) -> Recipe:
    """With true colours where the studio asks for them."""
    empty = Recipe(settings=MEAN)
    return Recipe(
        tuple(truth.hint(*one[:2]) for one in next_hints(truth.canvas, empty, HINTS)), settings=MEAN
    )


def scores(path: pathlib.Path, before: hybridvit.Colorizer, after: hybridvit.Colorizer) -> list[float]:
    """dB without hints before and after, with hints before and after: asked for by the weights as they were."""
    truth = open_truth(path, before)
    recipe, empty = asked(truth), Recipe(settings=MEAN)
    taught = after.open(truth.rgb)
    return [truth.psnr(canvas.chroma(one)) for one in (empty, recipe) for canvas in (truth.canvas, taught)]


def carry(
    path: pathlib.Path, colorizer: hybridvit.Colorizer, truths: list[Truth], hints: list[Recipe]
) -> tuple[float, bool]:
    """dB gained by what is carried over from the corrected photograph that matches best; and whether it is sure."""
    truth, empty = open_truth(path, colorizer), Recipe(settings=MEAN)
    found = [
        preview_carry(other.canvas, recipe, truth.canvas, empty, "other")
        for other, recipe in zip(truths[:12], hints[:12], strict=True)
    ]
    best = max(found, key=lambda one: one.match)
    gain = truth.psnr(truth.canvas.chroma(best.recipe)) - truth.psnr_with()
    return gain, best.match >= SURE


def album_gains(
    truths: list[Truth], hints: list[Recipe], others: list[Truth], colorizer: hybridvit.Colorizer
) -> np.ndarray:
    """dB gained by each of the others by `hybridvit album` of all photographs, the corrected ones with their hints."""
    views = [View(rgb2lab(truth.rgb).astype(np.float32), np.zeros(2)) for truth in (*truths, *others)]
    made = Maker(colorizer, Describer(colorizer.predictor))(views, dict(enumerate(hints)))
    return np.array(
        [
            truth.psnr(made.told[i]["mean"]) - truth.psnr(made.plain[i]["mean"])
            for i, truth in enumerate(others, len(truths))
        ]
    )


def report(name: str, rows: list[list[float]]) -> None:
    """Means and standard errors."""
    free, taught, hinted, both = np.array(rows).T
    print(
        f"{name}, {len(rows)}: {free.mean():.2f} dB, adapted {_mean(taught - free)}; with {HINTS} hints "
        f"{hinted.mean():.2f}, adapted {_mean(both - hinted)}",
        flush=True,
    )


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():+.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


if __name__ == "__main__":
    main()
