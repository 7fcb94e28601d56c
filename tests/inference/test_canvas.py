import dataclasses

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.special import softmax
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.hints.raster import Window, rasterise_recipe
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PICTURE, HintError, Mask, Point, Region, Stroke
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.full_resolution import TILE, Painter, paint_hints
from hybridvit.inference.predictor import Predicted, Predictor
from hybridvit.photo.photo import photo_of

HEIGHT, WIDTH = TILE[0] + 40, 2 * TILE[1] + 30
SMALL = Settings(size=64)
RED = Point(300, 100, (40.0, 25.0), reach=PICTURE)
BLUE = Stroke(((600, 40), (900, 250)), 40, (5.0, -35.0))


FAR_BLUE = dataclasses.replace(BLUE, reach=PICTURE)


class Tinting:
    """Sure of gray; with hints all of the picture is of their mean colour, or of a share of it."""

    name, digest, provenance = "tinting", "0" * 64, {}

    def __init__(self, share=1.0):
        self.share = share

    def __call__(self, L, hints=None):
        ab = np.zeros((*L.shape, 2), np.float32)
        if hints is not None:
            ab += np.where(hints[1][..., None], 1, self.share) * hints[0][hints[1]].mean(0)
        logits = np.full((len(L), -(-L.shape[1] // 8), -(-L.shape[2] // 8), NUM_BINS), -30, np.float32)
        logits[..., np.linalg.norm(BIN_CENTRES, axis=-1).argmin()] = 0
        return Predicted(ab, ab if hints is None else None, logits)


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
    canvas.chroma(recipe(RED, FAR_BLUE))
    assert len(runs) == 3
    canvas.picture(recipe(RED))
    canvas.chroma(recipe())
    assert len(runs) == 3


def test_what_keeps_to_its_reach_takes_no_run(canvas, runs):
    canvas.chroma(recipe())
    canvas.chroma(recipe(BLUE))
    canvas.logits(recipe(BLUE))
    assert len(runs) == 1


def test_an_area_changes_itself_and_nothing_beyond_its_edge(canvas):
    free, blue = (canvas.chroma(recipe(*hints)) for hints in ((), (BLUE,)))
    _, own = canvas.hint_map((BLUE,), SMALL)
    np.testing.assert_allclose(blue[own], np.broadcast_to(BLUE.color, (own.sum(), 2)), atol=1e-4)
    far = distance_transform_edt(~own) > 3
    np.testing.assert_array_equal(blue[far], free[far])
    soft = ~own & ~far & (np.abs(blue - free).max(-1) > 1)
    assert soft.any()


def test_hints_that_keep_to_their_reach_count_alike_in_any_order(canvas):
    green = Point(100, 200, (-60.0, 60.0))
    one, other = canvas.chroma(recipe(BLUE, green)), canvas.chroma(recipe(green, BLUE))
    np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("reach", [0.5, 1.0])
def test_to_confirm_what_is_shown_changes_its_own_pixels_alone_until_there_is_news(reach):
    """The model shows gray, and by any hint all of its picture takes the hints' mean colour."""
    colored = Canvas(Tinting(), photo_of(np.full((240, 320, 1), 120, np.uint8)))
    gray = Point(100, 100, (1.0, -1.0), reach=reach)
    _, own = colored.hint_map((gray,), SMALL)
    ab = colored.chroma(recipe(gray))
    np.testing.assert_allclose(ab[own], np.broadcast_to((1, -1), (own.sum(), 2)), atol=1e-5)
    assert np.abs(ab[distance_transform_edt(~own) > 4]).max() == 0
    assert colored.laid_over(recipe(gray)) == (dataclasses.replace(gray, reach=0.0),)
    news = Point(200, 100, (40.0, 30.0), reach=PICTURE)
    assert colored.laid_over(recipe(gray, news)) == ()
    assert np.median(np.abs(colored.chroma(recipe(gray, news)))) > 1


@pytest.mark.parametrize("reach", [0.0, 0.5, 1.0])
def test_a_hint_without_strength_changes_nothing_and_half_of_it_goes_half_way(canvas, reach):
    def chroma(strength):
        return canvas.chroma(recipe(dataclasses.replace(BLUE, reach=reach, strength=strength)))

    _, own = canvas.hint_map((BLUE,), SMALL)
    free, none, half, all_ = canvas.chroma(recipe()), chroma(0.0), chroma(0.5), chroma(1.0)
    np.testing.assert_allclose(none, free, atol=1e-3)  # it confirms what is shown
    if reach < 1:
        np.testing.assert_allclose(half[own], (free[own] + all_[own]) / 2, atol=1e-3)
    height, width = canvas.photo.pixels.shape[:2]
    assert not list(rasterise_recipe(recipe(dataclasses.replace(BLUE, strength=0.5)), height, width))


def test_the_reach_grows_from_the_hints_pixels_to_the_picture(canvas):
    point = Point(600, 150, (60.0, -60.0))
    masks = [canvas.reach_of(dataclasses.replace(point, reach=r), SMALL) for r in (0, 0.25, 0.5, 0.75, 1)]
    shares = [float(mask.mean()) for mask in masks]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.02
    assert shares[-1] == 1
    _, own = canvas.hint_map((point,), SMALL)
    assert all(mask[own].min() > 0.99 for mask in masks)


def test_a_point_that_contradicts_the_model_stays_on_its_square():
    """A dark square on a light ground, and a model that knows gray alone and tints a little of all by any hint."""
    pixels = np.full((240, 320, 1), 190, np.uint8)
    square = np.s_[60:160, 80:200]
    pixels[square] = 70
    colored = Canvas(Tinting(0.12), photo_of(pixels))
    ab = colored.chroma(Recipe((Point(140, 110, (40.0, 30.0)),), settings=Settings(256, decode="mean")))
    inside = np.zeros((240, 320), bool)
    inside[square] = True
    inside = np.asarray(Image.fromarray(inside).resize(ab.shape[1::-1]))
    assert (np.linalg.norm(ab - (40, 30), axis=-1)[inside] < 10).mean() > 0.9
    assert (np.linalg.norm(ab, axis=-1)[~inside] > 5).mean() < 0.5  # all is the same to this model
    assert np.median(np.linalg.norm(ab, axis=-1)[~inside]) > 1  # it may be right, a little
    everywhere = Point(140, 110, (40.0, 30.0), reach=PICTURE)
    ab = Canvas(Tinting(), photo_of(pixels)).chroma(
        Recipe((everywhere,), settings=Settings(256, decode="mean"))
    )
    assert (np.linalg.norm(ab - (40, 30), axis=-1) < 1).all()


def test_what_contradicts_the_model_is_the_tone_of_all_where_the_model_spreads_it_so():
    pixels = np.full((240, 320, 1), 190, np.uint8)
    pixels[60:160, 80:200] = 70
    moved = []
    for share in (0.1, 0.35, 0.42, 1.0):
        ab = Canvas(Tinting(share), photo_of(pixels)).chroma(
            Recipe((Point(140, 110, (40.0, 30.0)),), settings=Settings(256, decode="mean"))
        )
        moved.append(np.linalg.norm(ab[8, 8]))
    np.testing.assert_allclose(moved[2:], (21, 50), atol=0.5)
    assert 1 < moved[0] < 4.9
    assert moved[1] == pytest.approx(2 * moved[0], rel=0.05)  # half believed, twice as far


def test_tiles_are_the_pictures_pixels(canvas):
    area = Protected(Mask.of(np.ones((60, 300), bool), 500, 100), recipe(BLUE))
    one = recipe(RED, Region(((0, 200), (1000, 230), (400, 290)), "#2e6b3a"), BLUE, protected=(area,))
    picture, pixels = canvas.picture(one), canvas.photo.pixels
    painter = Painter(pixels, canvas.chroma(one), canvas.lightness(SMALL))
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
