"""The engine of the page against Python: the same colours, and the same of what is shown beside, by WebAssembly."""

import pathlib

import numpy as np
import pytest
import skimage
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.export.web_graphs import write_graphs
from hybridvit.export.web_model import RUNTIME_FILES
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.suggestions import likely_colors
from hybridvit.inference.weights import PRETRAINED, load_weights
from hybridvit.photo.photo import photo_of
from tests.page_engine import BUNDLED, PLACE, PageEngine, as_released, hinted, recipe_of, write_scripts
from tests.static_site import serve
from tests.studio.browsing import SECONDS, open_browser

SMALL = {"size": 128}


@pytest.fixture(scope="module")
def weights(lite_weights, tmp_path_factory):
    return as_released(lite_weights, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def folder(weights, tmp_path_factory) -> pathlib.Path:
    """The page's scripts with a small model."""
    folder = tmp_path_factory.mktemp("engine")
    write_scripts(weights, folder)
    return folder


@pytest.fixture(scope="module")
def engine(folder):
    with open_browser() as browser, serve(folder) as site:
        page = browser.new_page()
        page.set_default_timeout(SECONDS * 1000)
        yield PageEngine(page, site.address)


@pytest.fixture(scope="module")
def colorizer(weights) -> Colorizer:
    return Colorizer(weights)


def gray(name: str) -> np.ndarray:
    """uint8 [h, w, 1]: a small picture that comes with scikit-image."""
    with Image.open(next((pathlib.Path(skimage.__file__).parent / "data").glob(f"{name}.*"))) as opened:
        picture = opened.convert("L")
    picture.thumbnail((150, 150))
    return np.asarray(picture)[..., None]


def farthest(ours: np.ndarray, theirs: np.ndarray) -> float:
    """CIEDE2000 at the 99th percentile."""
    return float(np.percentile(deltaE_ciede2000(rgb2lab(ours), rgb2lab(theirs)), 99))


@pytest.mark.parametrize("name", BUNDLED)
def test_a_photograph_without_and_with_hints_is_coloured_as_python_does(engine, colorizer, name):
    pixels = gray(name)
    height, width, _ = pixels.shape
    canvas = colorizer.open(photo_of(pixels))
    pictures = []
    for said in ({"hints": []}, hinted(width, height)):
        said["settings"] = SMALL
        found = engine.run(pixels, said)["picture"]
        assert farthest(found, canvas.picture(recipe_of(said, width, height))) <= 1
        pictures.append(found)
    assert farthest(*pictures) > 3  # the hints were heard


@pytest.mark.parametrize(
    "more",
    [
        {"settings": {**SMALL, "decode": "mean", "strength": 1.3}},
        {"settings": {**SMALL, "decode": "sample", "seed": 3}},
        {"settings": SMALL, "palette": [{"color": "#805030", "weight": 2}, {"color": "#3060a0"}]},
        {"settings": SMALL, "protected": [{"polygon": [[0, 0], [60, 0], [60, 50], [0, 50]], "hints": []}]},
    ],
    ids=["mean", "possibility", "palette", "protected"],
)
def test_all_that_a_recipe_can_say(engine, colorizer, more):
    pixels = gray("coffee")
    height, width, _ = pixels.shape
    said = {**hinted(width, height), **more}
    theirs = colorizer.open(photo_of(pixels)).picture(recipe_of(said, width, height))
    assert farthest(engine.run(pixels, said)["picture"], theirs) <= 1


def test_what_is_shown_beside(engine, colorizer):
    pixels = gray("astronaut")
    height, width, _ = pixels.shape
    said = {**hinted(width, height), "settings": SMALL}
    recipe, canvas = recipe_of(said, width, height), colorizer.open(photo_of(pixels))
    found = engine.run(pixels, said, asks=True)
    assert np.abs(found["doubt"] - canvas.doubt(recipe)).max() < 0.01
    theirs = likely_colors(canvas, recipe, PLACE[0] * width, PLACE[1] * height)
    assert [one["color"] for one in found["likely"]] == [one.color for one in theirs]
    places = [(one["x"], one["y"]) for one in found["next"]]
    np.testing.assert_allclose(places, [(one.x, one.y) for one in next_hints(canvas, recipe)], atol=0.01)


def test_the_released_model_is_at_most_12_megabytes_and_its_runtime_lies_beside(tmp_path, folder):
    files = write_graphs(load_weights(PRETRAINED), tmp_path)
    assert sum((tmp_path / name).stat().st_size for name in files) <= 12e6
    assert {path.name for path in (folder / "ort").iterdir()} == set(RUNTIME_FILES)
