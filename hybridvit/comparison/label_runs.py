"""The runs of a study of labels, and their means over seeds.

An arm is a way to train; a run is an arm with a share of labels and a seed, which chooses the labeled pictures and all
else that is random. Arms with the same share and seed have the same labels, so differences are taken run by run.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

SCORES = {  # heading, digits; higher is better
    "log_likelihood": ("log-likelihood, nats", 3),
    "log_likelihood_balanced": ("log-likelihood, balanced", 3),
    "psnr": ("PSNR dB", 2),
}
OTHERS = {"ciede2000": ("CIEDE2000", 2), "colorfulness": ("colorfulness", 1), "calibration_error": ("ECE", 3)}

MEASURED = "labels.json"  # in the folder of a system


class Run(NamedTuple):
    """One trained network; `measured` is what `measure_labels` gives."""

    arm: str
    percent: float
    seed: int
    measured: Mapping[str, Any]


class Estimate(NamedTuple):
    """A mean over seeds, and its standard error: 0 for a single seed, of which nothing can be said."""

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.error:.3f}"


def estimate(values: Sequence[float]) -> Estimate:
    """Of one value a seed."""
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return Estimate(float(np.mean(values)), float(error))


def scores(runs: Sequence[Run], arm: str, percent: float, condition: str, score: str) -> dict[int, float]:
    """By seed."""
    chosen = [run for run in runs if (run.arm, run.percent) == (arm, percent)]
    return {run.seed: run.measured[condition][score] for run in chosen}


def arms(runs: Sequence[Run]) -> list[str]:
    """In the order in which they come."""
    return list(dict.fromkeys(run.arm for run in runs))


def percents(runs: Sequence[Run]) -> list[float]:
    """Ascending."""
    return sorted({run.percent for run in runs})


def difference(
    runs: Sequence[Run], arm: str, others: Sequence[str], percent: float, condition: str, score: str
) -> Estimate | None:
    """Of `arm` over whichever of `others` has the better mean, over the seeds that both have; None without any."""
    own = scores(runs, arm, percent, condition, score)
    rivals = [values for other in others if (values := scores(runs, other, percent, condition, score))]
    if not own or not rivals:
        return None
    best = max(rivals, key=lambda values: np.mean(list(values.values())))
    both = sorted(own.keys() & best.keys())
    return estimate([own[seed] - best[seed] for seed in both]) if both else None
