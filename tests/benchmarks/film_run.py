"""A long film, and once more killed (SIGKILL) in the middle: memory, time, and whether both films are alike.

    python -m tests.benchmarks.film_run --minutes 20 --size 64 36

24 frames a second, a shot of another part of scikit-image's photographs each 240 frames, FFV1 out. It is small, for
what could grow with its length does not depend on its frames' size; `film --only memory` measures large ones. Printed
are frames a second, the most memory by fifths of the time (of looking and colouring alike), how many parts the killed
run left, how many of them were written again, and how many frames of the two films differ by a bit, or by their time.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
import cv2
import numpy as np
import skimage
from PIL import Image

from hybridvit.data.bundled import COLOR

RATE, SHOT = 24, 240  # frames a second, and of a shot


class Ran(NamedTuple):
    """What a run took, the bytes it held, looked at twice a second, and when it last wrote each part."""

    seconds: float
    cpu: float
    held: list[int]
    written: dict[str, int]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--size", type=int, nargs=2, default=(64, 36), metavar=("WIDTH", "HEIGHT"))
    options = parser.parse_args()
    count = round(options.minutes * 60 * RATE)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        film, whole, broken = root / "film.mp4", root / "whole.mkv", root / "broken.mkv"
        make_film(film, count, *options.size)
        ran = color(film, whole)
        fifths = [max(part) / 1e6 for part in np.array_split(ran.held, 5)]
        print(
            f"{count} frames: {ran.seconds:.0f} s, {ran.cpu:.0f} s of CPU, {count / ran.seconds:.1f} a second"
        )
        print(f"memory at most by fifths, MB: {', '.join(f'{one:.0f}' for one in fifths)}", flush=True)
        color(film, broken, killed_at=-(-count // SHOT) // 2)
        early = parts(broken)
        more = color(film, broken)
        again = sum(more.written[name] != stamp for name, stamp in early.items())
        print(
            f"killed with {len(early)} parts, {again} of them written again; {more.seconds:.0f} s for the rest"
        )
        print(
            f"frames that differ: {sum(a != b for a, b in zip(told(whole), told(broken), strict=True))} of {count}"
        )


def make_film(path: pathlib.Path, count: int, width: int, height: int) -> None:
    """Pans of another crop for each shot."""
    rng = np.random.default_rng(0)
    photos = [np.asarray(Image.open(pathlib.Path(skimage.data_dir) / name).convert("L")) for name in COLOR]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for t in range(count):
            if t % SHOT == 0:
                photo = photos[rng.integers(len(photos))]
                rows = rng.integers(photo.shape[0] // 3, photo.shape[0] // 2)
                columns = round(rows * (width + SHOT) / height)
                columns = min(columns, photo.shape[1])
                top, left = (
                    rng.integers(photo.shape[0] - rows + 1),
                    rng.integers(photo.shape[1] - columns + 1),
                )
                part = cv2.resize(photo[top : top + rows, left : left + columns], (width + SHOT, height))
            luma = np.ascontiguousarray(part[:, t % SHOT :][:, :width])
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = t, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def color(film: pathlib.Path, output: pathlib.Path, killed_at: int = 0) -> Ran:
    """Runs the command to its end, or until so many parts are there."""
    argv = [sys.executable, "-m", "hybridvit.film", film, "--output", output, "--codec", "ffv1"]
    start, held, written = time.monotonic(), [], {}
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        held.append(resident(process.pid))
        written |= parts(output)
        if killed_at and len(written) >= killed_at:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.5)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != (-signal.SIGKILL if killed_at else 0):
        sys.exit(f"hybridvit film ended with {process.returncode}")
    return Ran(time.monotonic() - start, used.ru_utime + used.ru_stime, held, written)


def resident(pid: int) -> int:
    """Bytes that the process holds."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def parts(output: pathlib.Path) -> dict[str, int]:
    """When each finished part of the film was written."""
    folder = output.with_name(f"{output.name}.parts")
    try:
        return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}
    except FileNotFoundError:  # the film is whole, and its parts are going
        return {}


def told(film: pathlib.Path) -> Iterator[tuple[int, bytes]]:
    """Time and pixels of each frame."""
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            yield frame.pts, frame.to_ndarray().tobytes()


if __name__ == "__main__":
    main()
