import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hybridvit.hints.frame import WHOLE, Crop, Frame, told
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.shapes import HintError

PIXELS = np.arange(7 * 11 * 3, dtype=np.uint8).reshape(7, 11, 3)
crops = st.none() | st.builds(
    lambda x, y, width, height: Crop(x, y, min(width, 11 - x), min(height, 7 - y)),
    *(st.integers(low, high) for low, high in ((0, 10), (0, 6), (1, 11), (1, 7))),
)
frames = st.builds(Frame, st.integers(0, 3), crops)


@given(frames)
def test_it_shows_what_pillow_shows_of_the_crop_turned_clockwise(frame):
    picture = Image.fromarray(PIXELS)
    if crop := frame.crop:
        picture = picture.crop((crop.x, crop.y, crop.x + crop.width, crop.y + crop.height))
    expected = np.asarray(picture.rotate(-90 * frame.turns, expand=True))
    np.testing.assert_array_equal(frame.apply(PIXELS), expected)
    np.testing.assert_array_equal(frame.apply(PIXELS[..., 0]), expected[..., 0])


@given(frames, st.integers(0, 10), st.integers(0, 6))
def test_a_place_is_shown_if_its_pixel_is(frame, x, y):
    marked = np.zeros((7, 11), bool)
    marked[y, x] = True
    assert frame.holds(x + 0.5, y + 0.5) == frame.apply(marked).any()


@given(frames, st.sampled_from([1, 2, 4]))
def test_of_a_smaller_picture_it_shows_all_that_it_touches(frame, step):
    height, width = -(-7 // step), -(-11 // step)
    small = frame.shrunk(step, width, height)
    small.check_within(width, height)
    inside = np.zeros((7, 11), bool)
    crop = frame.crop or Crop(0, 0, 11, 7)
    inside[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width] = True
    touched = {(i // step, j // step) for i, j in zip(*np.nonzero(inside), strict=True)}
    part = small.crop or Crop(0, 0, width, height)
    rows, columns = range(part.y, part.y + part.height), range(part.x, part.x + part.width)
    assert touched == {(i, j) for i in rows for j in columns}


def test_protected_areas_have_none():
    recipe = Recipe(frame=Frame(1))
    with pytest.raises(HintError, match="recipe: a protected area has no frame of its own"):
        Protected(((0, 0), (5, 0), (5, 5)), recipe)
    assert Protected(((0, 0), (5, 0), (5, 5)), dataclasses.replace(recipe, frame=WHOLE)).recipe == Recipe()


def test_in_words():
    crop = {"x": 40, "y": 20, "width": 300, "height": 200}
    assert told({"crop": crop, "turns": 1}) == (
        "cropped to 300 x 200 px from 40, 20, then turned clockwise by 90 degrees"
    )
    assert told({"turns": 3}) == "turned clockwise by 270 degrees"
