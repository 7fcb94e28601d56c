import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import HintError
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.predictor import Predicted
from hybridvit.inference.suggestions import APART, choose, likely_colors, shown_at
from hybridvit.photo.photo import photo_of

RED, GREEN, BLUE = (
    int(np.linalg.norm(BIN_CENTRES - ab, axis=-1).argmin()) for ab in ((40, 30), (-30, 30), (10, -40))
)


class Model:
    """Its distribution is a function of the numbers of cells; None is a method without one. It shows one colour."""

    name, digest, provenance = "model", "0" * 64, {}

    def __init__(self, probs, shown=RED):
        self.probs, self.shown = probs, BIN_CENTRES[shown]

    def __call__(self, L, hints=None):
        shown = np.broadcast_to(self.shown.astype(np.float32), (*L.shape, 2))
        if self.probs is None:
            return Predicted(shown, shown, None)
        probs = self.probs(-(-L.shape[1] // 8), -(-L.shape[2] // 8))
        return Predicted(shown, shown, np.log(np.maximum(probs, 1e-12)).astype(np.float32)[None])


def constant(**shares):
    def probs(rows, columns):
        cells = np.zeros((rows, columns, NUM_BINS))
        for bin_, share in ((RED, "red"), (GREEN, "green"), (BLUE, "blue")):
            cells[..., bin_] = shares.get(share, 0)
        return cells

    return probs


def canvas(probs, value=120, shape=(100, 140), shown=RED):
    return Canvas(Model(probs, shown), photo_of(np.full((*shape, 1), value, np.uint8)))


def test_colours_and_shares_are_those_of_the_distribution():
    colors = likely_colors(canvas(constant(red=0.5, green=0.3, blue=0.2)), Recipe(), 70.5, 31)
    assert [color.share for color in colors] == pytest.approx([0.5, 0.3, 0.2], abs=1e-4)
    for color, bin_ in zip(colors, (RED, GREEN, BLUE), strict=True):
        assert math.dist(color.ab, BIN_CENTRES[bin_]) < 1
        L, *ab = rgb2lab(np.array(list(bytes.fromhex(color.color[1:]))) / 255)
        assert math.dist(ab, color.ab) < 0.01
        assert pytest.approx(rgb2lab(np.full(3, 120 / 255))[0], abs=0.5) == L


def test_where_the_model_is_sure_there_is_one_colour():
    (only,) = likely_colors(canvas(constant(green=1), shown=GREEN), Recipe(), 1, 1)
    assert only.share == pytest.approx(1)


def test_where_the_gamut_has_no_room_there_is_one_colour():
    (only,) = likely_colors(canvas(constant(red=0.6, green=0.4), value=255), Recipe(), 1, 1)
    assert only.color == "#ffffff"


def test_it_is_interpolated_between_cells():
    def half(rows, columns):
        probs = np.zeros((rows, columns, NUM_BINS))
        probs[:, : columns // 2, RED] = 1
        probs[:, columns // 2 :, GREEN] = 1
        return probs

    open_ = canvas(half, shape=(128, 160))  # cells of 8 px, the border at 80
    for x, share in ((40, 1), (78, 0.75), (82, 0.25), (120, 0)):
        of_red = [c.share for c in likely_colors(open_, Recipe(), x, 60) if c.ab[0] > 0]
        assert sum(of_red) == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize(("x", "y", "field"), [(-1, 3, "x"), (140, 3, "x"), (3, 100, "y")])
def test_a_place_outside_is_named(x, y, field):
    with pytest.raises(HintError, match=f"^{field}: .* is outside the picture"):
        likely_colors(canvas(constant(red=1)), Recipe(), x, y)


def test_a_method_without_a_distribution_says_so():
    with pytest.raises(ValueError, match="use a model's weights"):
        likely_colors(canvas(None), Recipe(), 3, 3)


def test_the_first_is_the_colour_shown_however_rare():
    colors = likely_colors(canvas(constant(red=0.01, green=0.6, blue=0.39)), Recipe(), 70.5, 31)
    for color, bin_ in zip(colors, (RED, GREEN, BLUE), strict=True):
        assert math.dist(color.ab, BIN_CENTRES[bin_]) < 1


def test_gray_is_suggested_where_it_is_likely_and_not_between_brown_and_blue():
    def grays(*places):
        probs = np.zeros(NUM_BINS)
        for place in places:
            probs += np.exp(-np.square(np.linalg.norm(BIN_CENTRES - place, axis=-1) / 7))
        colors, _ = choose(BIN_CENTRES, probs / probs.sum(), 5, np.array([50.0, 50.0]))
        return sum(np.linalg.norm(colors, axis=-1) < 6)

    assert grays((15, 15), (-15, -15)) == 0
    assert grays((0, 0)) == 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.01, 2), st.integers(1, 7))
def test_the_colours_are_apart_and_in_order(seed, concentration, count):
    rng = np.random.default_rng(seed)
    probs, first = rng.dirichlet(np.full(NUM_BINS, concentration)), BIN_CENTRES[rng.integers(NUM_BINS)]
    colors, share = choose(BIN_CENTRES, probs, count, first)
    assert 1 <= len(colors) <= count
    np.testing.assert_array_equal(colors[0], first)
    assert share.sum() == pytest.approx(1)
    assert (np.diff(share[1:]) <= 0).all()
    assert min((math.dist(a, b) for i, a in enumerate(colors) for b in colors[:i]), default=APART) >= APART


def test_shown_at_keeps_the_hue():
    (color,), ab = shown_at(20.0, np.array([[10.0, -70.0]], np.float32))
    a, b = ab[0]
    assert -70 < b < -10
    assert math.atan2(b, a) == pytest.approx(math.atan2(-70, 10), abs=0.05)
    assert len(color) == 7
