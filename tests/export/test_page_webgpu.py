"""What runs the page's model: WebGPU where a graphics processor computes as it should, else WebAssembly, and why.

Chromium's software adapter stands for the graphics processor, and is taken for one.
"""

import pathlib

import numpy as np
import pytest
import skimage
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.inference.colorizer import Colorizer
from hybridvit.photo.photo import photo_of
from tests.page_engine import PageEngine, as_released, hinted, recipe_of, write_scripts
from tests.static_site import Site, serve
from tests.studio.browsing import FLAGS, SECONDS, open_browser

SOFTWARE = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
SIDE = 64  # px
AS_HARDWARE = """
Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { get: () => false });
const ask = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (wanted) { return (window.device = await ask.call(this, wanted)); };
"""
WHY = 'import("/js/local/engine/graphics.js").then(({ whyNoGraphics }) => whyNoGraphics())'


@pytest.fixture(scope="module")
def browser():
    with open_browser([*(flag for flag in FLAGS if flag != "--disable-gpu"), *SOFTWARE]) as browser:
        yield browser


@pytest.fixture(scope="module")
def weights(lite_weights, tmp_path_factory):
    return as_released(lite_weights, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def site(weights, tmp_path_factory):
    """The page's scripts with a small model."""
    folder = tmp_path_factory.mktemp("engine")
    write_scripts(weights, folder)
    with serve(folder) as site:
        yield site


@pytest.fixture
def page(browser, site):
    page = browser.new_page()
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{site.address}model.json")
    if not page.evaluate("navigator.gpu?.requestAdapter().then(Boolean)"):
        pytest.skip("this Chromium has no software adapter for WebGPU: the model is not run by it here")
    yield page
    page.close()


@pytest.fixture
def engine(page, site):
    site.asked.clear()
    page.add_init_script(AS_HARDWARE)
    return PageEngine(page, site.address)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """uint8 [h, w, 1]"""
    with Image.open(next((pathlib.Path(skimage.__file__).parent / "data").glob("coffee.*"))) as opened:
        return np.asarray(opened.convert("L").resize((SIDE, SIDE)))[..., None]


def said(hints: bool) -> dict:
    return {**(hinted(SIDE, SIDE) if hints else {"hints": []}), "settings": {"size": SIDE}}


def farthest(ours: np.ndarray, theirs: np.ndarray) -> float:
    """CIEDE2000 at the 99th percentile."""
    return float(np.percentile(deltaE_ciede2000(rgb2lab(ours), rgb2lab(theirs)), 99))


def test_a_graphics_processor_gives_the_same_colours_and_webassembly_goes_on_when_it_is_lost(
    engine, page, site: Site, weights, pixels
):
    canvas = Colorizer(weights).open(photo_of(pixels))
    for hints in (False, True):
        theirs = canvas.picture(recipe_of(said(hints), SIDE, SIDE))
        assert farthest(engine.run(pixels, said(hints))["picture"], theirs) <= 1
    assert engine.runs_on()["how"] == "webgpu"
    assert engine.runs_on()["why"] == ""
    programs = [path for path in site.asked if path.endswith(".wasm")]
    assert programs == ["/ort/ort-wasm-simd-threaded.asyncify.wasm"]
    page.evaluate("window.device.destroy(); window.device.lost.then(() => true)")
    theirs = canvas.picture(recipe_of(said(True), SIDE, SIDE))
    assert farthest(engine.run(pixels, said(True))["picture"], theirs) <= 1
    assert engine.runs_on()["how"] == "wasm"
    assert engine.runs_on()["why"].startswith("the graphics processor failed (")


def test_one_that_does_not_start_is_not_used(engine, page, weights, pixels):
    page.add_init_script("GPUAdapter.prototype.requestDevice = async () => { throw new Error('busy'); }")
    theirs = Colorizer(weights).open(photo_of(pixels)).picture(recipe_of(said(True), SIDE, SIDE))
    page.reload()
    assert farthest(engine.run(pixels, said(True))["picture"], theirs) <= 1
    assert engine.runs_on()["how"] == "wasm"
    assert engine.runs_on()["why"].startswith("the graphics processor failed (")


def test_one_that_computes_wrongly_is_found_out(page):
    probe = page.evaluate("fetch('/model.json').then((answer) => answer.json())")["probe"]
    chroma = np.repeat(probe["values"], probe["every"]).tolist()
    assert max(map(abs, chroma)) > 0.05
    is_right = "(given) => import('/js/local/engine/runtime.js').then(({ isRight }) => isRight(...given))"
    assert page.evaluate(is_right, [probe, chroma])
    assert not page.evaluate(is_right, [probe, [-x for x in chroma]])
    chroma[probe["every"]] = float("nan")
    assert not page.evaluate(is_right, [probe, chroma])


@pytest.mark.parametrize(
    ("lacking", "why"),
    [
        (
            "Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })",
            "this browser does not offer WebGPU",
        ),
        ("GPU.prototype.requestAdapter = async () => null", "no graphics processor that WebGPU could use"),
        ("", "WebGPU is there, but without a graphics processor"),
        ("GPU.prototype.requestAdapter = async () => { throw new Error('busy'); }", "WebGPU refuses (busy)"),
        (AS_HARDWARE, ""),
    ],
)
def test_why_it_is_not_used(page, lacking, why):
    page.evaluate(f"() => {{ {lacking} }}")
    assert page.evaluate(WHY) == why
