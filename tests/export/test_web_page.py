"""The page that colours by itself, in a browser, from a plain web server: with a tiny model, by WebAssembly."""

import json
import os
import pathlib
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from hybridvit.export import command
from hybridvit.export.web_page import POLICY, draw_icon, local_page, save_web_page
from hybridvit.hints.sidecar import load_hints
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.exported import interface
from hybridvit.photo.photo import read_photo, read_provenance
from hybridvit.studio.static_files import STATIC
from tests.page_engine import as_released
from tests.static_site import Site, serve
from tests.studio.browsing import Desk, open_browser

NOISE = r"Unknown CPU vendor"  # onnxruntime's remark on some machines, not on the page
RUNS_ON = (
    r"Computed on this device: WebAssembly, by (one thread|[2-4] threads) of its processor; .*WebGPU.*\."
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def weights(tiny_weights, tmp_path_factory):
    return as_released(tiny_weights, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def folder(weights, tmp_path_factory, browser) -> pathlib.Path:
    """The page with a tiny model."""
    if not (os.environ.get("HYBRIDVIT_ONNXRUNTIME_WEB") or shutil.which("npm")):
        pytest.skip("no onnxruntime-web: install npm, or name its file in HYBRIDVIT_ONNXRUNTIME_WEB")
    folder = tmp_path_factory.mktemp("web") / "site"
    try:
        save_web_page(weights, folder)
    except OSError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="module")
def colorizer(weights) -> Colorizer:
    """The desktop's."""
    return Colorizer(weights)


class LocalDesk(Desk):
    """A user of the page."""

    def __init__(self, page, site: Site):
        super().__init__(page, None)
        self.site = site
        self.elsewhere: list[str] = []
        page.on("request", self._see)

    def _see(self, request) -> None:
        if not request.url.startswith((self.site.address, "blob:", "data:")):
            self.elsewhere.append(request.url)

    def visit(self) -> None:
        self.page.goto(self.site.address)
        self.get("empty").wait_for()
        self.wait_until(lambda: self.page.evaluate("crossOriginIsolated"))
        self.get("empty").wait_for()

    def bring(self, path: pathlib.Path) -> None:
        self.get("file").set_input_files(path)
        self.page.wait_for_selector("#viewport[data-revision]")

    def take(self, testid: str, path: pathlib.Path) -> pathlib.Path:
        with self.page.expect_download() as download:
            self.get(testid).click()
        download.value.save_as(path)
        return path


@pytest.fixture
def sit(browser):
    """`sit(site, **options)`: a page of it; fails if anything was wrong in it, or went elsewhere."""
    desks = []

    def sit(site: Site, **options) -> LocalDesk:
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        desk = LocalDesk(browser.new_context(**options, reduced_motion="reduce").new_page(), site)
        desks.append(desk)
        return desk

    yield sit
    for desk in desks:
        desk.page.context.close()
        assert [problem for problem in desk.problems if not re.search(NOISE, problem)] == []
        assert desk.elsewhere == []  # no request leaves the origin


@pytest.fixture
def photo(tmp_path) -> pathlib.Path:
    """A gray JPEG that lies on its side, of more than one tile when upright."""
    y, x = np.mgrid[:90, :150]
    level = (0.2 + 0.3 * y / 90 + 0.3 * x / 150 + 0.1 * (x % 40 > 20)) * 255
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "A street"
    Image.fromarray(level.astype(np.uint8)).save(tmp_path / "photo.jpg", exif=exif, quality=97)
    return tmp_path / "photo.jpg"


def test_a_photograph_from_the_first_visit_to_the_desktop_and_without_a_network(
    sit, folder, photo, colorizer, tmp_path
):
    with serve(folder) as site:
        desk = sit(site)
        desk.visit()
        assert "nothing is sent anywhere" in desk.get("empty").inner_text()
        desk.bring(photo)
        assert desk.size == (90, 150)  # upright
        assert desk.colorfulness() > 5
        assert re.fullmatch(RUNS_ON, desk.get("runs-on").text_content())
        for testid in ("panel-carry", "to-review", "another-folder", "approved", "download"):
            assert not desk.get(testid).is_visible(), testid
        _hint_and_save(desk, photo, colorizer, tmp_path)
        asked = {path.partition("?")[0] for path in site.asked}
        assert {"/decoder.onnx", "/ort/ort-wasm-simd-threaded.wasm", "/service_worker.js"} <= asked
        assert "/ort/ort-wasm-simd-threaded.asyncify.wasm" not in asked  # WebGPU's, which is not used here
    # The server is gone; the same file again has its hints, and opened hints take their place
    desk.page.goto("about:blank")
    desk.page.goto(site.address)
    desk.get("empty").wait_for()
    desk.bring(photo)
    assert desk.colorfulness() > 5
    assert desk.get("hint-row").count() == 1
    none = {"version": 2, "picture": {"width": 90, "height": 150}, "hints": []}
    (tmp_path / "none.hints.json").write_text(json.dumps(none))
    with desk.redrawn():
        desk.get("sidecar-file").set_input_files(tmp_path / "none.hints.json")
    assert desk.get("hint-row").count() == 0
    (tmp_path / "bad.hints.json").write_text(json.dumps({**none, "hints": [{"type": "dot"}]}))
    desk.get("sidecar-file").set_input_files(tmp_path / "bad.hints.json")
    desk.get("message-error").filter(has_text="hints[0].type").wait_for()
    desk.problems = [
        one for one in desk.problems if "ERR_CONNECTION_REFUSED" not in one
    ]  # is there a new version?


def _hint_and_save(desk: LocalDesk, photo: pathlib.Path, colorizer: Colorizer, folder: pathlib.Path) -> None:
    before = desk.color(45, 75)
    desk.ask(45, 75)
    with desk.redrawn():
        desk.get("hex").fill("2060c0")
        desk.press("Enter")
    desk.press("Escape")
    assert desk.color(45, 75) != before
    desk.get("format").select_option("png")
    result = Image.open(desk.take("save", folder / "result.png"))
    assert (result.size, result.getexif()[0x010E], result.getexif()[0x0112]) == ((90, 150), "A street", 1)
    said = read_provenance(folder / "result.png")
    assert said is not None
    assert said["model"] == "tiny"
    assert "not part of the original" in said["statement"]
    hints = load_hints(desk.take("download-sidecar", folder / "photo.hints.json"))
    assert [hint.color for hint in hints.recipe.hints] == ["#2060c0"]
    theirs = colorizer.open(read_photo(photo)).picture(hints.recipe).astype(int)
    assert np.percentile(np.abs(np.asarray(result.convert("RGB")) - theirs), 99) <= 3


def test_advice_and_other_possibilities_on_a_phone_and_without_barriers(sit, folder, photo):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with serve(folder) as site:
        desk = sit(
            site, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, bypass_csp=True
        )
        desk.visit()
        broken = axe.run(desk.page).response["violations"]
        desk.bring(photo)
        desk.page.get_by_role("button", name="Panels", exact=True).tap()
        desk.get("uncertainty").check()
        desk.get("next").tap()
        desk.get("ring").first.wait_for()
        desk.get("panel-variants").locator("summary").tap()
        desk.page.get_by_role("button", name="Show four possibilities").tap()
        desk.page.locator('[data-testid="variant"]:not([aria-busy]) img').nth(3).wait_for()
        broken += axe.run(desk.page).response["violations"]
        with desk.redrawn():
            desk.get("variant").nth(2).tap()
        assert desk.get("decode-sample").is_checked()
        assert [one["id"] for one in broken] == []


def test_the_folder_is_complete_and_says_so(folder):
    precache = (folder / "precache.js").read_text()
    files = json.loads(precache.partition("self.FILES = ")[2].rstrip(";\n"))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(files) == there - {"precache.js", "service_worker.js"}
    assert not files["ort/ort-wasm-simd-threaded.wasm"][1]
    assert files["index.html"][1]
    manifest = json.loads((folder / "manifest.webmanifest").read_text())
    assert {icon["src"] for icon in manifest["icons"]} <= there
    page = (folder / "index.html").read_text()
    assert POLICY in page
    assert "review.html" not in page
    assert interface(16)["luma"] == "L / 50 - 1"  # what engine/network.js gives the model


def test_the_icon_is_that_of_the_studio():
    small = np.asarray(draw_icon(32).convert("RGB"))
    svg = (STATIC / "icon.svg").read_text()
    for place, tone in (((2, 16), "#242424"), ((16, 10), "#a6a6a6"), ((16, 22), "#e0803a")):
        assert "#{:02x}{:02x}{:02x}".format(*small[place]) == tone
        assert tone in svg


def test_a_page_that_has_changed_is_not_made_local_by_half():
    page = (STATIC / "index.html").read_text()
    assert local_page(page).count("Content-Security-Policy") == 1
    with pytest.raises(ValueError, match="0 times, not once"):
        local_page(page.replace('<meta charset="utf-8">', ""))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--web=no/site"], "no such folder to make it in"),
        (["--web=full"], "it is there and not an empty folder"),
        (["--web=site", "--license=mit"], "--license is for a model card"),
        (["--web=site", "--output=a.onnx"], "not allowed with argument"),
    ],
)
def test_mistakes_are_one_line(tmp_path, monkeypatch, capsys, words, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        command.main(words)
    assert exit_.value.code == 2
    assert said in capsys.readouterr().err


def test_without_the_runtime_the_command_says_what_to_do(tmp_path, tiny_weights, monkeypatch):
    monkeypatch.setenv("HYBRIDVIT_ONNXRUNTIME_WEB", str(tmp_path / "gone.tgz"))
    with pytest.raises(FileNotFoundError, match="as `npm pack` fetches it"):
        save_web_page(tiny_weights, tmp_path / "site")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("HYBRIDVIT_ONNXRUNTIME_WEB", str(pathlib.Path(__file__)))
    with pytest.raises(ValueError, match="not onnxruntime-web@"):
        save_web_page(tiny_weights, tmp_path / "site")
