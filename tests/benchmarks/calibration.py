"""Whether the model's confidence means what it says, on photographs that it has not seen.

    python -m tests.benchmarks.calibration --fit FOLDER --photos FOLDER [--weights runs/mine] [--plot reliability.png]

The confidence is the probability that a colour lies within 10 ab units of the model's own; it is what gates
pseudo-labels in training and, from 1, what `hybridvit colorize --uncertainty` and the studio show. One temperature is
fitted on the first folder; log-likelihood and expected calibration error before and after it are of the second.
"""

import argparse
import pathlib

import jax.numpy as jnp
import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot
from PIL import Image

from hybridvit.color.bins import nearest_bin, pool
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.color.spaces import SPACES
from hybridvit.data.transforms import center_square
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.sampling import SURE
from hybridvit.inference.weights import load_weights
from hybridvit.measures.calibration import Reliability, fit_temperature, mean_log_likelihood, reliability


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--fit", type=pathlib.Path, required=True, help="photographs to fit the temperature on"
    )
    parser.add_argument("--photos", type=pathlib.Path, required=True, help="photographs to measure on")
    parser.add_argument("--weights", default="pretrained")
    parser.add_argument("--size", type=int, default=256, help="px, side of the square that the model sees")
    parser.add_argument("--limit", type=int, default=150, help="photographs of a folder")
    parser.add_argument("--plot", type=pathlib.Path, help="reliability diagram")
    options = parser.parse_args()
    predictor = Predictor(load_weights(options.weights))
    logits, ab = look(predictor, options.fit, options)
    temperature = fit_temperature(logits, np.asarray(nearest_bin(jnp.asarray(ab))))
    print(f"temperature {temperature:.3f}, fitted on {len(logits):,} cells")
    logits, ab = look(predictor, options.photos, options)
    truth = np.asarray(nearest_bin(jnp.asarray(ab)))
    curves = {}
    for name, value in (("before", 1.0), ("after", temperature)):
        curves[name] = reliability(logits, ab, SURE, value)
        likelihood = mean_log_likelihood(logits, truth, value)
        print(f"{name:6}  log-likelihood {likelihood:.3f} nats, calibration error {curves[name].error:.3f}")
    for row in zip(*curves["before"], strict=True):
        print("said {:.2f}, was {:.2f}, share {:.3f}".format(*row))
    if options.plot:
        draw(curves, options.plot)


def look(
    predictor: Predictor, folder: pathlib.Path, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated logits of all cells, and their true colours in ab units."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".png"))[
        : options.limit
    ]
    parts = []
    for file in files:
        with Image.open(file) as photograph:
            square = center_square(photograph.convert("RGB"), options.size)
        luma, chroma = SPACES["lab"].to_luma_chroma(jnp.asarray(square[None] / np.float32(255)))
        logits = predictor(50 * (np.asarray(luma)[..., 0] + 1)).logits
        parts.append(
            (logits.reshape(-1, logits.shape[-1]), np.asarray(pool(chroma)).reshape(-1, 2) * CHROMA_SCALE)
        )
    return tuple(np.concatenate(x) for x in zip(*parts, strict=True))


def draw(curves: dict[str, Reliability], path: pathlib.Path) -> None:
    """How often it was so, over what was said; the size of a point is its share."""
    figure, axis = pyplot.subplots(figsize=(5, 5), layout="constrained")
    axis.plot([0, 1], [0, 1], color="gray", linestyle=":")
    for name, curve in curves.items():
        axis.plot(curve.confidence, curve.frequency, label=f"{name}: {curve.error:.3f}")
        axis.scatter(curve.confidence, curve.frequency, 1000 * curve.share)
    axis.set(
        xlabel="probability of being right that the model gives", ylabel="how often it is", aspect="equal"
    )
    axis.legend(title="calibration error")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
