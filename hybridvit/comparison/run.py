"""Runs the systems of a comparison one after the other, and writes the report after each."""

import pathlib

from ml_collections import ConfigDict

from hybridvit.comparison.budget import check_budget
from hybridvit.comparison.label_report import save_labels
from hybridvit.comparison.rows import collect
from hybridvit.comparison.runner import Runner, read_outcome
from hybridvit.comparison.save import save_comparison
from hybridvit.comparison.systems import System, build_systems
from hybridvit.data.pipeline import make_eval_pictures

FAILED, STOPPED = 1, 130


def compare(config: ConfigDict, workdir: pathlib.Path) -> int:
    """Runs what is not done yet, prints a line a system, writes the report after each; returns the exit code.

    Raises ValueError or OSError, one line, for what no system could work with.
    """
    check_budget(config.budget)
    systems = build_systems(config, workdir)
    make_eval_pictures(
        systems[0].config.data, config.eval.image_size, config.eval.view
    )  # a wrong folder shall fail once, and now
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / "config.json").write_text(config.to_json(indent=2))
    print(f"{len(systems)} systems; each one's log: {workdir}/<system>/log.txt")
    width = max(len(system.name) for system in systems)
    outcomes = {system.name: read_outcome(system) for system in systems}
    with Runner(config).listening() as runner:
        for i, system in enumerate(systems, start=1):
            print(f"[{i}/{len(systems)}] {system.name:{width}}  ", end="", flush=True)
            before = outcomes[system.name]["status"]
            outcomes[system.name] = runner.run(system)
            save(config, systems, outcomes, runner, workdir)
            print(describe(system, outcomes[system.name], before, runner), flush=True)
            if runner.told:
                print("Stopped; the same command goes on from here.")
                return STOPPED
    files = ("report.md", "curves.png") if config.test else ("report.html", "report.md", "sheet.png")
    print("\n".join(f"{workdir / file}" for file in files))
    return FAILED if any(outcome["status"] == "failed" for outcome in outcomes.values()) else 0


def save(
    config: ConfigDict,
    systems: list[System],
    outcomes: dict[str, dict],
    runner: Runner,
    workdir: pathlib.Path,
) -> None:
    """The report of what there is by now."""
    if config.test:
        save_labels(config, systems, outcomes, workdir)
        return
    entries = [
        (system, outcomes[system.name], runner.changes(system, outcomes[system.name])) for system in systems
    ]
    results = collect(config.name, config.budget.to_dict(), entries)
    save_comparison(results, systems, config, workdir)


def describe(system: System, outcome: dict, before: str, runner: Runner) -> str:
    """What stands behind a system's name on stdout."""
    if outcome["status"] == "failed":
        return f"failed: {outcome['why']} (log: {system.folder / 'log.txt'})"
    if outcome["status"] != "done":
        return "stopped"
    plan = outcome["plan"]
    said = f"{plan['steps']:,} steps, {plan['images']:,} pictures" if plan else "nothing to train"
    if before == "done":
        said = "done before"
    changes = runner.changes(system, outcome)
    if changes:
        said += f", under another config ({'; '.join(changes)}): delete {system.folder} to run it anew"
    return said
