"""Two processes on one machine are one run: the curve of one process, one voice, one stop; one process can go on."""

import json
import pathlib
import signal
import socket
import time

import pytest


@pytest.fixture(scope="module")
def run(start, small_run_flags, tmp_path_factory) -> tuple[pathlib.Path, list[tuple[int, str]]]:
    """A run of two processes, told to stop and finished by one: its folder; exit codes and outputs of all three."""
    workdir = tmp_path_factory.mktemp("pair")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        together = (f"--coordinator=127.0.0.1:{probe.getsockname()[1]}", "--num_processes=2")
    command = (*small_run_flags, f"--workdir={workdir}")
    pair = [start(*command, *together, f"--process_id={i}") for i in range(2)]
    # The evaluation after step 12 is still theirs, and long enough to agree in where to stop
    while len(lines_of(workdir)) < 11:
        assert {process.poll() for process in pair} == {None}, [process.communicate() for process in pair]
        time.sleep(0.005)
    for process in pair:
        process.send_signal(signal.SIGTERM)
    ended = []
    for process in (*pair, None):
        process = process or start(*command)
        output, _ = process.communicate(timeout=150)
        ended.append((process.returncode, output))
    return workdir, ended


def lines_of(workdir: pathlib.Path) -> list[dict]:
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_the_curve_and_the_evaluation_are_those_of_one_process(run, small_run):
    ours, theirs = lines_of(run[0]), lines_of(small_run)
    assert len(ours) == len(theirs) == 26  # 24 steps and two evaluations
    for pair, single in zip(ours, theirs, strict=True):
        assert pair == pytest.approx(single, rel=1e-4, abs=1e-6)


def test_both_stop_when_told_and_one_goes_on(run):
    assert [code for code, _ in run[1]] == [75, 75, 0], run[1]  # told to stop, told to stop, finished
    for _, output in run[1]:
        assert "Traceback" not in output
    (_, first), _, (_, alone) = run[1]
    step = int(first.split("Stopped at step ")[1].split(",")[0])
    assert 12 <= step < 24
    assert f"Resuming at step {step} of 24" in alone


def test_the_first_process_speaks_for_both(run):
    (_, first), (_, second), _ = run[1]
    for said in ("Total:", "Stopped at step", "step/s"):
        assert said in first
        assert said not in second
