"""Two processes on one machine are one run: the curve and the report of one process, one voice, one stop."""

import json
import pathlib
import signal
import socket
import subprocess
import time

import pytest


@pytest.fixture(scope="module")
def pairs(start, small_run_flags, tmp_path_factory) -> tuple[pathlib.Path, list[list[tuple[int, str]]]]:
    """The work folder of a run of two processes, told to stop and started again; exit codes and outputs of both."""
    workdir = tmp_path_factory.mktemp("pair")

    def start_pair() -> list[subprocess.Popen]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            flags = (f"--coordinator=127.0.0.1:{probe.getsockname()[1]}", "--num_processes=2")
        command = (*small_run_flags, f"--workdir={workdir}", *flags)
        return [start(*command, f"--process_id={i}") for i in range(2)]

    def finish(pair: list[subprocess.Popen]) -> list[tuple[int, str]]:
        outputs = [process.communicate(timeout=150)[0] for process in pair]
        return [(process.returncode, output) for process, output in zip(pair, outputs, strict=True)]

    first = start_pair()
    while len(lines_of(workdir)) < 9:
        assert {process.poll() for process in first} == {None}, finish(first)
        time.sleep(0.01)
    for process in first:
        process.send_signal(signal.SIGTERM)
    return workdir, [finish(first), finish(start_pair())]


def lines_of(workdir: pathlib.Path) -> list[dict]:
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def test_the_curve_is_that_of_one_process(pairs, small_run):
    ours, theirs = lines_of(pairs[0]), lines_of(small_run)
    assert len(ours) == len(theirs) == 26  # 24 steps and two evaluations
    for pair, single in zip(ours, theirs, strict=True):
        assert pair == pytest.approx(single, rel=1e-4, abs=1e-6)


def test_the_report_is_that_of_one_process(pairs, small_run):
    ours, theirs = (
        json.loads((run / "evaluation" / "report.json").read_text()) for run in (pairs[0], small_run)
    )
    assert ours["systems"].keys() == theirs["systems"].keys()
    for system, values in theirs["systems"].items():
        assert ours["systems"][system] == pytest.approx(values, rel=1e-3)


def test_both_stop_when_told_and_go_on_when_started_again(pairs):
    stopped, finished = pairs[1]
    for code, output in (*stopped, *finished):
        assert code == 0, output
        assert "Traceback" not in output
    step = int(stopped[0][1].split("Stopped at step ")[1].split(",")[0])
    assert 9 <= step < 24
    assert f"Resuming at step {step} of 24" in finished[0][1]


def test_the_first_process_speaks_for_both(pairs):
    for (_, first), (_, second) in pairs[1]:
        assert "Total:" in first
        assert "Total:" not in second
        for said in ("Stopped at step", "Resuming", "| model |", "step/s"):
            assert said not in second
