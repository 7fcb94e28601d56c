"""The whole record of a study of labels, as JSON: what pages make their tables and figures of."""

from collections.abc import Sequence
from typing import Any

from hybridvit.comparison.label_measures import CONDITIONS
from hybridvit.comparison.label_runs import SCORES, Estimate, Run, arms, difference, estimate, percents
from hybridvit.comparison.label_worth import worths

DIGITS = {"log_likelihood": 3, "log_likelihood_balanced": 3, "psnr": 2}
SHORT = {"log_likelihood": "log-likelihood", "log_likelihood_balanced": "balanced", "psnr": "PSNR dB"}


def make_record(
    runs: Sequence[Run], arm: str, rivals: Sequence[str], measured: dict[str, str]
) -> dict[str, Any]:
    """`measured` (command, machine, date), `seeds`, `worth` by share, `gain` of the arm over the better of its rivals,
    `runs` with all that was measured, and `columns` and `rows` for a table.
    """
    return {
        "measured": measured,
        "seeds": sorted({run.seed for run in runs}),
        "worth": worths(runs, arm, rivals),
        "gain": {
            f"{percent:g} %": gains
            for percent in percents(runs)
            if (gains := _gains(runs, arm, rivals, percent))
        },
        "columns": [{"name": "labels"}, {"name": "arm"}, {"name": "seeds", "digits": 0}, *_score_columns()],
        "rows": [
            [f"{percent:g} %", name, len(chosen), *_score_cells(chosen)]
            for percent in percents(runs)
            for name in arms(runs)
            if (chosen := [run for run in runs if (run.arm, run.percent) == (name, percent)])
        ],
        "runs": [run._asdict() for run in runs],
    }


def _gains(
    runs: Sequence[Run], arm: str, rivals: Sequence[str], percent: float
) -> dict[str, dict[str, list[float]]]:
    found = {
        condition: {
            score: _pair(gain)
            for score in SCORES
            if (gain := difference(runs, arm, rivals, percent, condition, score)) is not None
        }
        for condition in CONDITIONS
    }
    return {condition: scores for condition, scores in found.items() if scores}


def _score_columns() -> list[dict[str, Any]]:
    return [
        {
            "name": SHORT[score] if condition == "clean" else f"{condition}: {SHORT[score]}",
            "digits": DIGITS[score],
        }
        for condition in CONDITIONS
        for score in SCORES
    ]


def _score_cells(runs: Sequence[Run]) -> list[list[float] | float]:
    found = [
        _pair(estimate([run.measured[condition][score] for run in runs]))
        for condition in CONDITIONS
        for score in SCORES
    ]
    return found if len(runs) > 1 else [mean for mean, _ in found]  # of one nothing is known of its error


def _pair(value: Estimate) -> list[float]:
    return [round(value.mean, 4), round(value.error, 4)]
