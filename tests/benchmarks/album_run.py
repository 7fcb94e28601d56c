"""A box of photographs from start to report, killed once in the middle: pictures a minute, memory, nothing done twice.

    python -m tests.benchmarks.album_run --photos FOLDER [FOLDER ...] [--count 2000]

The photographs are made gray. `hybridvit colorize` colours them all; then `hybridvit album` does, is killed (SIGKILL)
when half of the results are there, and begun again; then `hybridvit report`. Printed are pictures a minute of both (the
killed run's times added up), peak memory, and how many results of the first part were written again.
"""

import argparse
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, nargs="+", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    files = sorted(path for folder in options.photos for path in folder.glob("*.jpg"))
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(options.count, len(files))).astype(int)]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "scans").mkdir()
        for path in files:
            with Image.open(path) as image:
                image.convert("L").save(root / "scans" / f"{path.stem}.png")
        run("colorize", root, "warm", limit=1)  # compiles
        plain = run("colorize", root, "plain")
        first, early = run("album", root, "album", killed_at=len(files) // 2), stamps(root / "album")
        second = run("album", root, "album")
        late = stamps(root / "album")
        again = sum(late[name] != stamp for name, stamp in early.items())
        report = run("report", root, "report")
    seconds = first + second
    count = len(files)
    print(
        f"{count} photographs; colorize {60 * count / plain:.0f} a minute, album {60 * count / seconds:.0f}"
    )
    print(f"(ratio {plain / seconds:.2f}); killed with {len(early)} results, {again} of them written again,")
    print(f"{len(late)} in the end; report {report:.0f} s; peak memory {peak():.0f} MiB")


def run(command: str, root: pathlib.Path, output: str, killed_at: int = 0, limit: int = 0) -> float:
    """Seconds that a command takes, or takes until it is killed."""
    inputs = (
        [str(path) for path in sorted((root / "scans").iterdir())[:limit]] if limit else [str(root / "scans")]
    )
    more = ["--results", str(root / "album")] if command == "report" else []
    start_up = ["-c", "from hybridvit.cli import run; run()"]
    argv = [sys.executable, *start_up, command, *inputs, "--output", str(root / output), *more]
    start = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    while killed_at and process.poll() is None and len(stamps(root / output)) < killed_at:
        time.sleep(0.5)
    if killed_at:
        process.send_signal(signal.SIGKILL)
    code = process.wait()
    if code != (-signal.SIGKILL if killed_at else 0):
        sys.exit(f"hybridvit {command} ended with {code}")
    return time.monotonic() - start


def stamps(folder: pathlib.Path) -> dict[str, int]:
    """When each result was written."""
    if not folder.is_dir():
        return {}
    results = (entry for entry in os.scandir(folder) if entry.name.endswith(".png") and entry.name[0] != ".")
    return {entry.name: entry.stat().st_mtime_ns for entry in results}


def peak() -> float:
    """MiB, of the largest of the commands."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
