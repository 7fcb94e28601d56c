"""The studio's memory while photographs are recoloured: it must stay level.

    python -m tests.benchmarks.studio_memory            500 recolours of 20 photographs

Photographs of several sizes and shapes are gone through again and again, as by somebody who works through a folder:
each time one is opened, gets another hint, and is looked at. Linux. It prints the server's resident memory, MB, and
fails if the last fifth takes more than 10 % more than the second one; in the first the caches fill.
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import tempfile

import httpx
import numpy as np
import skimage
from PIL import Image

from tests.benchmarks.studio_load import GROWTH, start

SHAPES = ((900, 1200), (1200, 900), (800, 1200), (1000, 1000), (700, 1250))  # height, width


def main() -> None:
    """Measures, prints, and exits with 1 if memory grows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photographs", type=int, default=20)
    parser.add_argument("--recolors", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place, "scans")
        make_photographs(folder, options.photographs)
        server, address = start(folder, pathlib.Path(place))
        try:
            memory = recolor(server.pid, address, options.recolors)
        finally:
            server.kill()
    fifths = [statistics.median(part) for part in np.array_split(memory, 5)]
    print("memory, MB, by fifths:", " ".join(f"{value:.0f}" for value in fifths))
    sys.exit(int(fifths[-1] > GROWTH * fifths[1]))


def make_photographs(folder: pathlib.Path, count: int) -> None:
    """JPEGs of the bundled photographs, no two the same."""
    folder.mkdir()
    for number in range(count):
        height, width = SHAPES[number % len(SHAPES)]
        with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
            gray = np.asarray(photograph.convert("L").resize((width, height), Image.BICUBIC))
        Image.fromarray(np.roll(gray, 17 * number, 1)).save(folder / f"scan {number:02}.jpg", quality=92)


def recolor(pid: int, address: str, times: int) -> list[float]:
    """The server's memory after each recolouring, MB."""
    chance, memory = random.Random(0), []
    page = os.sysconf("SC_PAGE_SIZE")
    with httpx.Client(base_url=address, timeout=120) as http:
        ids = [photo["id"] for photo in http.get("api/photos").json()["photos"]]
        for turn in range(times):
            at = f"api/photos/{ids[turn % len(ids)]}"
            photo = http.get(at).raise_for_status().json()
            x, y = chance.uniform(0, photo["width"] - 1), chance.uniform(0, photo["height"] - 1)
            hint = {"type": "point", "x": x, "y": y, "color": f"#{chance.randrange(2**24):06x}"}
            sidecar = {**photo["sidecar"], "hints": [*photo["sidecar"]["hints"][-5:], hint]}
            revision = http.put(f"{at}/sidecar", json=sidecar).raise_for_status().json()["revision"]
            for what in ("original", revision):
                http.get(f"{at}/tiles/{what}/1/0/0").raise_for_status()
            memory.append(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 1e6)
            if turn % 50 == 49:
                print(f"{turn + 1:4} recolours: {memory[-1]:.0f} MB", flush=True)
    return memory


if __name__ == "__main__":
    main()
