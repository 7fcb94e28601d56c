"""How long one waits for new colours: from the choice of a colour to all tiles in the new colours on the canvas.

    python -m tests.benchmarks.studio_click

The studio as users start it, with the pretrained weights, and its page in Chromium; the model's view is 256 px, all is
warm, and each click is at another place, so hints add up. For a photograph of 600 x 400 and one of 3000 x 2000 px, for
the likeliest colour (which the server computes while one looks at it) and for one that is typed: the median and the
90th percentile, and of what they are made (medians): what the page does first, the request that saves the hints and
has the colours computed, the tiles, and decoding and drawing them. And the processor time that the server takes for a
click, with what it computes while one looks at it: that depends little on what else the machine does. Linux.
"""

import argparse
import contextlib
import math
import os
import pathlib
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import skimage
from PIL import Image

from tests.studio.browsing import Desk, open_browser

WAITS_MS = 400  # between the answers to a click and the choice: nobody is faster
SIZES = ((600, 400), (3000, 2000))
WATCH = """() => {
    window.drawn = [];
    addEventListener("keydown", (event) => {
        if (["1", "Enter"].includes(event.key)) Object.assign(window, { chosen: event.timeStamp, drawn: [] });
    }, { capture: true });
    const viewport = document.querySelector("#viewport");
    viewport.addEventListener("drawn", ({ detail }) => window.drawn.push([detail.revision, performance.now()]));
}"""
TIMES = """(before) => {
    const [revision, drawn] = window.drawn.find(([revision]) => revision !== before);
    const since = performance.getEntriesByType("resource").filter((one) => one.startTime >= window.chosen);
    const put = since.find((one) => one.name.endsWith("/sidecar"));
    const tiles = since.filter((one) => one.name.includes(`/tiles/${revision}/`) && one.responseEnd <= drawn);
    const arrived = Math.max(...tiles.map((one) => one.responseEnd));
    performance.clearResourceTimings();
    return {
        all: drawn - window.chosen,
        page: put.startTime - window.chosen,
        request: put.responseEnd - put.startTime,
        tiles: arrived - put.responseEnd,
        drawing: drawn - arrived,
        count: tiles.length,
    };
}"""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clicks", type=int, default=30, help="of each kind, on each photograph")
    parser.add_argument("--warm", type=int, default=3, help="clicks before those")
    options = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = pathlib.Path(place, "scans")
        folder.mkdir()
        with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
            for number, size in enumerate(SIZES):
                photograph.convert("L").resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")
        server, address = start(folder, pathlib.Path(place, "data"))
        stack.callback(server.kill)
        browser = stack.enter_context(open_browser())
        desk = Desk(browser.new_page(viewport={"width": 1280, "height": 800}), None)
        desk.page.goto(address)
        for number, (width, height) in enumerate(SIZES):
            if number:
                with desk.redrawn():
                    desk.press("PageDown")
            desk.page.wait_for_selector("#viewport[data-revision]")
            if not number:
                desk.page.evaluate(WATCH)
            count = options.warm + options.clicks
            spots = places(2 * count)
            typed = [f"#{shade:06x}" for shade in random.Random(0).sample(range(2**24), count)]
            times = [
                (
                    click(desk, server.pid, *spots[2 * i]),
                    click(desk, server.pid, *spots[2 * i + 1], typed[i]),
                )
                for i in range(count)
            ]
            for kind, part in zip(
                ("likeliest", "typed"), zip(*times[options.warm :], strict=True), strict=True
            ):
                report(f"{width} x {height} px, {kind} colour", part)
        print(f"load now {os.getloadavg()[0]:.1f}; the page's complaints: {desk.problems or 'none'}")


def start(folder: pathlib.Path, data: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """The server, and its address."""
    command = [
        sys.executable,
        "-m",
        "hybridvit.studio",
        folder,
        "--data",
        data,
        "--port",
        "0",
        "--no-browser",
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    if not line:
        sys.exit("the studio did not start")
    return server, line.split()[-1]


def places(count: int) -> list[tuple[float, float]]:
    """Shares of width and height: far enough apart for no click to meet an earlier hint; in no order."""
    side = math.ceil(math.sqrt(count))
    cells = [((i + 0.5) / side, (j + 0.5) / side) for i in range(side) for j in range(side)]
    return random.Random(0).sample(cells, count)


def click(desk: Desk, pid: int, x: float, y: float, color: str | None = None) -> dict[str, Any]:
    """A new point with a colour, or with the likeliest one; milliseconds, `cpu` too."""
    width, height = desk.size
    begin = processor_time(pid)
    desk.ask(x * width, y * height)
    desk.page.wait_for_timeout(WAITS_MS)
    before = desk.revision
    if color:
        desk.get("hex").fill(color)
    with desk.redrawn():
        desk.press("Enter" if color else "1")
    times = desk.page.evaluate(TIMES, before)
    desk.press("Escape")
    return {**times, "cpu": processor_time(pid) - begin}


def processor_time(pid: int) -> float:
    """Of a process, milliseconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def report(name: str, times: Sequence[dict[str, Any]]) -> None:
    """Prints a line or two."""
    median, late = np.percentile([one["all"] for one in times], (50, 90))
    parts = {
        part: np.median([one[part] for one in times]) for part in ("page", "request", "tiles", "drawing")
    }
    print(f"{name}, {len(times)} times: median {median:.0f} ms, 90th percentile {late:.0f} ms")
    print(
        "   of it "
        + ", ".join(f"{part} {ms:.0f}" for part, ms in parts.items())
        + f" ms; {np.median([one['count'] for one in times]):.0f} tiles; "
        + f"the server's processor {np.median([one['cpu'] for one in times]):.0f} ms"
    )


if __name__ == "__main__":
    main()
