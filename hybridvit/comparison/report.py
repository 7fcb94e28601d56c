"""The report as tables and sentences, and as Markdown (`page` makes HTML of the same)."""

import math
from typing import NamedTuple

import numpy as np

from hybridvit.comparison.rows import ANCHOR, Results, Row
from hybridvit.measures.tables import TRUTH
from hybridvit.tasks.colorize import GRAY, TINT

SURE = 2.0  # standard errors beyond which a difference is called one


class Table(NamedTuple):
    """`rows` are (kind of the row, its cells); cells in `best` (row, column) are the best of the systems."""

    headings: tuple[str, ...]
    rows: list[tuple[str, tuple[str, ...]]]
    best: set[tuple[int, int]]


def quality_table(results: Results) -> Table:
    """Cost of one picture, quality without hints, and PSNR@N."""
    counts = sorted({count for row in results.rows for count in row.hinted})
    truth = next((row.quality["colorfulness"] for row in results.rows if row.name == TRUTH), 0.0)
    columns = (  # heading, value, format, key that the best is lowest in
        ("parameters M", lambda row: row.parameters and row.parameters / 1e6, "3", None),
        ("GFLOPs", lambda row: row.gflops, "3", None),
        ("ms / picture", lambda row: row.milliseconds, "3", None),
        ("PSNR dB", lambda row: row.quality.get("psnr"), ".2f", lambda x: -x),
        ("± dB", lambda row: row.quality.get("psnr_sem"), ".2f", None),
        ("SSIM", lambda row: row.quality.get("ssim"), ".3f", lambda x: -x),
        ("CIEDE2000", lambda row: row.quality.get("ciede2000"), ".2f", lambda x: x),
        ("colorfulness", lambda row: row.quality.get("colorfulness"), ".1f", lambda x: abs(x - truth)),
        *(
            (f"PSNR@{count}", lambda row, count=count: row.hinted.get(count), ".2f", lambda x: -x)
            for count in counts
        ),
    )
    values = [[value(row) for _, value, _, _ in columns] for row in results.rows]
    best = set()
    for column, (*_, key) in enumerate(columns):
        candidates = [
            i
            for i, row in enumerate(results.rows)
            if row.kind != ANCHOR and values[i][column] is not None and key
        ]
        if len(candidates) > 1:
            best.add((min(candidates, key=lambda i: key(values[i][column])), column + 1))
    rows = [
        (
            row.kind,
            (row.name, *(show(x, c[2]) for x, c in zip(line, columns, strict=True))),
        )
        for row, line in zip(results.rows, values, strict=True)
    ]
    return Table(("system", *(column[0] for column in columns)), rows, best)


def show(value: float | int | None, form: str) -> str:
    """A number as a format says, "3" being three digits that count; empty for None."""
    if value is None:
        return ""
    if form == "3":
        form = ",.0f" if value >= 100 else f".{2 - math.floor(math.log10(max(value, 1e-3)))}f"
    return f"{value:{form}}"


def budget_table(results: Results) -> Table:
    """What the budget came to for each network."""
    rows = [
        (
            row.kind,
            (
                row.name,
                f"{row.plan['steps']:,}",
                f"{row.plan['images']:,}",
                f"{row.plan['seconds_per_step']:.3f}" if row.plan["seconds_per_step"] else "",
                f"{row.process_minutes:.1f}",
            ),
        )
        for row in results.rows
        if row.plan
    ]
    headings = ("system", "steps", "pictures seen", "s of computing a step", "min of CPU, all told")
    return Table(headings, rows, set())


