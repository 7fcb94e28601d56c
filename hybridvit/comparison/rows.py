"""From the folders of the systems to the rows of the report."""

import dataclasses
import json
from collections.abc import Mapping

from hybridvit.comparison.systems import System
from hybridvit.measures.tables import METRICS, TRUTH

ANCHOR, NETWORK, METHOD = "anchor", "network", "method"


@dataclasses.dataclass(frozen=True)
class Row:
    """One row; what a system does not have is None, or absent from the mappings."""

    name: str
    kind: str  # anchor: gray, one tint, truth; network; method
    quality: Mapping[str, float]  # METRICS and psnr_sem of automatic colouring; empty without that mode
    hinted: Mapping[int, float]  # PSNR by the number of hints
    pictures: Mapping[str, float]  # PSNR of automatic colouring by picture
    parameters: int | None = None
    gflops: float | None = None
    milliseconds: float | None = None
    plan: Mapping[str, float | int | None] | None = None
    process_minutes: float | None = None


@dataclasses.dataclass(frozen=True)
class Results:
    """All that the report is made of."""

    title: str
    budget: str  # in words
    pictures: int
    image_size: int
    rows: list[Row]  # by PSNR, best first; without automatic colouring after those, the truth last
    notes: list[
        tuple[str, str, str]
    ]  # "failed", "pending" or "changed"; a system's name; what is to be said of it
    provenance: list[str]  # machine, date and versions, one line each of a kind


def collect(
    title: str, budget: Mapping[str, float | int], outcomes: list[tuple[System, dict, list[str]]]
) -> Results:
    """The results of systems with their outcomes and what has changed since; also while some are still to come."""
    rows: list[Row] = []
    notes: list[tuple[str, str, str]] = []
    provenance: dict[str, None] = {}
    pictures, image_size = None, 0
    for system, outcome, changes in outcomes:
        if outcome["status"] == "failed":
            notes.append(("failed", system.name, f"failed: {outcome['why']}"))
        elif outcome["status"] != "done":
            notes.append(("pending", system.name, "has not come to its end."))
        if changes:
            said = f"was begun under another config, and goes by that: {'; '.join(changes)}"
            notes.append(("changed", system.name, said))
        if outcome["status"] != "done":
            continue
        report = json.loads((system.folder / "evaluation" / "report.json").read_text())
        measured_on = (report["image_size"], tuple(next(iter(report["per_picture_psnr"].values()))))
        if pictures is None:
            image_size, pictures = measured_on
            rows += [_anchor(name, report) for name in report["systems"] if not name.startswith("model")]
        if measured_on != (image_size, pictures):
            notes.append(
                ("failed", system.name, "was measured on other pictures, and is left out: delete its folder.")
            )
            continue
        rows.append(_system(system, outcome, report))
        provenance[f"{outcome['machine']}. {outcome['date']}. {outcome['versions']}."] = None
    rows.sort(key=lambda row: (row.name == TRUTH, not row.quality, -row.quality.get("psnr", 0.0)))
    words = (
        f"{budget['minutes']:g} minutes of computing in training a system"
        if budget["minutes"] > 0
        else f"{budget['images']:,} pictures seen in training a system"
    )
    return Results(title, words, len(pictures or ()), image_size, rows, notes, list(provenance))


def _anchor(name: str, report: dict) -> Row:
    quality = report["systems"][name]
    if name == TRUTH:
        quality = {"colorfulness": quality["colorfulness"]}
    return Row(name, ANCHOR, quality, {}, report["per_picture_psnr"].get(name, {}))


def _system(system: System, outcome: dict, report: dict) -> Row:
    by_count = {
        int(name.removeprefix("model@")): values
        for name, values in report["systems"].items()
        if name.startswith("model@")
    }
    return Row(
        system.name,
        METHOD if system.method else NETWORK,
        {name: by_count[0][name] for name in (*METRICS, "psnr_sem")} if 0 in by_count else {},
        {count: values["psnr"] for count, values in by_count.items() if count and outcome["takes_hints"]},
        report["per_picture_psnr"].get("model@0", {}),
        **outcome["cost"],
        plan=outcome["plan"],
        process_minutes=outcome["process_minutes"],
    )
