"""A run that is killed anywhere and started again is the same run, bit for bit."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import jax
import numpy as np
import pytest

from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.train import start_state, train
from hybridvit.training.state import abstract_state, build_networks


def lines_of(workdir: pathlib.Path) -> list[str]:
    path = workdir / "metrics.jsonl"
    return [line for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


def last_step(workdir: pathlib.Path) -> int:
    return max((json.loads(line)["step"] for line in lines_of(workdir)), default=0)


def checkpoints_of(workdir: pathlib.Path) -> set[str]:
    """Folder names: steps, and with Orbax's suffix those being written."""
    return {path.name for path in workdir.glob("checkpoints/*")}


def signal_when(process: subprocess.Popen, condition: Callable[[], bool], number: int) -> str:
    """Signals the process, or for SIGTERM all of its session, when the condition holds; returns its output."""
    for _ in range(100_000):
        if condition():
            process.send_signal(signal.SIGSTOP)
            if condition():  # it may have gone on before it was stopped
                (os.killpg if number == signal.SIGTERM else os.kill)(process.pid, number)
                process.send_signal(signal.SIGCONT)
                return process.communicate(timeout=60)[0]  # ends when the last process with this output has
            process.send_signal(signal.SIGCONT)
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.002)
    raise TimeoutError(process.args)


@pytest.fixture(scope="module")
def disturbed_run(start, small_run_flags, tmp_path_factory) -> tuple[pathlib.Path, list[str]]:
    """The work folder of a run killed three times and told to stop once, and the outputs of its five starts."""
    workdir = tmp_path_factory.mktemp("disturbed")
    command = (*small_run_flags, f"--workdir={workdir}")
    outputs = []

    def disturb(number: int, condition: Callable[[], bool], *flags: str) -> None:
        process = start(*command, *flags)
        outputs.append(signal_when(process, condition, number))
        assert process.returncode == (75 if number == signal.SIGTERM else -number), outputs[-1]

    def saved(name: str) -> bool:
        return name in checkpoints_of(workdir)

    # After some steps, before the first checkpoint
    disturb(signal.SIGKILL, lambda: last_step(workdir) >= 2 and not checkpoints_of(workdir))
    # Some steps after a checkpoint
    disturb(signal.SIGKILL, lambda: saved("8") and last_step(workdir) > 8)
    # While a checkpoint is being written; the batches come from a worker process
    workers = "--config.data.num_workers=1"
    disturb(signal.SIGKILL, lambda: saved("16.orbax-checkpoint-tmp"), workers)
    assert not saved("16")
    # A scheduler's notice to all processes, after step 9, which comes again
    disturb(signal.SIGTERM, lambda: 8 < last_step(workdir) < 16, workers)
    process = start(*command)
    outputs.append(process.communicate(timeout=100)[0])
    assert process.returncode == 0, outputs[-1]
    return workdir, outputs


def test_every_array_is_bit_identical(small_run, disturbed_run, tiny_config):
    networks = build_networks(tiny_config)
    abstract = abstract_state(networks, build_mesh(1, jax.devices()[:1]))
    states = []
    for workdir in (small_run, disturbed_run[0]):
        with Checkpoints(workdir / "checkpoints") as checkpoints:
            state, _ = checkpoints.restore(24, abstract)
            states.append(jax.tree_util.tree_leaves_with_path(state))
    assert len(states[0]) > 100
    for (path, undisturbed), (_, disturbed) in zip(*states, strict=True):
        assert undisturbed.dtype == disturbed.dtype
        assert np.asarray(undisturbed).tobytes() == np.asarray(disturbed).tobytes(), jax.tree_util.keystr(
            path
        )


def test_each_step_is_logged_once_with_the_same_values(small_run, disturbed_run):
    assert lines_of(disturbed_run[0]) == lines_of(small_run)
    assert [s for s in map(json.loads, lines_of(small_run)) if "loss" in s][-1]["step"] == 24


def test_the_reports_are_equal(small_run, disturbed_run):
    one, other = (workdir / "evaluation" / "report.json" for workdir in (small_run, disturbed_run[0]))
    assert one.read_text() == other.read_text()