def findings(results: Results) -> list[str]:
    """What the numbers say, a sentence or two each."""
    said = []
    automatic = [row for row in results.rows if row.kind != ANCHOR and row.quality]
    gray = next((row for row in results.rows if row.name == GRAY), None)
    if automatic:
        best = automatic[0]
        said.append(f"Without hints {best.name} comes nearest to the truth, {best.quality['psnr']:.2f} dB.")
        if len(automatic) > 1:
            mean, error = paired_difference(best, automatic[1])
            noise = "" if is_sure(best, automatic[1]) else ", which is within the noise"
            said[0] += f" {automatic[1].name} follows {mean:.2f} ± {error:.2f} dB behind{noise}."
    if automatic and gray:
        below = [row.name for row in automatic if row.quality["psnr"] < gray.quality["psnr"]]
        above = [row for row in automatic if row.name not in below]
        sure = [row.name for row in above if is_sure(row, gray)]
        if sure:
            said.append(f"Surely above the gray picture in PSNR: {', '.join(sure)}.")
        unsure = [row.name for row in above if row.name not in sure]
        if unsure:
            said.append(f"Above the gray picture by less than {SURE:g} standard errors: {', '.join(unsure)}.")
        if below:
            said.append(
                f"Below the gray picture, so that no colour would have erred less: {', '.join(below)}."
            )
        truth = next(row for row in results.rows if row.name == TRUTH).quality["colorfulness"]
        nearest = min(automatic, key=lambda row: abs(row.quality["colorfulness"] - truth))
        said.append(
            f"Nearest to the photographs' own colorfulness ({truth:.1f}) is {nearest.name} "
            f"({nearest.quality['colorfulness']:.1f})."
        )
    for count in sorted({count for row in results.rows for count in row.hinted}):
        hinted = sorted(
            (row for row in results.rows if count in row.hinted), key=lambda row: -row.hinted[count]
        )
        ranks = ", ".join(f"{row.name} {row.hinted[count]:.2f}" for row in hinted[:3])
        said.append(f"With {count} {'hint' if count == 1 else 'hints'} the best are: {ranks} dB.")
    return said


def limits(results: Results) -> list[str]:
    """What the numbers do not say."""
    return [
        "PSNR rewards caution: where a colour may be one of several, their mean, which is grayish, errs least. Hence "
        f"the gray picture stands in the table, and “{TINT}”, the picture under its own mean colour, which has seen "
        "the truth and does not know what anything is. Look at colorfulness, and at the pictures.",
        f"The budget is the same, not the state of training: {results.budget}. The papers trained for days, on larger "
        "pictures, and a large network is still at its beginning here.",
        "Minutes are minutes on the machine below: what runs fast there need not do so elsewhere."
        if "minutes" in results.budget
        else "Pictures seen are equal, time is not: see the cost of a step.",
        f"± is the standard error over the {results.pictures} pictures, each system being trained once: another seed "
        "moves the numbers too.",
        "Parameters and GFLOPs are the generator's alone; GFLOPs are XLA's count for the compiled forward pass of one "
        f"picture of {results.image_size} px, a multiply-add being two, with the zeros that transposed convolutions "
        "insert; ms is the median of repeats of it, batch 1.",
        "Methods of transfer take their colours from the training picture whose gray thumbnail is most alike.",
    ]


def is_sure(better: Row, worse: Row) -> bool:
    """Whether the mean of the differences, picture by picture, is more than SURE of its standard errors."""
    mean, error = paired_difference(better, worse)
    return mean > SURE * error


def paired_difference(row: Row, other: Row) -> tuple[float, float]:
    """Mean and standard error of the difference in PSNR over the pictures that both have; nan without any."""
    common = sorted(row.pictures.keys() & other.pictures.keys())
    differences = np.array([row.pictures[name] - other.pictures[name] for name in common])
    if not len(differences):
        return float("nan"), float("nan")
    return float(differences.mean()), float(differences.std() / np.sqrt(len(differences)))


def write_markdown(results: Results, sheets: dict[str, str]) -> str:
    """The report; `sheets` are captions by file. While nothing is done, what is to be said of each system."""
    lines = [f"# {results.title}", ""]
    notes = [f"- **{name}** {said}" for _, name, said in results.notes]
    if not results.rows:
        return "\n".join([*lines, *notes, ""])
    lines += [f"{results.pictures} held-out pictures of {results.image_size} px; {results.budget}."]
    lines += ["", *_markdown_table(quality_table(results)), ""]
    lines += ["Bold: the best of the systems (in colorfulness: nearest to the truth's).", "", *notes]
    for file, caption in sheets.items():
        lines += ["", f"![{caption}]({file})", "", f"*{caption}*"]
    lines += ["", "## What the numbers say", "", *(f"- {line}" for line in findings(results))]
    lines += ["", "## What they do not say", "", *(f"- {line}" for line in limits(results))]
    lines += ["", "## What the budget came to", "", *_markdown_table(budget_table(results))]
    lines += ["", "## Made on", "", *(f"- {line}" for line in results.provenance), ""]
    return "\n".join(lines)


def _markdown_table(table: Table) -> list[str]:
    lines = [f"| {' | '.join(table.headings)} |", "|---|" + "--:|" * (len(table.headings) - 1)]
    for i, (_, cells) in enumerate(table.rows):
        shown = [f"**{cell}**" if (i, j) in table.best else cell for j, cell in enumerate(cells)]
        lines.append(f"| {' | '.join(shown)} |")
    return lines
