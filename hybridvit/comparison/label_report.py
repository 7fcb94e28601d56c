"""How many labels an arm needs, as Markdown, as plots and as a record; the words are those of `label_runs`."""

import itertools
import json
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from ml_collections import ConfigDict

from hybridvit.comparison.budget import budget_of
from hybridvit.comparison.label_measures import CONDITIONS
from hybridvit.comparison.label_record import make_record
from hybridvit.comparison.label_runs import (
    MEASURED,
    OTHERS,
    SCORES,
    Run,
    arms,
    difference,
    estimate,
    percents,
    scores,
)
from hybridvit.comparison.label_worth import SCORE, worth_table
from hybridvit.comparison.systems import System


def save_labels(
    config: ConfigDict, systems: Sequence[System], outcomes: Mapping[str, dict], workdir: pathlib.Path
) -> None:
    """Writes report.md, record.json and curves.png of what is done by now; systems are named arm-percent-seed."""
    done = [system for system in systems if outcomes[system.name]["status"] == "done"]
    runs = [
        Run(
            system.name.rsplit("-", 2)[0],
            100 * system.config.data.labeled_fraction,
            system.config.seed,
            json.loads((system.folder / MEASURED).read_text()),
        )
        for system in done
    ]
    missing = [
        f"{system.name}: {outcomes[system.name].get('why', 'has not come to its end')}"
        for system in systems
        if system not in done
    ]
    field, unit = ("images", "pictures") if config.budget.images else ("minutes", "minutes")
    given = sorted({budget_of(config.budget, system.name)[field] for system in systems})
    budget = f"{' or '.join(f'{much:,}' for much in given)} {unit}"
    (workdir / "report.md").write_text(
        write_markdown(runs, missing, config.test.arm, config.test.rivals, budget)
    )
    if not runs:
        return
    measured = {
        "command": f"python -m hybridvit.compare, {config.name}; {budget} a run, at {config.data.image_size} px",
        "machine": outcomes[done[-1].name]["machine"],
        "date": max(outcomes[system.name]["date"] for system in done),
    }
    record = make_record(runs, config.test.arm, config.test.rivals, measured)
    (workdir / "record.json").write_text(json.dumps(record, indent=1))
    draw_curves(runs, workdir / "curves.png")


def quality_table(runs: Sequence[Run], condition: str) -> str:
    """A row for each share of labels and arm."""
    columns = SCORES | OTHERS
    headings = [
        "labels",
        "arm",
        "seeds",
        *(heading for heading, _ in columns.values()),
        "best step",
        "chroma scale",
    ]
    lines = [f"| {' | '.join(headings)} |", "|--:|---|" + "--:|" * (len(headings) - 2)]
    for percent, arm in itertools.product(percents(runs), arms(runs)):
        chosen = [run for run in runs if (run.arm, run.percent) == (arm, percent)]
        if not chosen:
            continue
        cells = [f"{percent:g} %", arm, str(len(chosen))]
        for score, (_, digits) in columns.items():
            mean, error = estimate([run.measured[condition][score] for run in chosen])
            cells.append(f"{mean:.{digits}f} ± {error:.{digits}f}")
        for name, digits in (("step", 0), ("scale", 2)):
            cells.append(f"{np.mean([run.measured[name] for run in chosen]):,.{digits}f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def differences_table(runs: Sequence[Run], arm: str, others: Sequence[str]) -> str:
    """What `arm` gains over the better of the others, by share, condition and score."""
    headings = ["labels", *(f"{name}, {c}" for c in CONDITIONS for name, _ in SCORES.values())]
    lines = [f"| {' | '.join(headings)} |", "|--:|" + "--:|" * (len(headings) - 1)]
    for percent in percents(runs):
        found = [
            difference(runs, arm, others, percent, condition, score)
            for condition, score in itertools.product(CONDITIONS, SCORES)
        ]
        cells = ["" if one is None else f"{one.mean:+.3f} ± {one.error:.3f}" for one in found]
        lines.append(f"| {percent:g} % | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_markdown(
    runs: Sequence[Run], missing: Sequence[str], arm: str, rivals: Sequence[str], budget: str
) -> str:
    """The report. `arm` is held against its `rivals`; `missing` are lines on runs that are not done."""
    others = [name for name in rivals if name in arms(runs)]
    pictures = runs[0].measured["pictures"] if runs else 0
    parts = [
        "# Label efficiency",
        f"{len(runs)} runs, {budget} each; {pictures} test pictures. Each run speaks by its best checkpoint on the "
        "validation pictures, where a temperature and a chroma scale were fitted. Means over seeds ± standard error.",
    ]
    for condition in CONDITIONS:
        parts += [f"## Test pictures, {condition}", quality_table(runs, condition)]
    if others:
        parts += [
            f"## {arm} less the better of {', '.join(others)}",
            "Seed by seed, so that both have the same labeled pictures.",
            differences_table(runs, arm, others),
            f"## What grayscale photographs are worth: labels that do the same, by {SCORES[SCORE][0]}",
            worth_table(runs, arm, others),
        ]
    parts += [f"- {line}" for line in missing]
    return "\n\n".join(parts) + "\n"


def draw_curves(runs: Sequence[Run], path: pathlib.Path) -> None:
    """PNG: each score over the share of labels, a line an arm with its standard errors, clean above aged."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        len(CONDITIONS), len(SCORES), figsize=(12, 7), sharex=True, layout="constrained", squeeze=False
    )
    for (condition, score), axis in zip(itertools.product(CONDITIONS, SCORES), axes.flat, strict=True):
        for shift, arm in enumerate(arms(runs)):
            shares = [p for p in percents(runs) if scores(runs, arm, p, condition, score)]
            found = [estimate(list(scores(runs, arm, p, condition, score).values())) for p in shares]
            places = np.array(shares) * 1.03 ** (
                shift - 1
            )  # side by side, so that no error bar hides another
            axis.errorbar(
                places,
                [one.mean for one in found],
                [one.error for one in found],
                marker="o",
                capsize=3,
                label=arm,
            )
        axis.set_xscale("log")
        axis.set_xticks(percents(runs), [f"{p:g} %" for p in percents(runs)])
        axis.minorticks_off()
        axis.set_title(f"{SCORES[score][0]}, {condition}")
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("share of the photographs that have colours")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(arms(runs)))
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
