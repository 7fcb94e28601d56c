"""How long the server takes for the next photograph, with and without having prepared it while one looked at this one.

    python -m tests.benchmarks.studio_next

The studio as users start it, with the pretrained weights, and photographs of about a megapixel, gone through one after
the other as by Page Down: what is timed are opening the photograph and the coloured tile that a screen shows first.
Medians and the longest, s; it fails if one that was prepared takes 0.3 s or more at the median.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

import httpx

from tests.benchmarks.studio_load import start
from tests.benchmarks.studio_memory import make_photographs

MOST = 0.3  # s


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--photographs", type=int, default=20, help="half of them with preparing, half without"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place, "scans")
        make_photographs(folder, options.photographs)
        server, address = start(folder, pathlib.Path(place))
        try:
            with httpx.Client(base_url=address, timeout=120) as http:
                plain, prepared = walk(http)
        finally:
            server.kill()
    for name, times in (("not prepared", plain), ("prepared", prepared)):
        print(
            f"{name:>12}: median {statistics.median(times):.2f} s, longest {max(times):.2f} s, of {len(times)}"
        )
    sys.exit(int(statistics.median(prepared) >= MOST))


def walk(http: httpx.Client) -> tuple[list[float], list[float]]:
    """Seconds without and with preparing, by turns; the first photographs warm the server up."""
    ids = [photo["id"] for photo in http.get("api/photos").json()["photos"]]
    times: tuple[list[float], list[float]] = ([], [])
    for turn, photo_id in enumerate(ids):
        if turn % 2:
            http.post(f"api/photos/{photo_id}/prepare").raise_for_status()
        began = time.perf_counter()
        look(http, photo_id)
        if turn >= 4:
            times[turn % 2].append(time.perf_counter() - began)
    return times


def look(http: httpx.Client, photo_id: str) -> None:
    """Opens a photograph, and has it shown."""
    photo = http.get(f"api/photos/{photo_id}").raise_for_status().json()
    level = photo["levels"] - 1
    http.get(f"api/photos/{photo_id}/tiles/{photo['revision']}/{level}/0/0").raise_for_status()


if __name__ == "__main__":
    main()
