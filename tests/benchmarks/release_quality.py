"""The released weights on a folder of colour photographs: PSNR@N of the mean, and both decodes without hints.

    python -m tests.benchmarks.release_quality --photos FOLDER [--set dev] [--weights pretrained] [--json FILE]

The protocol of `hybridvit.evaluate`, through `Colorizer.predict_ab`: shorter side to 256 px, centre crop, N true
colours of 2 x 2 px at places that depend on the names of set and file.
"""

import argparse
import pathlib
import warnings

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

import hybridvit
from hybridvit.data.transforms import center_square
from hybridvit.hints.simulate import protocol_hints
from hybridvit.measures.metrics import colorfulness
from tests.benchmarks.results import write_results

COUNTS = (0, 1, 10, 100)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--set", default="dev", help="name of the set, from which the hints' places follow")
    parser.add_argument("--weights", default="pretrained")
    parser.add_argument(
        "--json", type=pathlib.Path, help="where the scores go too: docs/results/release_quality.json"
    )
    arguments = parser.parse_args()
    warnings.filterwarnings(
        "ignore", message="Conversion from CIE-LAB"
    )  # colours out of the gamut are clipped
    colorizer = hybridvit.load(arguments.weights)
    scores: dict[str, list] = {}
    for path in sorted(arguments.photos.glob("*.jpg")):
        with Image.open(path) as image:
            truth = center_square(image.convert("RGB"), 256)
        lab = rgb2lab(truth).astype(np.float32)
        L, ab = lab[..., 0], lab[..., 1:]
        rows = {"gray": np.zeros_like(ab), "truth": ab}
        for count in COUNTS:
            hint_ab, mask = protocol_hints(ab, f"{arguments.set}/{path.name}", count)
            for decode in ("mean", "vivid") if count == 0 else ("mean",):
                predicted = colorizer.predict_ab(L[None], hint_ab[None], mask[None], decode)
                rows[f"{decode}, {count} hints"] = predicted[0]
        for name, predicted in rows.items():
            rgb = np.rint(lab2rgb(np.concatenate([L[..., None], predicted], -1)) * 255)
            error = max(np.square(rgb - truth).mean() / 255**2, 1e-5)
            difference = deltaE_ciede2000(rgb2lab(rgb / 255), lab).mean()
            vivid = float(colorfulness((rgb / 255)[None].astype(np.float32))[0])
            scores.setdefault(name, []).append((-10 * np.log10(error), difference, vivid))
    means = {name: np.mean(values, 0) for name, values in scores.items()}
    for name, (psnr, difference, vivid) in means.items():
        print(f"{name:16} PSNR {psnr:.2f} dB  CIEDE2000 {difference:.2f}  colorfulness {vivid:.1f}")
    if arguments.json:
        rounded = {
            name: {"psnr": round(psnr, 2), "ciede2000": round(difference, 2), "colorfulness": round(vivid, 2)}
            for name, (psnr, difference, vivid) in means.items()
        }
        rounded["truth"] = {"colorfulness": rounded["truth"]["colorfulness"]}
        facts = {"photographs": len(scores["gray"]), "weights": arguments.weights}
        write_results(arguments.json, "release_quality", facts | {"scores": rounded})


if __name__ == "__main__":
    main()
