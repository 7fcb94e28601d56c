"""What grayscale photographs are worth in labels: how many more of these would do the same.

A share s with grayscale photographs reaches some log-likelihood; the arms of labels alone reach it at a share s'; the
worth of the grayscale ones is s' / s. Between the measured shares scores are interpolated over the logarithm of the
share, and at each share the better of the other arms counts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hybridvit.comparison.label_measures import CONDITIONS
from hybridvit.comparison.label_runs import Run, percents, scores

CLEAN, *AGED = CONDITIONS
SCORE = "log_likelihood"


def worth(
    runs: Sequence[Run],
    arm: str,
    rivals: Sequence[str],
    percent: float,
    seed: int | None = None,
    condition: str = CLEAN,
) -> float | None:
    """s' / s at s = `percent`, of means over seeds or of one seed; infinity where no share of the rivals does as well.

    None where the arm or the rivals have not been measured. Below the smallest measured share it is that share's.
    """
    own = _level(runs, [arm], percent, seed, condition)
    levels = {p: _level(runs, rivals, p, seed, condition) for p in percents(runs)}
    curve = {p: level for p, level in levels.items() if level is not None}
    if own is None or not curve:
        return None
    return share_of(curve, own) / percent


def share_of(curve: Mapping[float, float], level: float) -> float | None:
    """The smallest share at which a curve (scores by share) reaches a level; infinity beyond its highest."""
    shares = sorted(curve)
    heights = np.maximum.accumulate([curve[share] for share in shares])  # a dip is noise: labels do not harm
    if level > heights[-1]:
        return float("inf")
    share = np.exp(np.interp(level, *_rising(heights, np.log(shares))))
    return float(np.clip(share, shares[0], shares[-1]))  # exp(log(x)) is x but for a last bit


def _rising(heights: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without the places at which the height is that of the one before: the first of them reaches it."""
    first = np.concatenate([[True], np.diff(heights) > 0])
    return heights[first], places[first]


def _level(
    runs: Sequence[Run], names: Sequence[str], percent: float, seed: int | None, condition: str
) -> float | None:
    found = [scores(runs, name, percent, condition, SCORE) for name in names]
    if seed is not None:
        found = [{seed: values[seed]} for values in found if seed in values]
    means = [float(np.mean(list(values.values()))) for values in found if values]
    return max(means, default=None)


def worths(runs: Sequence[Run], arm: str, rivals: Sequence[str]) -> dict[str, Any]:
    """By share of labels, as JSON: of clean photographs the `worth` of the means, `by_seed`, and the log-likelihood
    reached; of aged ones the worth, `by_condition`. null: beyond all the rivals' shares.
    """
    found = {}
    for percent in percents(runs):
        own = scores(runs, arm, percent, CLEAN, SCORE)
        value = worth(runs, arm, rivals, percent)
        if not own or value is None:
            continue
        by_seed = {seed: worth(runs, arm, rivals, percent, seed) for seed in sorted(own)}
        found[f"{percent:g} %"] = {
            "worth": _finite(value),
            "by_seed": {str(seed): _finite(one) for seed, one in by_seed.items()},
            "by_condition": {
                condition: _finite(worth(runs, arm, rivals, percent, condition=condition))
                for condition in AGED
            },
            SCORE: float(np.mean(list(own.values()))),
        }
    return found


def _finite(value: float | None) -> float | None:
    return None if value is None or np.isinf(value) else round(value, 3)


def worth_table(runs: Sequence[Run], arm: str, rivals: Sequence[str]) -> str:
    """Markdown: by share of labels, how many times the labels the grayscale photographs make of them."""
    lines = [f"| labels | worth | by seed | {' | '.join(AGED)} |", "|--:|--:|---|" + "--:|" * len(AGED)]
    for share, found in worths(runs, arm, rivals).items():
        seeds = ", ".join(_times(one) for one in found["by_seed"].values())
        aged = " | ".join(_times(one) for one in found["by_condition"].values())
        lines.append(f"| {share} | {_times(found['worth'])} | {seeds} | {aged} |")
    return "\n".join(lines)


def _times(value: float | None) -> str:
    return "more than all labels" if value is None else f"{value:.2f}x"
