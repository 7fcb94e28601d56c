import dataclasses

import numpy as np
import pytest
from skimage.color import rgb2lab

from hybridvit.color.bins import NUM_BINS
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PaletteColor, Point, color_ab
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.carry_over import CHANGED, MOST_POINTS, carry_hints, preview_carry
from hybridvit.inference.predictor import Predicted
from hybridvit.photo.photo import photo_of

COAT, WALL = 90, 160  # gray values
GREEN = (-25.0, 20.0)


class Attentive:
    """What is as light as a hint gets its colour, wherever it is. Each lightness has a bin that is sure."""

    name, digest, provenance = "attentive", "0" * 64, {}

    def __call__(self, L, hints=None):
        ab = np.zeros((*L.shape, 2), np.float32)
        if hints is not None:
            for one, lightness, hint_ab, mask in zip(ab, L, *hints, strict=True):
                for row, column in zip(*np.nonzero(mask), strict=True):
                    one[np.abs(lightness - lightness[row, column]) < 5] = hint_ab[row, column]
        rows, columns = -(-L.shape[1] // 8), -(-L.shape[2] // 8)
        logits = np.full((len(L), rows, columns, NUM_BINS), -30.0, np.float32)
        seen = (L[:, ::8, ::8] // 10).astype(int)[..., None]
        np.put_along_axis(logits, 20 * seen, 0.0, -1)
        return Predicted(ab, ab if hints is None else None, logits)


def picture(coat: tuple[slice, slice] | None, height: int = 240, width: int = 320) -> Canvas:
    pixels = np.full((height, width, 1), WALL, np.uint8)
    if coat:
        pixels[coat] = COAT
    return Canvas(Attentive(), photo_of(pixels))


@pytest.fixture
def source() -> Canvas:
    return picture(np.s_[40:200, 30:130])


@pytest.fixture
def target() -> Canvas:
    return picture(np.s_[120:400, 300:420], 480, 600)


KNOWN = Recipe((Point(80, 100, GREEN),))


def test_the_coat_of_the_next_photograph_gets_its_colour_and_nothing_else(source, target):
    carried = carry_hints(source, KNOWN, target, Recipe(), "album/1.jpg")
    assert 1 <= len(carried.hints) <= MOST_POINTS
    for hint in carried.hints:
        assert 300 < hint.x < 420
        assert 120 < hint.y < 400
        np.testing.assert_allclose(color_ab(hint.color), GREEN, atol=1.5)  # 8 bits
        assert hint.source == "carried over from album/1.jpg"


def test_where_nothing_is_alike_nothing_is_added(source):
    assert carry_hints(source, KNOWN, picture(None), Recipe(), "1").hints == ()


def test_without_hints_there_is_nothing_to_carry_but_palette_and_settings(source, target):
    recipe = Recipe(palette=(PaletteColor("#b04030"),), settings=Settings(strength=0.5))
    assert carry_hints(source, recipe, target, Recipe(), "1") == recipe


def test_a_recipe_that_somebody_touched_keeps_its_own(source, target):
    own = Recipe(settings=Settings(strength=0.7))
    bold = Recipe(KNOWN.hints, (PaletteColor("#b04030"),), Settings(strength=2))
    carried = carry_hints(source, bold, target, own, "1")
    assert (carried.settings, carried.palette) == (own.settings, ())
    assert carry_hints(source, bold, target, Recipe(), "1").settings == bold.settings


def test_the_targets_hints_and_protected_areas_are_left_alone(source, target):
    hint = Point(360, 260, (20.0, 20.0))
    lower = ((0, 260), (600, 260), (600, 480), (0, 480))
    own = Recipe((hint,), protected=(Protected(lower, Recipe()),))
    carried = carry_hints(source, KNOWN, target, own, "1")
    assert carried.hints[0] == hint
    assert carried.protected == own.protected
    for new in carried.hints[1:]:
        assert np.hypot(new.x - hint.x, new.y - hint.y) > 10
        assert new.y < 262


def test_again_it_adds_no_more_than_there_may_be(source, target):
    recipe = Recipe()
    for _ in range(3):
        recipe = carry_hints(source, KNOWN, target, recipe, "1")
    assert len(recipe.hints) <= MOST_POINTS


def test_a_name_that_is_no_text(source, target):
    carried = carry_hints(source, KNOWN, target, Recipe(), "scan\udcff.jpg")
    assert carried.hints[0].source == "carried over from scan?.jpg"


def test_tall_photographs_and_tiny_ones(source):
    for shape in ((900, 300), (20, 30)):
        coat = tuple(slice(n // 4, 3 * n // 4) for n in shape)
        for hint in carry_hints(source, KNOWN, picture(coat, *shape), Recipe(), "1").hints:
            assert (np.array([hint.y, hint.x]) >= np.array(shape) / 4 - 1).all()


def test_a_preview_says_what_would_change_and_how_well_the_photographs_match(source, target):
    preview = preview_carry(source, KNOWN, target, Recipe(), "1")
    assert preview.recipe == carry_hints(source, KNOWN, target, Recipe(), "1")
    assert preview.match > 0.95
    assert preview.is_sure
    assert 0.1 < preview.changed < 0.6


def test_a_photograph_of_other_things_matches_less(source):
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 60, (240, 320, 1), dtype=np.uint8)
    dark[40:200, 30:130] = COAT
    preview = preview_carry(source, KNOWN, Canvas(Attentive(), photo_of(dark)), Recipe(), "1")
    assert preview.match < 0.8
    assert not preview.is_sure


@pytest.mark.parametrize("settings", [Settings(), Settings(borders="off"), Settings(size=64)])
def test_what_would_change_is_a_share_of_the_whole_photograph(source, settings):
    """As in the pictures themselves; a third of the photograph is its mount, which may be counted in or not."""
    pixels = np.full((400, 500, 1), 250, np.uint8)
    rng = np.random.default_rng(0)
    pixels[50:350, 60:440] = WALL + rng.integers(-2, 3, (300, 380, 1))
    pixels[100:350, 200:320] = COAT
    target = Canvas(Attentive(), photo_of(pixels))
    assert target.photo.inside is not None
    known = dataclasses.replace(KNOWN, settings=settings)
    preview = preview_carry(source, known, target, Recipe(), "1")
    assert preview.recipe.settings == settings
    before, then = (rgb2lab(target.picture(recipe))[..., 1:] for recipe in (Recipe(), preview.recipe))
    moved = (np.linalg.norm(then - before, axis=-1) > CHANGED).mean()
    assert moved > 0.1
    assert preview.changed == pytest.approx(moved, abs=0.02)
