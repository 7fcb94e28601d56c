"""A box of photographs from start to report, killed once in the middle: pictures a minute, memory, nothing done twice.

    python -m tests.benchmarks.album_run --photos FOLDER [FOLDER ...] [--count 2000]

The photographs are made gray. `hybridvit colorize` colours them all; then `hybridvit album` does, is killed (SIGKILL)
when half of the results are there, and begun again; then `hybridvit report`. Programs are compiled before, on a few of
the photographs. Printed are pictures a minute of both, by the clock and by CPU seconds (of a killed and a second run
together), peak memory of each command, and how many results of the first part were written again.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np
from PIL import Image

WARM = 16  # photographs on which programs are compiled


class Took(NamedTuple):
    """What a command took."""

    seconds: float
    cpu: float
    peak: float  # MiB


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
        scans = sorted((root / "scans").iterdir())
        some = [str(path) for path in scans[:: max(1, len(scans) // WARM)]]
        for command in ("colorize", "album"):
            run(command, root, f"warm-{command}", *some)
        plain = run("colorize", root, "plain", str(root / "scans"))
        first = run("album", root, "album", str(root / "scans"), killed_at=len(files) // 2)
        early = stamps(root / "album")
        second = run("album", root, "album", str(root / "scans"))
        late = stamps(root / "album")
        again = sum(late[name] != stamp for name, stamp in early.items())
        report = run("report", root, "report", str(root / "scans"), "--results", str(root / "album"))
        kept = sum(
            path.stat().st_size for path in (root / "album" / ".hybridvit-album").rglob("*") if path.is_file()
        )
    count, seconds, cpu = len(files), first.seconds + second.seconds, first.cpu + second.cpu
    print(
        f"{count} photographs a minute: colorize {60 * count / plain.seconds:.0f}, album {60 * count / seconds:.0f}"
    )
    print(f"(of colorize's speed: {plain.seconds / seconds:.2f} by the clock, {plain.cpu / cpu:.2f} by CPU)")
    print(f"CPU s a photograph: colorize {plain.cpu / count:.2f}, album {cpu / count:.2f}")
    print(f"killed with {len(early)} results, {again} of them written again, {len(late)} in the end")
    peaks = {"colorize": plain, "album": max(first, second, key=lambda took: took.peak), "report": report}
    print("peak memory, MiB: " + ", ".join(f"{name} {took.peak:.0f}" for name, took in peaks.items()))
    print(f"report {report.seconds:.0f} s; kept on disk {kept / count / 1e6:.2f} MB a photograph")


def run(command: str, root: pathlib.Path, output: str, *said: str, killed_at: int = 0) -> Took:
    """Runs a command to its end, or until it has so many results."""
    argv = [
        sys.executable,
        "-c",
        "from hybridvit.cli import run; run()",
        command,
        *said,
        "--output",
        root / output,
    ]
    start = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if killed_at:
        while len(stamps(root / output)) < killed_at:
            if process.poll() is not None:
                sys.exit(f"hybridvit {command} ended with {process.returncode} before it could be killed")
            time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != (-signal.SIGKILL if killed_at else 0):
        sys.exit(f"hybridvit {command} ended with {process.returncode}")
    return Took(time.monotonic() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def stamps(folder: pathlib.Path) -> dict[str, int]:
    """When each result was written."""
    if not folder.is_dir():
        return {}
    results = (entry for entry in os.scandir(folder) if entry.name.endswith(".png") and entry.name[0] != ".")
    return {entry.name: entry.stat().st_mtime_ns for entry in results}


if __name__ == "__main__":
    main()
