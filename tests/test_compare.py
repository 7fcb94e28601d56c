"""A real comparison of tiny systems: stopped in the middle and begun again, with one that cannot work."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from ml_collections import ConfigDict

from configs import compare as recipes
from hybridvit.comparison.run import compare
from hybridvit.comparison.runner import Runner
from hybridvit.measures.tables import METRICS

ROOT = pathlib.Path(__file__).parent.parent
STEPS = 40


@pytest.fixture(scope="module")
def build_config(build_tiny_config) -> Callable[[], ConfigDict]:
    """One system twice, so that the first, which is stopped, must end as the second does."""

    def build() -> ConfigDict:
        config = recipes.get_config("bundled")
        own = build_tiny_config()
        own.model.name = "UNet"  # little to trace, which is what takes the time here
        own.bins.weight = own.consistency.weight = own.degrade.labeled_probability = 0.0
        own.data.unlabeled_batch_size = 0
        broken = own.copy_and_resolve_references()
        broken.model.variant = "XXL"
        with config.unlocked():
            config.systems = {
                "a_stopped": own,
                "b_undisturbed": own.copy_and_resolve_references(),
                "c_broken": broken,
            }
        config.classical = ("rules",)
        config.data.image_size = config.eval.image_size = 16
        config.eval.grid_pictures = 2
        config.data.eval_limit = 3
        config.budget.images = STEPS * own.data.batch_size
        config.sheet_hints = 5
        return config

    return build


def stop_when_it_steps(workdir: pathlib.Path) -> None:
    log = workdir / "a_stopped" / "metrics.jsonl"
    while not log.exists() or not log.read_text():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def runs(build_config, tmp_path_factory):
    """The folder of a comparison and the exit codes of its two starts."""
    workdir = tmp_path_factory.mktemp("compare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_PLATFORMS", "cpu")
        threading.Thread(target=stop_when_it_steps, args=(workdir,), daemon=True).start()
        codes = [compare(build_config(), workdir)]
        stopped = json.loads((workdir / "a_stopped" / "outcome.json").read_text())
        partial = (workdir / "report.md").read_text()
        codes.append(compare(build_config(), workdir))
        yield SimpleNamespace(workdir=workdir, codes=codes, stopped=stopped, partial=partial)


def read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text())


def test_it_is_stopped_and_goes_on_to_the_same_end(runs):
    assert runs.codes == [130, 1]
    assert runs.stopped["status"] == "stopped"
    assert "a_stopped** has not come to its end" in runs.partial
    log = (runs.workdir / "a_stopped" / "log.txt").read_text()
    assert f"of {STEPS}." in log
    assert "Resuming at step" in log
    one, other = (runs.workdir / name for name in ("a_stopped", "b_undisturbed"))
    for file in ("evaluation/report.json", "evaluation-hinted/report.json", "metrics.jsonl", "budget.json"):
        assert (one / file).read_text() == (other / file).read_text(), file
    assert len((one / "metrics.jsonl").read_text().splitlines()) >= STEPS
    assert read(one / "outcome.json")["process_minutes"] > runs.stopped["process_minutes"]


def test_one_that_fails_does_not_take_the_others_with_it(runs):
    outcomes = {path.parent.name: read(path) for path in runs.workdir.glob("*/outcome.json")}
    assert {name: outcome["status"] for name, outcome in outcomes.items()} == {
        "a_stopped": "done",
        "b_undisturbed": "done",
        "c_broken": "failed",
        "rules": "done",
    }
    assert "XXL" in outcomes["c_broken"]["why"]
    for file in ("report.md", "report.html"):
        assert "XXL" in (runs.workdir / file).read_text()
    assert "Traceback" in (runs.workdir / "c_broken" / "log.txt").read_text()


def test_the_report_is_what_was_evaluated(runs):
    rows = {
        cells[0]: cells[1:]
        for line in (runs.workdir / "report.md").read_text().replace("**", "").splitlines()
        if line.startswith("|") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 10
    }
    assert "c_broken" not in rows
    for name in ("b_undisturbed", "rules"):
        systems = read(runs.workdir / name / "evaluation" / "report.json")["systems"]
        found = [float(rows[name][column]) for column in (3, 5, 6, 7)]
        assert found == pytest.approx([systems["model@0"][metric] for metric in METRICS], abs=0.051)
        assert float(rows[name][8]) == pytest.approx(systems["model@10"]["psnr"], abs=0.0051)
        assert float(rows["gray"][3]) == pytest.approx(systems["gray"]["psnr"], abs=0.0051)
    assert rows["rules"][:2] == ["", ""]
    assert all(float(cell) > 0 for cell in rows["b_undisturbed"][:3])


def test_what_is_done_is_not_done_again_and_a_changed_config_is_told(runs, build_config, capsys):
    config = build_config()
    with config.unlocked():
        del config.systems.c_broken
    before = {path: path.stat().st_mtime_ns for path in runs.workdir.glob("*/*.json*")}
    assert compare(config, runs.workdir) == 0
    assert capsys.readouterr().out.count("done before\n") == 3
    config.systems.b_undisturbed.optim.learning_rate = 0.5
    config.budget.images = 99
    assert compare(config, runs.workdir) == 0
    told = next(line for line in capsys.readouterr().out.splitlines() if "b_undisturbed" in line)
    assert f"budget.images: {8 * STEPS} -> 99" in told
    assert "config.optim.learning_rate: 0.0005 -> 0.5" in told
    assert f"delete {runs.workdir / 'b_undisturbed'}" in told
    assert before == {path: path.stat().st_mtime_ns for path in runs.workdir.glob("*/*.json*")}


@pytest.mark.parametrize(
    ("code", "said"),
    [(-9, "want of memory"), (-11, "by SIGSEGV"), (1, "with exit code 1"), (0, "with exit code 0")],
)
def test_how_a_process_died(build_config, code, said):
    runner = Runner(build_config())
    runner._process = SimpleNamespace(exitcode=code)
    assert said in runner._how_it_died()


@pytest.mark.parametrize(
    ("variant", "budget", "said"),
    [
        ("photos", {}, "--config.data.color_dir is empty"),
        ("bundled", {"minutes": 3.0}, "config.budget.images=1600 and config.budget.minutes=3.0"),
        ("bundled", {"images": 0}, "set one of them above 0"),
    ],
)
def test_what_no_system_could_work_with_is_said_before_any_starts(variant, budget, said, tmp_path):
    config = recipes.get_config(variant)
    config.budget.update(budget)
    with pytest.raises(ValueError, match=re.escape(said)):
        compare(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_mistake_in_the_command_is_one_line(tmp_path):
    flags = ("--config=configs/compare.py", "--config.budget.minuets=3", f"--workdir={tmp_path / 'run'}")
    command = [sys.executable, "-m", "hybridvit.compare", *flags]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("hybridvit: ")
    assert done.stderr.count("\n") == 1
    assert "did you mean 'minutes'" in done.stderr
