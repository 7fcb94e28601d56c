import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import rgb2lab

from hybridvit.hints.shapes import (
    HintError,
    Mask,
    PaletteColor,
    Point,
    Region,
    Stroke,
    check_within,
    color_ab,
)

GREEN = "#2e6b3a"
TRIANGLE = ((0.0, 0.0), (9.0, 0.0), (0.0, 9.0))


@pytest.mark.parametrize("color", ["#2e6b3a", "#000000", "#ffffff", "#ff0000", "#0000FF"])
def test_a_hex_stands_for_its_ab(color):
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    np.testing.assert_allclose(color_ab(Point(0, 0, color).color), rgb2lab(rgb)[1:], atol=1e-4)
    np.testing.assert_array_equal(color_ab((12.5, -3.0)), np.float32([12.5, -3]))


def test_shapes_compare_by_value_whatever_they_were_made_from():
    assert Point(1, 2, "#2E6B3A") == Point(1.0, np.float32(2), GREEN)
    assert Point(1, 2, np.array([3, 4])) == Point(1, 2, [3.0, 4.0])
    assert Stroke(np.array([[1, 2], [3, 4]]), 2, GREEN) == Stroke([(1.0, 2.0), (3.0, 4.0)], 2.0, GREEN)
    assert Region(list(map(list, TRIANGLE)), GREEN) == Region(TRIANGLE, GREEN)
    assert len({Point(1, 2, GREEN, "a"), Point(1.0, 2.0, GREEN, "a"), Point(1, 2, GREEN)}) == 2


@given(
    hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))).filter(np.any),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_a_mask_keeps_the_array_it_is_made_of(inside, left, top):
    mask = Mask.of(inside, left, top)
    decoded = np.repeat(np.arange(len(mask.runs)) % 2 == 1, mask.runs).reshape(mask.height, mask.width)
    np.testing.assert_array_equal(decoded, inside)
    assert (mask.left, mask.top) == (left, top)
    assert all(mask.runs[1:])


@pytest.mark.parametrize(
    ("build", "line"),
    [
        (
            lambda: Point(0, 0, "green"),
            "color: 'green' is not an sRGB colour like '#2e6b3a', nor CIE a and b",
        ),
        (lambda: Point(0, 0, "#2e6b3"), "color: '#2e6b3' is not"),
        (lambda: Point(0, 0, (1, 2, 3)), r"color: \(1, 2, 3\) is not"),
        (lambda: Point(0, 0, (1, 200)), "color: 200 is not a number from -128 to 128"),
        (lambda: Point(0, 0, None), "color: None is not"),
        (lambda: Point(float("nan"), 0, GREEN), "x: nan is not a number from"),
        (lambda: Point(0, "1", GREEN), "y: '1' is not a number from"),
        (lambda: Point(0, True, GREEN), "y: True is not a number"),
        (lambda: Point(0, 10**400, GREEN), "y: 1000.*is not a number"),
        (lambda: Point(0, 0, GREEN, 12), "source: 12 is not a text"),
        (lambda: Point(0, 0, GREEN, "x" * 3000), "source: 'xxx.*is not a text of up to 2000 characters"),
        (lambda: Point(0, 0, GREEN, "\ud800"), "source: '.ud800' is not a text"),
        (lambda: Stroke([], 1, GREEN), "points: there are 0, but it takes 1 to 10000"),
        (lambda: Stroke(5, 1, GREEN), r"points: 5 is not a list of \[x, y\]"),
        (lambda: Stroke([(1, 2), (1,)], 1, GREEN), r"points\[1\]: \(1,\) is not \[x, y\]"),
        (lambda: Stroke([(1, 2), (1, "a")], 1, GREEN), r"points\[1\]: 'a' is not a number"),
        (lambda: Stroke([(1, 2)], 0, GREEN), "width: it is 0; give a positive number"),
        (lambda: Region([(0, 0), (1, 1)], GREEN), "polygon: there are 2, but it takes 3 to 10000"),
        (lambda: Mask(0, 0, 2, 2, (0, 3)), "runs: they add up to 3 pixels, but 2 x 2 is 4"),
        (lambda: Mask(0, 0, 2, 2, (4,)), "runs: no pixel is in the mask"),
        (lambda: Mask(0, 0, 2, 2, (-1, 5)), "runs: -1 is not a number from 0 to 4"),
        (lambda: Mask(0.5, 0, 2, 2, (0, 4)), "left: 0.5 is not a whole number"),
        (lambda: Mask(0, 0, 0, 2, (0,)), "width: 0 is not a number from 1"),
        (lambda: PaletteColor((1, 2)), r"color: \(1, 2\) is not an sRGB colour like"),
        (lambda: PaletteColor(GREEN, -1), "weight: -1 is not a number from 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_begins_with_the_field(build, line):
    with pytest.raises(HintError, match=f"^{line}") as error:
        build()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("hint", "line"),
    [
        (Point(40, 5, GREEN), "x: 40 is outside the picture, which is 40 x 30 px"),
        (Point(5, -0.1, GREEN), "y: -0.1 is outside"),
        (Stroke([(-9, 5), (-6, 5)], 10, GREEN), "points: all of it is outside"),
        (Region([(50, 0), (60, 0), (50, 9)], GREEN), "polygon: all of it is outside"),
        (Region(Mask.of(np.ones((3, 3), bool), 38, 0), GREEN), "mask: it is partly outside"),
        (Region(Mask.of(np.ones((3, 3), bool), 0, 28), GREEN), "mask: it is partly outside"),
    ],
)
def test_hints_outside_the_picture_are_noticed(hint, line):
    with pytest.raises(HintError, match=f"^{line}"):
        check_within(hint, 40, 30)


def test_hints_that_reach_into_the_picture_are_fine():
    check_within(Point(39.9, 29.9, GREEN), 40, 30)
    check_within(Stroke([(-9, 5), (-4, 5)], 10, GREEN), 40, 30)
    check_within(Region([(-50, -50), (100, -50), (0, 100)], GREEN), 40, 30)
    check_within(Region(Mask.of(np.ones((30, 40), bool)), GREEN), 40, 30)