def test_what_the_starts_say(disturbed_run):
    workdir, outputs = disturbed_run
    assert "Resuming" not in outputs[0]
    assert "Resuming" not in outputs[1]  # nothing had been saved
    assert "Resuming at step 8 of 24" in outputs[2]
    assert "Resuming at step 8 of 24" in outputs[3]
    stopped = next(line for line in outputs[3].splitlines() if "Stopped at step" in line)
    step = int(stopped.split("Stopped at step ")[1].split(",")[0])
    assert f"saved in {workdir}; the same command goes on from there" in stopped
    assert f"Resuming at step {step} of 24" in outputs[4]
    assert re.search(r"\| model +\|", outputs[4])
    assert "config.data.num_workers: 1 -> 0" in outputs[4]
    for output in outputs:
        assert "Traceback" not in output


def test_nothing_half_written_remains(small_run, disturbed_run):
    for workdir in (small_run, disturbed_run[0]):
        assert {"16", "24"} <= checkpoints_of(workdir)
        assert not [name for name in checkpoints_of(workdir) if not name.isdigit()]


@pytest.fixture
def finished(tiny_run, tmp_path) -> pathlib.Path:
    """A copy of a finished run, to be changed."""
    shutil.copytree(tiny_run, tmp_path / "run")
    return tmp_path / "run"


def test_a_finished_run_is_only_evaluated_again(finished, tiny_run, tiny_config, capsys):
    (finished / "evaluation" / "report.json").unlink()
    train(tiny_config, finished)
    said = capsys.readouterr()
    assert "Resuming at step 6 of 6" in said.out
    assert re.search(r"\| model +\|", said.out)
    assert "has changed" not in said.out + said.err
    assert lines_of(finished) == lines_of(tiny_run)
    assert checkpoints_of(finished) == checkpoints_of(tiny_run)
    reports = [(folder / "evaluation" / "report.json").read_text() for folder in (finished, tiny_run)]
    assert reports[0] == reports[1]


def test_a_changed_field_is_told(finished, tiny_config, caplog):
    tiny_config.optim.clip_norm = 3.0
    tiny_config.train.keep_last = 3
    with caplog.at_level("WARNING"):
        train(tiny_config, finished)
    assert "config.optim.clip_norm: 1.0 -> 3.0; config.train.keep_last: 2 -> 3" in caplog.text


def test_another_model_in_the_same_folder_is_an_error_of_one_line(finished, tiny_config):
    tiny_config.model.variant = "Ti"
    with pytest.raises(ValueError, match="is of another model or optimizer") as error:
        train(tiny_config, finished)
    assert "\n" not in str(error.value)
    assert str(finished) in str(error.value)


def test_init_from_starts_a_new_run_from_the_ema_weights(tiny_run, tiny_config, tmp_path, capsys):
    tiny_config.init_from = str(tiny_run)
    networks, mesh = build_networks(tiny_config), build_mesh(1)
    abstract = abstract_state(networks, mesh)
    with Checkpoints(tiny_run / "checkpoints") as source:
        saved, _ = source.restore(6, abstract)
    with Checkpoints(tmp_path / "checkpoints", keep_last=1) as checkpoints:
        state = start_state(tiny_config, networks, mesh, abstract, checkpoints)
    assert f"EMA weights of {tiny_run} at step 6" in capsys.readouterr().out
    jax.tree.map(np.testing.assert_array_equal, state.params, saved.ema)
    jax.tree.map(np.testing.assert_array_equal, state.ema, saved.ema)
    np.testing.assert_array_equal(state.bin_prior, saved.bin_prior)
    assert int(state.step) == 0
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(state.opt_state))

    train(tiny_config, tmp_path / "run")  # nothing is lost by donating arrays that are in two places
    first, _ = (json.loads(lines_of(folder)[0]) for folder in (tmp_path / "run", tiny_run))
    assert first["step"] == 1
    train(tiny_config, tmp_path / "run")
    assert "Resuming at step 6 of 6" in capsys.readouterr().out  # and not from the weights once more
