"""Writes the tables of measured numbers into the pages, from docs/results/*.json.

    python docs/tables.py            # writes them
    python docs/tables.py --check    # exit code 1 if a page is out of step

A page has a table's place between `<!-- table: NAME -->` and `<!-- end of table -->`. NAME is a file of docs/results:
`columns` (name; digits after the point, or significant ones; best: max or min, printed bold; signed), `rows`, and under
`measured` by which command, where and when. A cell is a text, a number, [mean, standard error], or null. Rows in
`unranked` are never best. `release_quality` and `realism` are written by the benchmarks of that name (`--json FILE`);
TABLES makes tables of them.
"""

import argparse
import json
import pathlib
import re
import sys
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"
PAGES = (
    "README.md",
    "docs/*.md",
    "docs/*/*.md",
    "tests/benchmarks/README.md",
    "hybridvit/pretrained/README.md",
)
PLACE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
HINTS = (0, 1, 10, 100)


def results(name: str) -> dict[str, Any]:
    """The file of docs/results with that name."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def table(data: dict[str, Any]) -> str:
    """Markdown of `columns` and `rows`, without a newline at its end."""
    columns, rows, unranked = data["columns"], data["rows"], set(data.get("unranked", ()))
    numeric = [any(isinstance(row[i], int | float | list) for row in rows) for i in range(len(columns))]
    lines = [[column["name"] for column in columns], ["--:" if number else "---" for number in numeric]]
    best = {}
    for i, column in enumerate(columns):
        if "best" in column:
            values = [number_of(row[i]) for row in rows if row[i] is not None and row[0] not in unranked]
            best[i] = f"{(max if column['best'] == 'max' else min)(values):.{column['digits']}f}"
    for row in rows:
        cells = [cell(value, column) for value, column in zip(row, columns, strict=True)]
        for i, value in best.items():
            ranked = row[i] is not None and row[0] not in unranked
            if ranked and f"{number_of(row[i]):.{columns[i]['digits']}f}" == value:
                cells[i] = f"**{cells[i]}**"
        lines.append(cells)
    ruler = "|" + "|".join(lines[1]) + "|"
    text = ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join(re.sub(r" +", " ", line) for line in [text[0], ruler, *text[2:]])


def number_of(value: float | list[float]) -> float:
    """The mean, of a mean with its standard error."""
    return value[0] if isinstance(value, list) else value


def cell(value: Any, column: dict[str, Any]) -> str:
    """One number or text as it is printed."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return f"{cell(value[0], column)} ± {value[1]:.{column['digits']}f}"
    if "significant" in column:
        return f"{value:#.{column['significant']}g}"
    return f"{value:{'+' if column.get('signed') else ''},.{column['digits']}f}"


def hints_table() -> str:
    """PSNR of the released weights by number of hints, beside what else there is."""
    ours, before, levin = map(results, ("release_quality", "release_quality-0.1", "release_quality-levin"))
    rows = [
        ["gray", ours["scores"]["gray"]["psnr"], None, None, None],
        ["Levin et al. 2004", *_psnr_by_hints(levin)],
        ["hybridvit 0.1 (XS, from nothing)", *_psnr_by_hints(before)],
        ["**hybridvit**", *_psnr_by_hints(ours)],
    ]
    counts = [{"name": str(count), "digits": 2, "best": "max"} for count in HINTS]
    return table({"columns": [{"name": "hints, PSNR dB"}, *counts], "rows": rows})


def _psnr_by_hints(measured: dict[str, Any]) -> list[float | None]:
    return [measured["scores"].get(f"mean, {count} hints", {}).get("psnr") for count in HINTS]


def scores_table() -> str:
    """The other scores of the released weights by number of hints."""
    scores = results("release_quality")["scores"]
    rows = [
        [f"{name} of the mean", *(scores[f"mean, {count} hints"][key] for count in HINTS)]
        for name, key in (("CIEDE2000", "ciede2000"), ("colorfulness", "colorfulness"))
    ]
    rows[1][0] += f" (truth {scores['truth']['colorfulness']:.1f})"
    lines = [
        table(
            {"columns": [{"name": "hints"}, *({"name": str(n), "digits": d} for n in HINTS)], "rows": [row]}
        )
        for row, d in zip(rows, (2, 1), strict=True)
    ]
    return lines[0] + "\n" + lines[1].splitlines()[-1]


