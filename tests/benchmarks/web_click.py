"""How long one waits for new colours on the page of `hybridvit export --web`, beside the studio in the same run.

    python -m tests.benchmarks.web_click                  the page with threads, the studio as it starts
    python -m tests.benchmarks.web_click --one-thread     one of each: the studio on one core, the page not isolated

Both with the pretrained weights and in Chromium, the model's view 256 px, all warm: from the choice of a colour to all
tiles in the new colours on the canvas, each click at another place, so that hints add up; medians and their ratio, for
the likeliest colour (which both compute while one looks at it) and for one that is typed. The clicks of the two
alternate. And what the first visit loads: requests, and bytes as a plain web server sends them.
"""

import argparse
import contextlib
import os
import pathlib
import platform
import random
import tempfile

import numpy as np
import skimage
from PIL import Image

from hybridvit.export.web_page import save_web_page
from hybridvit.inference.weights import load_weights
from tests.benchmarks.studio_click import WAITS_MS, WATCH, places, start
from tests.static_site import serve
from tests.studio.browsing import Desk, open_browser

DRAWN = "(before) => window.drawn.find(([revision]) => revision !== before)[1] - window.chosen"
SIZE = (600, 400)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clicks", type=int, default=15)
    parser.add_argument("--warm", type=int, default=2, help="clicks before those")
    parser.add_argument("--one-thread", action="store_true", help="of each")
    options = parser.parse_args()
    if options.one_thread:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = pathlib.Path(place, "scans")
        folder.mkdir()
        with Image.open(f"{skimage.data_dir}/coffee.png") as photograph:
            photograph.convert("L").resize(SIZE, Image.Resampling.BICUBIC).save(folder / "photo.jpg")
        save_web_page(load_weights("pretrained"), pathlib.Path(place, "site"))
        site = stack.enter_context(serve(pathlib.Path(place, "site")))
        cores = os.sched_getaffinity(0)
        if options.one_thread:
            os.sched_setaffinity(0, {min(cores)})  # the studio is started on it, and stays there
        server, address = start(folder, pathlib.Path(place, "data"))
        stack.callback(server.kill)
        os.sched_setaffinity(0, cores)
        browser = stack.enter_context(open_browser())
        desks = {}
        for name, url in (("studio", address), ("page", site.address)):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            if options.one_thread:
                page.add_init_script(
                    "delete navigator.serviceWorker; delete Navigator.prototype.serviceWorker;"
                )
            desks[name] = Desk(page, None)
            page.goto(url)
        page = desks["page"].page
        if not options.one_thread:
            desks["page"].wait_until(lambda: page.evaluate("crossOriginIsolated"))
        desks["page"].get("file").set_input_files(folder / "photo.jpg")
        for desk in desks.values():
            desk.page.wait_for_selector("#viewport[data-revision]")
            desk.page.evaluate(WATCH)
        _say_load(pathlib.Path(place, "site"), set(site.asked))
        count = options.warm + options.clicks
        spots, shades = places(2 * count), random.Random(0).sample(range(2**24), count)
        times = [
            [
                [click(desk, *spot, color) for desk in desks.values()]
                for spot, color in ((spots[2 * i], None), (spots[2 * i + 1], f"#{shades[i]:06x}"))
            ]
            for i in range(count)
        ]
        print(desks["page"].get("runs-on").text_content())
        for kind, both in zip(("likeliest", "typed"), np.median(times[options.warm :], axis=0), strict=True):
            studio, local = both
            print(f"{kind}: the studio {studio:.0f} ms, the page {local:.0f} ms, ratio {local / studio:.2f}")
        print(f"load now {os.getloadavg()[0]:.1f}")


def click(desk: Desk, x: float, y: float, color: str | None) -> float:
    """A new point with a colour that is typed, or with the likeliest; milliseconds."""
    width, height = desk.size
    desk.ask(x * width, y * height)
    desk.page.wait_for_timeout(WAITS_MS)
    before = desk.revision
    if color:
        desk.get("hex").fill(color)
    with desk.redrawn():
        desk.press("Enter" if color else "1")
    taken = desk.page.evaluate(DRAWN, before)
    desk.press("Escape")
    return taken


def _say_load(site: pathlib.Path, asked: set[str]) -> None:
    files = {path.partition("?")[0].lstrip("/") or "index.html" for path in asked}
    sizes = {name: (site / name).stat().st_size for name in files if (site / name).is_file()}
    for name, size in sorted(sizes.items(), key=lambda one: -one[1])[:4]:
        print(f"{size / 1e6:6.2f} MB {name}")
    print(f"{sum(sizes.values()) / 1e6:6.2f} MB in {len(sizes)} files, the first visit")


if __name__ == "__main__":
    main()
