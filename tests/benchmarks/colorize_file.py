"""The colorize command on one large file, as an archivist runs it: seconds and memory of the whole process.

    python -m tests.benchmarks.colorize_file --megapixels 8 --format jpeg
    python -m tests.benchmarks.colorize_file --megapixels 100 --format tiff        16 bit

Twice: the first start compiles, unless the machine has done so before. The picture is a bundled photograph, enlarged.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import skimage
import tifffile
from PIL import Image


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--megapixels", type=float, default=8.0)
    parser.add_argument(
        "--format", choices=("jpeg", "tiff"), default="jpeg", help="8-bit JPEG or 16-bit TIFF"
    )
    parser.add_argument("--weights", default="pretrained")
    arguments = parser.parse_args()
    height = round((arguments.megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
        gray = np.asarray(photograph.convert("L").resize((width, height), Image.BICUBIC))
    pixels = np.repeat(gray[..., None], 3, -1)
    if arguments.format == "tiff":
        pixels = pixels * np.uint16(257)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / f"scan.{arguments.format}"
        if arguments.format == "tiff":
            tifffile.imwrite(source, pixels, photometric="rgb")
        else:
            Image.fromarray(pixels).save(source, quality=95)
        for start in ("first", "second"):
            output = pathlib.Path(folder) / start
            command = [sys.executable, "-m", "hybridvit.colorize", source, "--output", output]
            began = time.perf_counter()
            process = subprocess.Popen([*command, "--weights", arguments.weights], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            if status or not list(output.iterdir()):
                sys.exit(f"the command made nothing: {status}")
            print(
                f"{start} start: {seconds:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} CPU-seconds, peak "
                f"{usage.ru_maxrss / 2**20:.2f} GiB; {width} x {height} px, {source.stat().st_size / 1e6:.0f} MB file"
            )


if __name__ == "__main__":
    main()
