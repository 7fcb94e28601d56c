"""A run killed at random times and started again each time is the run that was left alone, bit for bit.

    python -m tests.benchmarks.kill_resume                  20 kills of one process
    python -m tests.benchmarks.kill_resume --processes 2    one of the two is killed, and the other ends by itself

Times are drawn evenly between the start and some steps past the first checkpoint that a start can reach, so that some
hit the reading, some the compiling, some a save. Prints each kill, and whether every array of the last checkpoint (by
its digest), every logged number and the report are equal to those of the undisturbed run; exits with 1 if not.
"""

import argparse
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time

STEPS, SAVED_EVERY = 200, 5
FLAGS = {
    "data.image_size": 32,
    "data.batch_size": 8,
    "data.unlabeled_batch_size": 8,
    "data.eval_limit": 3,
    "model.variant": "test",
    "hints.max_count": 16,
    "hints.cell_sizes": "1,2",
    "optim.warmup_steps": 2,
    "train.steps": STEPS,
    "train.log_every": 1,
    "train.eval_every": 50,
    "train.checkpoint_every": SAVED_EVERY,
    "eval.image_size": 32,
    "eval.batch_size": 8,
    "eval.hint_counts": "0,5",
}


def main() -> None:
    """Runs both, and compares them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.kill_resume", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=20, help="(%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="of the run, two devices each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the times (%(default)s)")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="hybridvit-kill-") as folder:
        alone, disturbed = pathlib.Path(folder, "alone"), pathlib.Path(folder, "disturbed")
        began = time.monotonic()
        finish(alone, start(alone, options.processes))
        started = time.monotonic()
        processes = start(disturbed, options.processes)
        while last_step(disturbed) < SAVED_EVERY:
            time.sleep(0.05)
        reach = 1.5 * (time.monotonic() - started)
        print(f"undisturbed: {started - began:.0f} s; kills within {reach:.0f} s of each start")
        for kill in range(1, options.kills + 1):
            moment = started + chance.uniform(0, reach) if kill > 1 else time.monotonic()
            while time.monotonic() < moment and all(process.poll() is None for process in processes):
                time.sleep(0.01)
            victim = chance.choice(processes)
            victim.kill()
            killed = time.monotonic()
            for process in processes:
                process.wait()
            left = sorted(path.name for path in (disturbed / "checkpoints").glob("*"))
            print(
                f"kill {kill}: after {killed - started:.1f} s, at step {last_step(disturbed)}, checkpoints {left}, "
                f"all gone {time.monotonic() - killed:.1f} s later",
                flush=True,
            )
            started = time.monotonic()
            processes = start(disturbed, options.processes)
        finish(disturbed, processes)
        same = {name: content(alone, name) == content(disturbed, name) for name in FILES}
    print("; ".join(f"{name}: {'equal' if equal else 'DIFFERENT'}" for name, equal in same.items()))
    sys.exit(not all(same.values()))


FILES = (f"checkpoints/{STEPS}/digests/data.json", "metrics.jsonl", "evaluation/report.json")


def content(workdir: pathlib.Path, name: str) -> object:
    """Of the digests those of the arrays, else all of a file."""
    text = (workdir / name).read_text()
    return json.loads(text)["arrays"] if "digests" in name else text


def last_step(workdir: pathlib.Path) -> int:
    """The last that was logged."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("}")), default=0)


def start(workdir: pathlib.Path, processes: int) -> list[subprocess.Popen]:
    """The run, from where it stands."""
    flags = [f"--config.{name}={value}" for name, value in FLAGS.items()]
    command = [
        sys.executable,
        "-m",
        "hybridvit.main",
        "--config=configs/ssl_vit.py",
        *flags,
        f"--workdir={workdir}",
    ]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1" if processes == 1 else "2"}
    together = [[]]
    if processes > 1:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        shared = [f"--coordinator=127.0.0.1:{port}", f"--num_processes={processes}"]
        together = [[*shared, f"--process_id={i}"] for i in range(processes)]
    with open(f"{workdir}.log", "a") as log:  # a pipe that nobody reads would stop them
        output = {"stdout": log, "stderr": subprocess.STDOUT}
        return [subprocess.Popen([*command, *more], env=environment, **output) for more in together]


def finish(workdir: pathlib.Path, processes: list[subprocess.Popen]) -> None:
    """Waits for an orderly end."""
    if any([process.wait() for process in processes]):
        sys.exit(pathlib.Path(f"{workdir}.log").read_text())


if __name__ == "__main__":
    main()
