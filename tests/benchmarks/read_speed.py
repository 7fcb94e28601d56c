"""Reading a photograph by this build and by another one: CPU-seconds, in turns.

    python -m tests.benchmarks.read_speed --other CHECKOUT            100 megapixels, 16 bit, uncompressed TIFF
    python -m tests.benchmarks.read_speed --other CHECKOUT --megapixels 8 --format jpeg

Each reading is a process of its own, which reads the file once before. The ratio is that of the least of each build.
The picture is a bundled photograph, enlarged.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import skimage
import tifffile
from PIL import Image

READ = """
import sys, time
try:
    from hybridvit.photo.photo import read_photo
except ImportError:  # of 0.1
    from hybridvit.inference.photo import read_photo
read_photo(sys.argv[1])
began = time.process_time()
read_photo(sys.argv[1])
print(time.process_time() - began)
"""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--other", type=pathlib.Path, required=True, help="folder of the other build's checkout"
    )
    parser.add_argument("--megapixels", type=float, default=100.0)
    parser.add_argument("--format", choices=("jpeg", "tiff"), default="tiff")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    height = round((arguments.megapixels * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
        gray = np.asarray(photograph.convert("L").resize((width, height), Image.BICUBIC))
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / f"scan.{arguments.format}"
        if arguments.format == "tiff":
            tifffile.imwrite(source, np.repeat(gray[..., None], 3, -1) * np.uint16(257), photometric="rgb")
        else:
            Image.fromarray(gray).convert("RGB").save(source, quality=95)
        builds = {"this": pathlib.Path.cwd(), "other": arguments.other.resolve()}
        taken: dict[str, list[float]] = {name: [] for name in builds}
        for _ in range(arguments.rounds):
            for name, where in builds.items():
                command = [sys.executable, "-c", READ, source]
                environment = os.environ | {"PYTHONPATH": str(where)}
                done = subprocess.run(
                    command, cwd=where, env=environment, check=True, capture_output=True, text=True
                )
                taken[name].append(float(done.stdout))
    for name, seconds in taken.items():
        print(f"{name}: {', '.join(f'{one:.2f}' for one in seconds)} CPU-seconds")
    print(f"{width} x {height} px, {arguments.format}: ratio {min(taken['this']) / min(taken['other']):.3f}")


if __name__ == "__main__":
    main()
