"""Several processes on one machine are one run: the curve of one process, one voice, one stop and one end."""

import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import jax
import numpy as np
import pytest

from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import abstract_state, build_networks

MINUTE = 60  # within which the others notice that one is gone


@pytest.fixture(scope="module")
def start_together(start) -> Callable[..., list[subprocess.Popen]]:
    """`start_together(count, *flags)` starts so many processes of two devices each."""

    def start_together(count: int, *flags: str) -> list[subprocess.Popen]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            together = (f"--coordinator=127.0.0.1:{probe.getsockname()[1]}", f"--num_processes={count}")
        return [start(*flags, *together, f"--process_id={i}", devices=2) for i in range(count)]

    return start_together


def wait_for(step: int, workdir: pathlib.Path, processes: list[subprocess.Popen]) -> None:
    while not any(line["step"] >= step for line in lines_of(workdir)):
        if any(process.poll() is not None for process in processes):
            pytest.fail("\n".join(process.communicate(timeout=2 * MINUTE)[0] for process in processes))
        time.sleep(0.01)


def lines_of(workdir: pathlib.Path) -> list[dict]:
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


@pytest.fixture(scope="module")
def pair(
    start, start_together, small_run_flags, tmp_path_factory
) -> tuple[pathlib.Path, list[tuple[int, str]]]:
    """A run of two processes, told to stop and finished by one: its folder; exit codes and outputs of all three."""
    workdir = tmp_path_factory.mktemp("pair")
    command = (*small_run_flags, "--config.eval.batch_size=4", f"--workdir={workdir}")
    processes = start_together(2, *command)
    wait_for(4, workdir, processes)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    ended = []
    for process in (*processes, None):
        process = process or start(*command)
        output, _ = process.communicate(timeout=150)
        ended.append((process.returncode, output))
    return workdir, ended


def test_the_curve_and_the_evaluation_are_those_of_one_process(pair, small_run):
    check_same_curve(pair[0], small_run)


def check_same_curve(workdir: pathlib.Path, small_run: pathlib.Path) -> None:
    ours, theirs = lines_of(workdir), lines_of(small_run)
    assert len(ours) == len(theirs) == 26  # 24 steps and two evaluations
    for several, single in zip(ours, theirs, strict=True):
        assert several == pytest.approx(single, rel=1e-4, abs=1e-6)


def test_both_stop_when_told_and_one_goes_on(pair):
    assert [code for code, _ in pair[1]] == [75, 75, 0], pair[1]  # told to stop, told to stop, finished
    for _, output in pair[1]:
        assert "Traceback" not in output
        assert "before its time" not in output
    (_, first), _, (_, alone) = pair[1]
    step = int(first.split("Stopped at step ")[1].split(",")[0])
    assert 4 <= step < 24
    assert f"Resuming at step {step} of 24" in alone


def test_the_first_process_speaks_for_both(pair):
    (_, first), (_, second), _ = pair[1]
    for said in ("whole config", "Stopped at step", "step/s"):
        assert said in first
        assert said not in second


@pytest.fixture(scope="module")
def four(start_together, small_quick_run, small_quick_run_flags, tmp_path_factory) -> dict:
    """A run of one process that four go on with from step 16, until one of them is killed; then four again."""
    workdir = tmp_path_factory.mktemp("four") / "run"
    shutil.copytree(small_quick_run, workdir)
    shutil.rmtree(workdir / "checkpoints" / "24")
    lines = [line for line in lines_of(workdir) if line["step"] <= 16]
    (workdir / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    changes = ("--config.eval.batch_size=8", "--config.train.checkpoint_every=2")
    command = (*small_quick_run_flags, *changes, f"--workdir={workdir}")
    processes = start_together(4, *command)
    wait_for(16, workdir, processes)
    while (
        max(line["step"] for line in lines_of(workdir)) == 24
    ):  # those of the one process are not yet dropped
        time.sleep(0.01)
    wait_for(20, workdir, processes)
    processes[2].kill()
    killed = time.monotonic()
    outputs = [process.communicate(timeout=2 * MINUTE)[0] for process in processes]
    seconds = time.monotonic() - killed
    before = lines_of(workdir)
    codes = [process.returncode for process in processes]
    again = start_together(4, *command)
    finished = [(process.communicate(timeout=200)[0], process.returncode) for process in again]
    return {
        "workdir": workdir,
        "outputs": outputs,
        "codes": codes,
        "seconds": seconds,
        "before": before,
        "finished": finished,
    }


def test_when_one_is_killed_the_others_end_within_a_minute_and_say_so(four):
    assert four["seconds"] < MINUTE
    assert four["codes"][2] == -signal.SIGKILL
    for i in (0, 1, 3):
        assert four["codes"][i] != 0
        last = four["outputs"][i].splitlines()[-1]
        assert last.startswith(f"hybridvit: process {i} of 4 "), four["outputs"][i]
        assert last.endswith("start all of them again, and the run goes on from its last checkpoint")


def test_started_again_they_do_the_lost_steps_with_the_same_numbers(four):
    for output, code in four["finished"]:
        assert code == 0, output
    said = four["finished"][0][0]
    resumed = int(said.split("Resuming at step ")[1].split(" ")[0])
    assert 16 < resumed <= max(line["step"] for line in four["before"])
    after = lines_of(four["workdir"])
    assert (
        four["before"] == after[: len(four["before"])]
    )  # to the last digit, those after the checkpoint done twice


def test_four_go_on_from_the_checkpoint_of_one_as_one_does(four, small_quick_run):
    assert "Resuming at step 16 of 24" in four["outputs"][0]
    check_same_curve(four["workdir"], small_quick_run)


def test_one_restores_the_checkpoint_of_four(four, small_quick_run, quick_config):
    abstract = abstract_state(build_networks(quick_config), build_mesh(1, jax.devices()[:1]))
    states = []
    for workdir in (four["workdir"], small_quick_run):
        with Checkpoints(workdir / "checkpoints") as checkpoints:
            states.append(checkpoints.restore(24, abstract)[0])
    for ours, theirs in zip(*(jax.tree.leaves(state.ema) for state in states), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-4)