def automatic_table() -> str:
    """CIEDE2000 and colorfulness without hints."""
    ours, before = results("release_quality"), results("release_quality-0.1")
    named = [
        ("gray", ours, "gray"),
        ("`--decode mean`", ours, "mean, 0 hints"),
        ("`--decode vivid` (what `colorize` does)", ours, "vivid, 0 hints"),
        ("the same of 0.1", before, "vivid, 0 hints"),
    ]
    rows = []
    for name, measured, key in named:
        scores = measured["scores"][key]
        vivid = scores["colorfulness"] / ours["scores"]["truth"]["colorfulness"]
        rows.append([name, scores["psnr"], scores["ciede2000"], vivid])
    columns = [
        {"name": "without hints"},
        {"name": "PSNR dB", "digits": 2},
        {"name": "CIEDE2000", "digits": 2},
        {"name": "colorfulness / truth's", "digits": 2},
    ]
    return table({"columns": columns, "rows": rows})


def realism_table() -> str:
    """What a classifier makes of the colours."""
    measured = results("realism")
    rows = [
        [name, row["colorfulness_ratio"], row["ciede2000"], row["top1"], row["fed"]]
        for name, row in measured["scores"].items()
    ]
    truth = measured["truth_colorfulness"]
    names = (f"colorfulness / truth's {truth:.1f}", "CIEDE2000", "top1", "fed")
    columns = [{"name": name, "digits": digits} for name, digits in zip(names, (2, 2, 3, 2), strict=True)]
    return table({"columns": [{"name": f"{measured['photographs']} photographs"}, *columns], "rows": rows})


def gain_table() -> str:
    """What grayscale photographs add in each score of the study of labels, by share."""
    study = results("label_efficiency")
    scores = [column for column in study["columns"] if column["name"] not in ("labels", "arm", "seeds")]
    columns = [{"name": "labels"}, *({**column, "digits": 3, "signed": True} for column in scores)]
    rows = [
        [share, *(gain for condition in gains.values() for gain in condition.values())]
        for share, gains in study["gain"].items()
    ]
    return table({"columns": columns, "rows": rows})


def worth_table() -> str:
    """How many times the labels grayscale photographs make of them, by share."""
    study = results("label_efficiency")
    seeds = [str(seed) for seed in study["seeds"]]
    rows = [
        [share, _times(found["worth"])]
        + [_times(found["by_seed"][seed]) if seed in found["by_seed"] else "" for seed in seeds]
        + [_times(one) for one in found["by_condition"].values()]
        for share, found in study["worth"].items()
    ]
    aged = next(iter(study["worth"].values()))["by_condition"]
    columns = [{"name": name} for name in ("labels", "worth", *(f"seed {seed}" for seed in seeds), *aged)]
    return table({"columns": columns, "rows": rows})


def _times(value: float | None) -> str:
    """None is beyond all labels."""
    return "more than all" if value is None else f"{value:.2f}x"


TABLES: dict[str, Callable[[], str]] = {
    "label_efficiency-gain": gain_table,
    "label_efficiency-worth": worth_table,
    "release_quality-hints": hints_table,
    "release_quality-scores": scores_table,
    "release_quality-automatic": automatic_table,
    "realism": realism_table,
}


def written(page: str) -> str:
    """The page's text with its tables as the results have them."""

    def replaced(place: re.Match) -> str:
        name = place[2]
        return f"{place[1]}{TABLES[name]() if name in TABLES else table(results(name))}\n{place[3]}"

    return PLACE.sub(replaced, page)


def main() -> None:
    """Writes or checks all pages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing, name the pages that are out of step"
    )
    arguments = parser.parse_args()
    stale = 0
    for path in sorted(path for pattern in PAGES for path in ROOT.glob(pattern)):
        text = path.read_text()
        if (new := written(text)) != text:
            stale += 1
            print(f"{'out of step' if arguments.check else 'written'}: {path.relative_to(ROOT)}")
            if not arguments.check:
                path.write_text(new)
    sys.exit(1 if stale and arguments.check else 0)


if __name__ == "__main__":
    main()
