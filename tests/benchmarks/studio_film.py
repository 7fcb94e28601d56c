"""How long a studio takes to show the strip of a film of two hours, and what memory it takes.

    python -m tests.benchmarks.studio_film

The studio as users start it, with the pretrained weights, and a film of soft moving blobs that is cut every 8 s:
H.264, 320 x 240, 25 frames a second, a key frame every 250. What is timed: the strip's first page of twelve frames, a
page in the middle of the film, the shot of a frame there, opening that frame, and the colours that a hint on it gives
the shot.
"""

import argparse
import json
import pathlib
import re
import tempfile
import time

import av
import httpx
import numpy as np

from tests.benchmarks.studio_load import start
from tests.film.conftest import scene

SIZE = 240, 320
RATE, CUT = 25, 8  # frames a second, s from cut to cut


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place, "films")
        folder.mkdir()
        write(folder / "reel.mp4", round(options.minutes * 60))
        print(f"{options.minutes:g} minutes, {(folder / 'reel.mp4').stat().st_size >> 20} MiB")
        server, address = start(folder, pathlib.Path(place))
        try:
            with httpx.Client(base_url=address, timeout=300) as http:
                look(http, round(options.minutes * 30e6))
            status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
            print("the server's memory at most:", *re.findall(r"VmHWM:\s+(\d+) kB", status), "kB")
        finally:
            server.kill()


def write(path: pathlib.Path, seconds: int) -> None:
    """The film."""
    shots = [scene(RATE * CUT, *SIZE, seed=seed) for seed in range(4)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "g": "250"})
        stream.height, stream.width, stream.pix_fmt = *SIZE, "yuv420p"
        gray = np.full((SIZE[0] // 2, SIZE[1]), 128, np.uint8)
        for second in range(0, seconds, CUT):
            for luma in shots[second // CUT % len(shots)]:
                frame = av.VideoFrame.from_ndarray(np.concatenate([luma, gray]), format="yuv420p")
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def look(http: httpx.Client, middle: int) -> None:
    """Asks as the page does."""

    def timed(what: str, path: str, **query: int) -> dict:
        began = time.perf_counter()
        answer = http.get(path, params=query).raise_for_status().json()
        print(f"{what}: {time.perf_counter() - began:.2f} s")
        return answer

    (film,) = timed("the list", "api/photos")["photos"]
    address = f"api/photos/{film['id']}"
    about = timed("the film", f"{address}/film")
    timed("twelve frames at its beginning", f"{address}/film/cells", first=0)
    cells = timed("twelve frames in its middle", f"{address}/film/cells", first=middle // about["step"])[
        "cells"
    ]
    at = cells[0]["at"]
    timed("a frame there, opened", f"{address}-{at}")
    shot = timed("its shot", f"{address}/film/shot", at=at)
    frame = http.get(f"{address}-{at}").json()
    hint = {"type": "point", "x": 160, "y": 120, "color": "#7a2e2e"}
    said = json.dumps({**frame["sidecar"], "hints": [hint]})
    http.put(f"{address}-{at}/sidecar", content=said).raise_for_status()
    began, done = time.perf_counter(), {"done": 0, "total": 1}
    while done["done"] < done["total"]:
        done = http.get(f"{address}/film/spread", params={"at": at, "after": done["done"]}).json()
    print(f"the hint on {len(shot['times'])} frames: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
