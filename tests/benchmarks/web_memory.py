"""How much memory a tab with the page of `hybridvit export --web` takes, on a photograph of 24 megapixels.

    python -m tests.benchmarks.web_memory

A JPEG of 6000 x 4000 px, gray and in colour, on a window of a phone's size (390 x 844, three pixels to one), in
Chromium by WebAssembly with the pretrained weights: coloured, the likeliest colour of a place taken and one typed, then
saved as PNG and as JPEG. What the tab's process held at most (`VmHWM` of Chromium's renderer), MB. Linux.
"""

import contextlib
import pathlib
import re
import tempfile

import skimage
from PIL import Image

from hybridvit.export.web_page import save_web_page
from hybridvit.inference.weights import load_weights
from tests.static_site import serve
from tests.studio.browsing import Desk, open_browser

SIZE = (6000, 4000)
SAVED = 300_000  # ms, at most
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3}


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = pathlib.Path(place)
        save_web_page(load_weights("pretrained"), folder / "site")
        site = stack.enter_context(serve(folder / "site"))
        with Image.open(f"{skimage.data_dir}/coffee.png") as opened:
            photograph = opened.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
        for mode, name in (("L", "gray"), ("RGB", "in colour")):
            photograph.convert(mode).save(folder / f"{mode}.jpg", quality=92)
            print(f"{name}: {visit(site.address, folder / f'{mode}.jpg') / 1e6:.0f} MB")


def visit(address: str, path: pathlib.Path) -> int:
    """What the tab held at most, bytes, in a browser of its own."""
    before = set(renderers())
    with open_browser() as browser:
        desk = Desk(browser.new_context(**PHONE).new_page(), None)
        desk.page.goto(address)
        desk.get("empty").wait_for()
        desk.wait_until(lambda: desk.page.evaluate("crossOriginIsolated"))
        desk.get("file").set_input_files(path)
        desk.page.wait_for_selector("#viewport[data-revision]")
        width, height = desk.size
        for x, color in ((0.3, None), (0.6, "2060c0")):
            desk.ask(x * width, 0.4 * height)
            if color:
                desk.get("hex").fill(color)
            with desk.redrawn():
                desk.press("Enter" if color else "1")
            desk.press("Escape")
        desk.page.get_by_role("button", name="Panels", exact=True).click()
        for form in ("png", "jpeg"):
            desk.get("format").select_option(form)
            with desk.page.expect_download(timeout=SAVED):
                desk.get("save").click()
        return max(peaks[pid] for peaks in [renderers()] for pid in peaks if pid not in before)


def renderers() -> dict[int, int]:
    """Of all Chromium's tabs: the most that each process held, bytes."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in (process / "cmdline").read_bytes():
                held = re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())
                if held:  # a process that ends has none
                    found[int(process.name)] = 1024 * int(held[1])
    return found


if __name__ == "__main__":
    main()
