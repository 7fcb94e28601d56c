"""What the full-resolution part of colorizing costs: CPU-seconds and the memory of the process.

    python -m tests.benchmarks.full_resolution --megapixels 100 --bits 16

Times the first call, with its compilation, and a second one; the picture is a bundled photograph, enlarged.
"""

import resource
import sys
import time

import numpy as np
import skimage
from absl import app, flags
from PIL import Image

from hybridvit.inference.view import view_size
from tests.painted import colour_picture

MEGAPIXELS = flags.DEFINE_float("megapixels", 8.0, "Size of the picture, 4 : 3.", lower_bound=0.01)
BITS = flags.DEFINE_enum("bits", "8", ["8", "16"], "Its depth.")
GRAY = flags.DEFINE_bool("gray", False, "One channel, not three.")


def main(_: list[str]) -> None:
    height = round((MEGAPIXELS.value * 1e6 * 3 / 4) ** 0.5)
    width = round(height * 4 / 3)
    with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
        enlarged = photograph.convert("L" if GRAY.value else "RGB").resize((width, height), Image.BICUBIC)
    pixels = np.array(enlarged).reshape(height, width, -1)
    del enlarged
    if BITS.value == "16":
        pixels = pixels * np.uint16(257)
    shape = view_size(height, width, 256)
    y, x = np.mgrid[: shape[0], : shape[1]] / 20
    ab = np.stack([40 * np.sin(y), 50 * np.cos(x)], -1).astype(np.float32)  # often out of the gamut
    for call in ("first", "second"):
        cpu, wall = time.process_time(), time.perf_counter()
        colour_picture(pixels, ab)
        print(
            f"{call} call: {time.process_time() - cpu:.2f} CPU-seconds, {time.perf_counter() - wall:.2f} s; {width} x"
            f" {height} px, {pixels.shape[2]} channels of {BITS.value} bits, {pixels.nbytes / 1e6:.0f} MB"
        )
    unit = 1 if sys.platform == "darwin" else 1024
    print(
        f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    app.run(main)
