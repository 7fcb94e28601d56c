"""`python launch/plan.py`, as a user starts it."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def run(*flags: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name != "JAX_NUM_CPU_DEVICES"}
    command = [sys.executable, "launch/plan.py", *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500)


def test_prints_a_table_for_each_chip_and_advice(tiny_flags):
    labeled_only = ("--config.data.unlabeled_batch_size=0", "--config.consistency.weight=0")
    done = run(*tiny_flags, *labeled_only, "--devices=1,8", "--fsdp=1,2", "--chip=v5e,h100", "--per_device=1")
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if re.match(r"\| \d", line)]
    # devices, fsdp, batch: one device cannot share
    assert [row[:3] for row in rows] == [["1", "1", "1"], ["8", "1", "8"], ["8", "2", "8"]] * 2
    assert {len(row) for row in rows} == {12}
    assert [float(row[-1]) for row in rows][::3] == [1, 1]  # alone, nothing is lost
    assert all(0 < float(row[-1]) < 1 for row in rows[1:3])
    for chip in ("TPU v5e", "H100 SXM"):
        assert re.search(rf"^- 8 x {chip}: --config.mesh.fsdp=\d, the smallest that fits", done.stdout, re.M)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--config=configs/ssl_vit.py", "--chip=abacus"], "--chip=abacus is none of v5e, h100"),
        (
            ["--config=configs/ssl_vit.py", "--devices=4", "--fsdp=3"],
            "none of --fsdp=3 divides any of --devices=4",
        ),
    ],
)
def test_a_mistake_ends_in_one_line(flags, said):
    done = run(*flags)
    assert done.returncode == 2
    assert done.stderr.startswith(f"hybridvit: {said}")
    assert done.stderr.count("\n") == 1
