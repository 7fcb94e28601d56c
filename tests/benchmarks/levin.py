"""Levin's propagation beside another program of it, on a folder of colour photographs: PSNR and CPU seconds of both.

    python -m tests.benchmarks.levin --photos FOLDER --reference-script PATH [--limit 10] [--counts 10,100]

The script has `colorize(L, hints)`, L `[h, w]` 0..100 and hints a dict of `ab` `[h, w, 2]` and `mask` `[h, w]`, and
returns ab `[h, w, 2]`. The protocol is PSNR@N of `hybridvit.evaluate` at 256 px. Each photograph is coloured by both in
turn, and a first run of both, in which programs are compiled, is not counted.
"""

import argparse
import importlib.util
import pathlib
import time
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from hybridvit.classical.levin import propagate
from hybridvit.data.transforms import center_square
from hybridvit.hints.simulate import protocol_hints


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=pathlib.Path)
    parser.add_argument("--reference-script", required=True, type=pathlib.Path)
    parser.add_argument("--set", default="dev", help="name of the set, from which the hints' places follow")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--counts", default="10,100")
    arguments = parser.parse_args()
    other = _load(arguments.reference_script)
    systems: dict[str, Callable] = {
        "hybridvit": propagate,
        "reference": lambda L, ab, mask: other(L, {"ab": ab, "mask": mask}),
    }
    paths = sorted(arguments.photos.glob("*.jpg"))[: arguments.limit]
    for count in map(int, arguments.counts.split(",")):
        psnr = {name: [] for name in systems}
        seconds = {name: [] for name in systems}
        apart = []
        for index, path in enumerate([paths[0], *paths]):
            with Image.open(path) as image:
                truth = center_square(image.convert("RGB"), 256)
            lab = rgb2lab(truth).astype(np.float32)
            L = np.ascontiguousarray(lab[..., 0])
            hint_ab, mask = protocol_hints(lab[..., 1:], f"{arguments.set}/{path.name}", count)
            found = {}
            for name, colour in systems.items():
                start = time.process_time()
                found[name] = colour(L, hint_ab, mask)
                if index:
                    seconds[name].append(time.process_time() - start)
                    psnr[name].append(_psnr(L, found[name], truth))
            if index:
                apart.append(abs(psnr["hybridvit"][-1] - psnr["reference"][-1]))
        for name in systems:
            print(
                f"{count:3} hints  {name:9}  PSNR {np.mean(psnr[name]):.3f} dB  "
                f"CPU {np.mean(seconds[name]):.3f} s a photo"
            )
        print(f"{count:3} hints  a photo's PSNR differs by {max(apart):.5f} dB at most")


def _load(path: pathlib.Path) -> Callable:
    spec = importlib.util.spec_from_file_location("reference_levin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.colorize


def _psnr(L: np.ndarray, ab: np.ndarray, truth: np.ndarray) -> float:
    with warnings.catch_warnings(action="ignore"):  # of colours out of the gamut
        rgb = np.rint(lab2rgb(np.concatenate([L[..., None], ab], -1)) * 255)
    return -10 * np.log10(max(np.square(rgb - truth).mean() / 255**2, 1e-5))


if __name__ == "__main__":
    main()
