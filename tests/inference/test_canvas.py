import numpy as np
import pytest
from scipy.special import softmax
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.hints.raster import Window, rasterise_recipe
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import HintError, Mask, Point, Region, Stroke
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.full_resolution import TILE, Painter, paint_hints
from hybridvit.inference.photo import photo_of
from hybridvit.inference.predictor import Predictor

HEIGHT, WIDTH = TILE[0] + 40, 2 * TILE[1] + 30
SMALL = Settings(size=64)
RED = Point(300, 100, (40.0, 25.0))
BLUE = Stroke(((600, 40), (900, 250)), 40, (5.0, -35.0))


@pytest.fixture(scope="module")
def predictor(tiny_weights) -> Predictor:
    return Predictor(tiny_weights)


@pytest.fixture
def canvas(predictor) -> Canvas:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = 128 + 100 * np.sin(np.hypot(y - 70, x - 200) / 25)
    return Canvas(predictor, photo_of(waves.astype(np.uint8)))


@pytest.fixture
def runs(predictor, monkeypatch) -> list:
    """One entry a run of the model."""
    runs = []
    predict = predictor._predict
    monkeypatch.setattr(predictor, "_predict", lambda *given: runs.append(given) or predict(*given))
    return runs


def recipe(*hints, **more) -> Recipe:
    return Recipe(hints, **{"settings": SMALL} | more)


def test_new_hints_are_one_run_and_what_was_seen_is_none(canvas, runs):
    canvas.chroma(recipe())
    assert len(runs) == 1
    canvas.chroma(recipe(RED))
    canvas.logits(recipe(RED))
    canvas.doubt(recipe(RED))
    assert len(runs) == 2
    canvas.chroma(recipe(RED, BLUE))
    assert len(runs) == 3
    canvas.picture(recipe(RED))
    canvas.chroma(recipe())
    assert len(runs) == 3


def test_tiles_are_the_pictures_pixels(canvas):
    area = Protected(Mask.of(np.ones((60, 300), bool), 500, 100), recipe(BLUE))
    one = recipe(RED, Region(((0, 200), (1000, 230), (400, 290)), "#2e6b3a"), BLUE, protected=(area,))
    picture, pixels = canvas.picture(one), canvas.photo.pixels
    painter = Painter(pixels, canvas.chroma(one), canvas.lightness(64))
    for top in range(0, HEIGHT, TILE[0]):
        for left in range(0, WIDTH, TILE[1]):
            size = min(TILE[0], HEIGHT - top), min(TILE[1], WIDTH - left)
            tile, window = painter.tile(top, left, *size), Window(top, left, *size)
            given = pixels[top : top + size[0], left : left + size[1]]
            paint_hints(tile, given, rasterise_recipe(one, HEIGHT, WIDTH, window), top, left)
            np.testing.assert_array_equal(tile, picture[top : top + size[0], left : left + size[1]])


def test_a_protected_area_does_not_change(canvas):
    before = canvas.picture(recipe(RED))
    area = Protected(((200, 50), (400, 50), (400, 150), (200, 150)), recipe(RED))
    other = recipe(Point(300, 100, (-40.0, 30.0)), Point(500, 100, (-40.0, 30.0)))
    changed = canvas.picture(recipe(*other.hints))
    kept = canvas.picture(recipe(*other.hints, protected=(area,)))
    inside = np.s_[60:140, 210:390]
    off = deltaE_ciede2000(rgb2lab(kept[inside]), rgb2lab(before[inside]))
    assert np.quantile(off, 0.99) < 1
    assert off[40, 90] < 0.1  # the hint that was there still is
    assert deltaE_ciede2000(rgb2lab(changed[inside]), rgb2lab(before[inside])).max() > 10
    outside = np.s_[:, 460:]
    off = deltaE_ciede2000(rgb2lab(kept[outside]), rgb2lab(changed[outside]))
    assert off.max() < 0.1


def test_a_protected_area_keeps_the_settings_it_had(canvas):
    gray = recipe(settings=Settings(size=128, strength=0.0))
    area = Protected(((0, 0), (WIDTH, 0), (WIDTH, 150), (0, 150)), gray)
    chroma = canvas.chroma(recipe(protected=(area,)))
    assert np.abs(chroma[:30]).max() == 0
    assert np.abs(chroma[36:]).max() > 5


def test_the_first_of_overlapping_areas_counts(canvas):
    areas = tuple(
        Protected(((0, 0), (500, 0), (500, 200), (0, 200)), recipe(Point(300, 100, color)))
        for color in ((40.0, 25.0), (-40.0, 30.0))
    )
    lab = rgb2lab(canvas.picture(recipe(protected=areas)))[100, 300]
    assert deltaE_ciede2000(lab, [lab[0], 40, 25]) < 2


def test_doubt_is_how_often_draws_fall_far_from_the_mean(canvas):
    logits = canvas.logits(recipe(RED))[3, 4].astype(float)
    probs, sharp = softmax(logits), softmax(logits / 0.38)
    draws = BIN_CENTRES[np.random.default_rng(0).choice(NUM_BINS, 200_000, p=probs)]
    far = np.linalg.norm(draws - sharp @ BIN_CENTRES, axis=-1) > 10
    assert canvas.doubt(recipe(RED))[3, 4] == pytest.approx(far.mean(), abs=0.005)


def test_hints_outside_are_named(canvas):
    with pytest.raises(HintError, match=r"hints\[0\].x: 5000 is outside the picture"):
        canvas.chroma(recipe(Point(5000, 3, "#102030")))
