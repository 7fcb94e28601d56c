"""What a protected area keeps, and that its hints lie in a picture that is no square."""

import pytest

from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.shapes import HintError, Point

CORNER = ((0.0, 0.0), (5.0, 0.0), (5.0, 5.0))


def test_its_area_as_a_hint_has_no_colour():
    region = Protected(CORNER, Recipe()).region
    assert (region.area, region.color) == (CORNER, (0.0, 0.0))


def test_its_hints_may_lie_wherever_the_picture_is():
    recipe = Recipe(protected=(Protected(CORNER, Recipe((Point(35, 5, "#203040"),))),))
    recipe.check_within(40, 30)
    with pytest.raises(HintError, match=r"protected\[0\]\.hints\[0\]"):
        recipe.check_within(30, 40)
