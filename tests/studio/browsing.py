"""A studio that can be stopped and started again, and a browser's page of it, for the tests of the page."""

import contextlib
import os
import pathlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import numpy as np
import pytest

from hybridvit.studio.server import BackgroundServer, build, listen

QUIET = ("quic", "background-networking", "component-update", "sync")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", *(f"--disable-{name}" for name in QUIET))
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOSTS = ("localhost", "127.0.0.1")
SECONDS = (
    120  # that a page is given for anything: the one clock of these tests, for a machine with much else to do
)

Color = tuple[int, int, int]


def find_chromium() -> str | None:
    """The browser's program: what HYBRIDVIT_CHROMIUM says, else the system's."""
    return os.environ.get("HYBRIDVIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def open_browser(flags: Sequence[str] = FLAGS) -> Iterator[Any]:
    """Chromium; skips the test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-test.txt")
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium, or name one in HYBRIDVIT_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


class Served:
    """A studio with its gate, in a thread, at one address; what it keeps is on the disk."""

    def __init__(self, colorizer: Any, folder: pathlib.Path, data: pathlib.Path, port: int = 0):
        self.colorizer, self.folder, self.data, self.port = colorizer, folder, data, port
        self.start()
        self.address = f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Starts one that remembers nothing, at the port of the last one."""
        app = build(self.colorizer, self.folder, data=self.data, hosts=HOSTS, token=None)
        self._server = BackgroundServer(app, listen("127.0.0.1", self.port))
        self.port = self._server.port

    def stop(self) -> None:
        """Ends it; who asks for something meets nobody."""
        self._server.stop()

    def get(self, path: str) -> httpx.Response:
        """What a script is answered."""
        url, plain = self.address + path, {"verify": False, "trust_env": False}  # no certificates to read
        return httpx.get(url, timeout=SECONDS, **plain).raise_for_status()

    def ids(self) -> dict[str, str]:
        """Of the photographs, by name."""
        return {photo["name"]: photo["id"] for photo in self.get("api/photos").json()["photos"]}

    def recipe(self, name: str) -> dict[str, Any]:
        """The sidecar that the server has for a photograph."""
        return self.get(f"api/photos/{self.ids()[name]}").json()["sidecar"]


class Desk:
    """A page, and a user who works with it.

    Attributes:
      page: Playwright's.
      problems: what the console said, and what went wrong in the page; a test takes out what it provokes.
    """

    def __init__(self, page: Any, served: Served):
        self.page, self.served, self.problems = page, served, []
        page.set_default_timeout(SECONDS * 1000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def expect_problems(self, pattern: str) -> None:
        """Takes out those that match, once there is one: the console may speak after the page has its answer."""
        self.wait_until(lambda: any(re.search(pattern, problem) for problem in self.problems))
        self.problems = [problem for problem in self.problems if not re.search(pattern, problem)]

    def open(self, name: str) -> None:
        """Loads the page with that photograph, and waits for its colours."""
        self.page.goto(f"{self.served.address}#{self.served.ids()[name]}")
        self.page.wait_for_selector("#viewport[data-revision]")

    def restart(self) -> None:
        """Ends the studio and starts it again; meanwhile the page is closed, and asks for nothing."""
        address = self.page.url
        self.page.goto("about:blank")
        self.served.stop()
        self.served.start()
        self.page.goto(address)
        self.page.wait_for_selector("#viewport[data-revision]")

    def resize(self, width: int, height: int) -> None:
        """Of the window, CSS px; waits until the picture has followed."""
        self.page.set_viewport_size({"width": width, "height": height})
        canvas = "document.querySelector('.viewport-canvas')"
        self.wait_until(
            lambda: (
                self.page.evaluate(f"innerWidth === {width} && {canvas}.width === {canvas}.clientWidth")
                and self.page.evaluate(
                    f"innerHeight === {height} && {canvas}.height === {canvas}.clientHeight"
                )
            )
        )

    def get(self, name: str) -> Any:
        """The element with that data-testid."""
        return self.page.get_by_test_id(name)

    def press(self, *keys: str) -> None:
        """Presses keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def revision(self) -> str:
        """Whose tiles are on the canvas."""
        return self.page.locator("#viewport").get_attribute("data-revision")

    @contextlib.contextmanager
    def redrawn(self) -> Iterator[None]:
        """Waits until what is done within has changed the colours on the canvas, and all is saved."""
        before = self.revision
        yield
        self.page.wait_for_selector(f'#viewport[data-revision]:not([data-revision="{before}"])')
        self.get("busy").wait_for(state="hidden")
        self.page.evaluate("new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where on the screen a place of the photograph is that is seen as a whole, in the middle."""
        return self._places((x, y))[0]

    def _places(self, *places: tuple[float, float]) -> list[tuple[float, float]]:
        """The same of several: the page is asked twice for all of them, and not for each."""
        box = self.page.locator("#viewport").bounding_box()
        width, height = self.size
        margin = min(16, box["width"] / 16, box["height"] / 16)
        scale = min((box["width"] - 2 * margin) / width, (box["height"] - 2 * margin) / height, 2)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return [(left + x * scale, top + y * scale) for x, y in places]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the photograph, as the page says them."""
        width, height = re.match(r"(\d+) . (\d+) px", self.get("photo-facts").inner_text()).groups()
        return int(width), int(height)

    def click(self, x: float, y: float) -> None:
        """A click at a place of the photograph."""
        self.page.mouse.click(*self.place(x, y))

    def drag(self, *path: tuple[float, float]) -> None:
        """With the button down from the first place of the photograph by the others to the last."""
        self.page.mouse.move(*self.place(*path[0]))
        self.page.mouse.down()
        for place in path[1:]:
            self.page.mouse.move(*self.place(*place), steps=3)
        self.page.mouse.up()

    def ask(self, x: float, y: float) -> None:
        """Clicks, and waits for the likeliest colours, and for the lightness, with which the window takes its place."""
        self.click(x, y)
        self.get("suggestion").first.wait_for()
        self.get("popup-facts").filter(has_text="lightness").wait_for()

    def hint(self, x: float, y: float, nth: int = 1) -> None:
        """A point with the nth of the likeliest colours; waits until it shows."""
        with self.redrawn():
            self.ask(x, y)
            self.press(str(nth))
        self.press("Escape")

    def colors(self, *places: tuple[float, float]) -> list[Color]:
        """What the canvas shows at places of the photograph."""
        script = """places => {
            const shown = document.querySelector(".viewport-canvas");
            const { left, top, width, height } = shown.getBoundingClientRect();
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(shown, 0, 0, width, height);
            return places.map(([x, y]) => [...copy.getImageData(x - left, y - top, 1, 1).data.slice(0, 3)]);
        }"""
        return [tuple(color) for color in self.page.evaluate(script, self._places(*places))]

    def color(self, x: float, y: float) -> Color:
        """The same at one place."""
        return self.colors((x, y))[0]

    def colorfulness(self) -> float:
        """How far the canvas's colours are from gray: the mean over a grid of places."""
        width, height = self.size
        places = [(width * (i + 0.5) / 5, height * (j + 0.5) / 4) for i in range(5) for j in range(4)]
        return float(np.ptp(self.colors(*places), -1).mean())

    def wait_until(self, said: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Waits for what the page does not say by an element; by the clock, for to ask may itself take a second."""
        began = time.monotonic()
        while not said():
            if time.monotonic() - began > seconds:
                raise AssertionError(
                    f"it did not come to that within {seconds:g} s; the console: {self.problems}"
                )
            self.page.wait_for_timeout(50)
