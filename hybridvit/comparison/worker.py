"""One system in a process of its own: its budget, its run, its evaluation, its cost.

What came of it stands in its folder, beside what `train` and `evaluate` leave there:

    budget.json          number of steps, and how it was found
    evaluation/          without hints and by the PSNR@N protocol
    evaluation-hinted/   with `config.sheet_hints` hints, for the second picture sheet
    labels.json          of a study of labels (`config.test`), instead: what `label_measures` says
    outcome.json         how it ended: "done", "stopped" or "failed" and why; cost, machine, versions
    log.txt              all that it printed
"""

import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import math
import multiprocessing
import os
import pathlib
import platform
import signal
import sys
import threading
import time
import traceback

import jax
from absl import logging
from ml_collections import ConfigDict

from hybridvit.comparison.budget import Plan, fit_schedule, plan_budget
from hybridvit.comparison.cost import Cost, measure_cost
from hybridvit.comparison.label_measures import measure_labels
from hybridvit.comparison.label_runs import MEASURED
from hybridvit.comparison.methods import evaluate_method, measure_method, usable_counts
from hybridvit.evaluate import evaluate_checkpoint, save_report
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.compilation import enable_compilation_cache
from hybridvit.train import PACKAGES, DivergedError, train
from hybridvit.training.validate import check_config
from hybridvit.version import VERSION

OUTCOME = "outcome.json"
EXPECTED = (ValueError, OSError, ImportError, DivergedError)  # they say in one line what to mend


def work(method: str, fields: dict, settings: dict, folder: str, minutes_before: float) -> None:
    """Runs the config of `fields`, or evaluates `method`, in `folder`, as the target of a process.

    `settings` is what the comparison says beside these (`runner.settings_of`). `minutes_before` of CPU time were spent
    on it by earlier starts.
    """
    _belong_to_the_parent()
    path = pathlib.Path(folder)
    log = os.open(path / "log.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.set_verbosity(logging.WARNING)
    config = ConfigDict(fields)
    record = {"config": fields} | settings
    try:
        check_config(config)
        enable_compilation_cache(config.runtime.compilation_cache)
        found = (
            _evaluate(method, config, settings["sheet_hints"], path)
            if method
            else _train(config, settings, path)
        )
    except Exception as error:  # the others go on
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        why = lines[0] if isinstance(error, EXPECTED) else f"{type(error).__name__}: {lines[0]}"
        found = {"status": "failed", "why": why}
    sys.stdout.flush()
    temporary = path / "outcome.tmp"
    minutes = minutes_before + time.process_time() / 60
    temporary.write_text(json.dumps(found | {"process_minutes": minutes, "record": record}, indent=1))
    temporary.replace(path / OUTCOME)


def _train(config: ConfigDict, settings: dict, folder: pathlib.Path) -> dict:
    plan = plan_budget(config, settings["budget"], folder)
    print(f"{datetime.datetime.now():%Y-%m-%d %H:%M} {plan}")
    fitted = fit_schedule(config, plan.steps)
    test = settings.get("test")
    if test:
        fitted.train.eval_every = fitted.train.checkpoint_every = math.ceil(plan.steps / test["evaluations"])
    train(fitted, folder)
    with Checkpoints(folder / "checkpoints") as checkpoints:
        if (checkpoints.latest_step or 0) < plan.steps:
            return {"status": "stopped"}
    if test:
        measured = measure_labels(fitted, ConfigDict(test), folder)
        (folder / MEASURED).write_text(json.dumps(measured, indent=1))
    elif config.model.hints:
        hinted = fitted.copy_and_resolve_references()
        hinted.eval.hint_counts = (settings["sheet_hints"],)
        evaluate_checkpoint(str(folder), hinted, str(folder / "evaluation-hinted"))
    return _done(measure_cost(config), plan, config.model.hints)


def _evaluate(method: str, config: ConfigDict, sheet_hints: int, folder: pathlib.Path) -> dict:
    counts = usable_counts(method, config.eval.hint_counts)
    save_report(folder / "evaluation", *evaluate_method(method, config, counts))
    save_report(folder / "evaluation-hinted", *evaluate_method(method, config, (sheet_hints,)))
    return _done(measure_method(method, config, sheet_hints), None, True)


def _done(cost: Cost, plan: Plan | None, takes_hints: bool) -> dict:
    """The outcome of a system that came to its end."""
    return {
        "status": "done",
        "cost": dataclasses.asdict(cost),
        "plan": plan and dataclasses.asdict(plan),
        "takes_hints": takes_hints,
        "date": f"{datetime.date.today():%Y-%m-%d}",
        "machine": describe_machine(),
        "versions": describe_versions(),
    }


def describe_machine() -> str:
    """Processor, its cores, system, and what JAX computes on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):  # Linux names the processor here only
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    devices = jax.devices()
    return f"{model}, {os.cpu_count()} cores, {platform.system()}; JAX on {len(devices)} x {devices[0].device_kind}"


def describe_versions() -> str:
    """Of Python, this package and what it computes with."""
    others = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return f"hybridvit {VERSION}, Python {platform.python_version()}, {others}"


def _belong_to_the_parent() -> None:
    """Signals of the terminal go to the parent alone, which passes on what is meant; when it dies, this one stops."""
    os.setpgid(0, 0)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, daemon=True).start()
