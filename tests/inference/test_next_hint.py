import dataclasses

import numpy as np
import pytest

from hybridvit.color.bins import NUM_BINS
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PICTURE, Point
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.predictor import Predicted
from hybridvit.photo.photo import photo_of

RED, BLUE = 250, 60  # bins
HEIGHT, WIDTH = 300, 500


class Torn:
    """Sure of the left half of the picture, torn between two colours over the right one, until it has a hint there."""

    name, digest, provenance = "torn", "0" * 64, {}

    def __call__(self, L, hints=None):
        batch, height, width = L.shape
        logits = np.full((batch, -(-height // 8), -(-width // 8), NUM_BINS), -30.0, np.float32)
        logits[..., RED] = 0
        if hints is None or not hints[1][..., width // 2 :].any():
            logits[..., width // 16 :, BLUE] = 0
        nothing = np.zeros((*L.shape, 2), np.float32)
        return Predicted(nothing, nothing if hints is None else None, logits)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(Torn(), photo_of(np.full((HEIGHT, WIDTH, 1), 120, np.uint8)))


def test_it_is_where_the_model_is_torn_and_amid_it(canvas):
    (place,) = next_hints(canvas, Recipe(), 1)
    assert 0.65 * WIDTH < place.x < 0.85 * WIDTH
    assert 0.35 * HEIGHT < place.y < 0.65 * HEIGHT
    assert 0.1 < place.gain < 1


def test_several_are_apart_and_the_first_gains_most(canvas):
    places = next_hints(canvas, Recipe(), 4)
    assert len(places) == 4
    assert all(WIDTH / 2 - 8 < place.x < WIDTH and 0 < place.y < HEIGHT for place in places)
    gains = [place.gain for place in places]
    assert gains[0] == max(gains)
    assert min(gains) > 0
    assert sum(gains) < 1
    far = [np.hypot(a.x - b.x, a.y - b.y) for i, a in enumerate(places) for b in places[:i]]
    assert min(far) > HEIGHT / 10
    assert next_hints(canvas, Recipe(), 4) == places


def test_when_all_is_known_nothing_is_asked(canvas):
    assert next_hints(canvas, Recipe((Point(400, 100, "#2e6b3a", reach=PICTURE),)), 3) == []


def test_protected_areas_are_left_out(canvas):
    area = ((250, 0), (500, 0), (500, 150), (250, 150))
    recipe = Recipe(protected=(Protected(area, Recipe()),))
    assert all(place.y > 145 for place in next_hints(canvas, recipe, 3))


def test_the_size_of_the_view_matters_little(canvas):
    recipe = Recipe()
    large = dataclasses.replace(recipe, settings=Settings(size=1024))
    assert next_hints(canvas, large, 2) == next_hints(canvas, recipe, 2)
    (small,) = next_hints(canvas, dataclasses.replace(recipe, settings=Settings(size=64)), 1)
    assert small.x > WIDTH / 2
