import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import points_in_poly

from hybridvit.hints.raster import POINT_SHARE, Window, rasterise, rasterise_recipe, rasterise_view
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.shapes import HintError, Mask, Point, Region, Stroke, color_ab

RED, GREEN, BLUE = "#c03020", "#2e6b3a", "#2040c0"
coordinate = st.floats(-15, 45, width=32)  # in steps that arithmetic on them is exact enough for
xy = st.tuples(coordinate, coordinate)
size = st.integers(1, 30)


def covered(hint, height, width):
    """The picture's pixels under one hint."""
    [pixels] = rasterise([hint], height, width)
    full = np.zeros((height, width), bool)
    rows, columns = pixels.mask.shape
    full[pixels.top : pixels.top + rows, pixels.left : pixels.left + columns] = pixels.mask
    assert full.sum() == pixels.mask.sum()
    np.testing.assert_array_equal(pixels.ab, color_ab(hint.color))
    return full


def with_corners(mask, path):
    for x, y in path:
        if 0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]:
            mask[int(y), int(x)] = True
    return mask


def centres(height, width):
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack([x, y], -1)


def distance_to_path(path, height, width):
    """From every pixel's centre."""
    places, nearest = centres(height, width), np.full((height, width), np.inf)
    for start, end in zip(path, path[1:] or path, strict=False):
        along = np.subtract(end, start)
        way = np.clip((places - start) @ along / max(along @ along, 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(places - start - way[..., None] * along, axis=-1))
    return nearest


def outside(hint, height, width):
    try:
        list(rasterise([hint], height, width))
    except HintError:
        return True
    return False


@settings(deadline=None, max_examples=150)
@given(st.lists(xy, min_size=3, max_size=8), size, size)
def test_a_polygon_covers_the_pixels_whose_centres_are_in_it(path, height, width):
    hint = Region(path, RED)
    if outside(hint, height, width):
        return
    expected = np.zeros((height, width), bool)
    for i in range(1, len(path) - 1):  # even-odd: the triangles of a fan, each flipping what it covers
        triangle = [path[0], path[i], path[i + 1]]
        expected ^= points_in_poly(centres(height, width).reshape(-1, 2), triangle).reshape(height, width)
    close = distance_to_path([*path, path[0]], height, width) < 1e-3  # on an edge both answers are right
    for i in range(2, len(path) - 1):
        close |= distance_to_path([path[0], path[i]], height, width) < 1e-3
    got = covered(hint, height, width)
    np.testing.assert_array_equal(got[~close], with_corners(expected, path)[~close])
    assert with_corners(got.copy(), path).sum() == got.sum()


@settings(deadline=None, max_examples=150)
@given(st.lists(xy, min_size=1, max_size=5), st.floats(0.1, 20), size, size)
def test_a_stroke_covers_the_pixels_under_its_brush(path, width_of_brush, height, width):
    hint = Stroke(path, width_of_brush, RED)
    if outside(hint, height, width):
        return
    distance, radius = distance_to_path(path, height, width), max(width_of_brush, 1) / 2
    sure = np.abs(distance - radius) > 1e-3
    expected = with_corners(distance <= radius, path)
    np.testing.assert_array_equal(covered(hint, height, width)[sure], expected[sure])


@given(st.integers(1, 700), st.integers(1, 700), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_point_covers_its_pixel_and_a_square_around_it(height, width, down, right):
    x, y = right * width, down * height
    mask = covered(Point(x, y, RED), height, width)
    assert mask[int(y), int(x)]
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    side = max(1, round(min(height, width) * POINT_SHARE))
    assert mask.sum() == len(rows) * len(columns)
    for where, place, length in ((rows, y, height), (columns, x, width)):
        assert len(where) == side or (len(where) < side and where[0] * (where[-1] + 1 - length) == 0)
        assert np.abs(where + 0.5 - place).max() <= side / 2 + 0.5


@given(hnp.arrays(bool, st.tuples(size, size)).filter(np.any), st.integers(0, 5), st.integers(0, 5))
def test_a_mask_covers_its_pixels(inside, left, top):
    height, width = inside.shape[0] + top + 2, inside.shape[1] + left + 1
    mask = covered(Region(Mask.of(inside, left, top), RED), height, width)
    np.testing.assert_array_equal(mask[top:-2, left:-1], inside)
    assert mask.sum() == inside.sum()


place = st.tuples(st.floats(0, 39), st.floats(0, 29))
shapes = st.lists(  # built in the test: its type checks would draw from Hypothesis's random numbers
    st.one_of(
        st.tuples(st.just(Point), st.floats(0, 39), st.floats(0, 29), st.sampled_from([RED, (5, -9)])),
        st.tuples(st.just(Stroke), st.lists(place, min_size=1, max_size=3), st.floats(0.5, 9), st.just(BLUE)),
        st.tuples(st.just(Region), st.lists(place, min_size=3, max_size=5), st.sampled_from([RED, GREEN])),
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=30)
@given(shapes, st.sampled_from([(30, 40), (10, 13), (7, 40), (64, 90)]))
def test_the_view_has_the_mean_colour_of_the_pixels_in_each_cell(shapes, view):
    hints = [shape(*values) for shape, *values in shapes]
    height, width = 30, 40
    ab, label = np.zeros((height, width, 2)), np.full((height, width), -1)
    for index, (top, left, mask, color) in enumerate(rasterise(hints, height, width)):
        box = (slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1]))
        ab[box][mask], label[box][mask] = color, index
    cell = [  # of each pixel; or of each cell the one pixel at its centre
        np.floor((np.arange(n) + 0.5) * cells / n) if cells <= n else None
        for n, cells in zip((height, width), view, strict=True)
    ]
    shares = np.zeros((len(hints), *view))
    expected = np.zeros((*view, 2))
    for i in range(view[0]):
        rows = np.flatnonzero(cell[0] == i) if cell[0] is not None else [int((i + 0.5) * height / view[0])]
        for j in range(view[1]):
            columns = (
                np.flatnonzero(cell[1] == j) if cell[1] is not None else [int((j + 0.5) * width / view[1])]
            )
            here = np.ix_(rows, columns)
            for index in range(len(hints)):
                shares[index, i, j] = (label[here] == index).mean()
            if (label[here] >= 0).any():
                expected[i, j] = ab[here][label[here] >= 0].mean(0)
    best = shares.max((1, 2), keepdims=True, initial=0)
    known = ((shares > 0) & (shares >= np.minimum(0.5, best / 2))).any(0)
    got, mask = rasterise_view(hints, height, width, *view)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(mask, known)
    np.testing.assert_allclose(got, np.where(known[..., None], expected, 0), atol=1e-4)


def test_the_later_hint_counts_and_one_wholly_covered_does_not():
    square = [(10, 10), (20, 10), (20, 20), (10, 20)]
    ab, mask = rasterise_view([Region(square, RED), Region(square, BLUE)], 40, 40, 40, 40)
    assert mask.sum() == 10 * 10 + 3  # and the pixels of the corners at 20
    np.testing.assert_array_equal(ab[mask], np.tile(color_ab(BLUE), (mask.sum(), 1)))


def test_small_and_thin_hints_are_not_lost_at_the_view():
    height, width = 3000, 4000
    for hint in (
        Point(1234.5, 987.6, RED),
        Stroke([(100, 100), (3900, 2900)], 1, RED),
        Region([(5.2, 5.2), (5.4, 5.2), (5.3, 5.4)], RED),
    ):
        ab, mask = rasterise_view([hint], height, width, 192, 256)
        assert mask.any()
        np.testing.assert_allclose(ab[mask], np.tile(color_ab(RED), (mask.sum(), 1)), rtol=1e-5)


def test_without_hints_there_is_nothing():
    ab, mask = rasterise_view([], 30, 40, 15, 20)
    assert ab.shape == (15, 20, 2)
    assert not mask.any()
    assert not ab.any()
    assert not list(rasterise([], 30, 40))


def test_a_hint_outside_is_named():
    with pytest.raises(HintError, match=r"^hints\[1\]\.x: 50 is outside the picture, which is 40 x 30 px$"):
        list(rasterise([Point(1, 1, RED), Point(50, 1, RED)], 30, 40))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 25), st.integers(0, 35), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1)
)
def test_a_window_sees_what_lies_in_it(top, left, height, width, seed):
    rng = np.random.default_rng(seed)
    path = [tuple(xy) for xy in rng.uniform((0, 0), (40, 30), (5, 2))]
    hints = [
        Point(*rng.uniform((0, 0), (40, 30)), "#102030"),
        Stroke(path, rng.uniform(0.5, 9), "#102030"),
        Region(path, "#102030"),
        Region(Mask.of(rng.random((9, 12)) < 0.5, 20, 15), "#102030"),
    ]
    window = Window(top, left, min(height, 30 - top), min(width, 40 - left))

    def drawn(pixels) -> np.ndarray:
        plane = np.zeros((30, 40), bool)
        for row, column, mask, _ in pixels:
            plane[row : row + mask.shape[0], column : column + mask.shape[1]] |= mask
        return plane

    inside = np.zeros((30, 40), bool)
    inside[top : top + window.height, left : left + window.width] = True
    for hint in hints:
        whole, part = drawn(rasterise([hint], 30, 40)), drawn(rasterise([hint], 30, 40, window))
        np.testing.assert_array_equal(part, whole & inside)


def test_in_a_protected_area_its_own_hints_count():
    square = ((5.2, 5.2), (14.8, 5.2), (14.8, 14.8), (5.2, 14.8))
    protected = Protected(
        square, Recipe((Region(((10.2, 0), (39.8, 0), (39.8, 29.8), (10.2, 29.8)), (1.0, 1.0)),))
    )
    recipe = Recipe(
        (Region(((0, 0), (11.8, 0), (11.8, 29.8), (0, 29.8)), (2.0, 2.0)),), protected=(protected,)
    )
    for window in (None, Window(3, 4, 20, 20)):
        shown = np.zeros((30, 40))
        for row, column, mask, ab in rasterise_recipe(recipe, 30, 40, window):
            shown[row : row + mask.shape[0], column : column + mask.shape[1]][mask] = ab[0]
        expected = np.zeros((30, 40))
        expected[:, :12] = 2
        expected[5:15, 5:15] = 0
        expected[5:15, 10:15] = 1
        if window:
            outside = np.ones((30, 40), bool)
            outside[3:23, 4:24] = False
            expected[outside] = 0
        np.testing.assert_array_equal(shown, expected)


def test_a_weak_hint_leaves_its_pixels_to_the_view_and_takes_them_from_earlier_ones():
    square, inner = ((0, 0), (20, 0), (20, 20), (0, 20)), ((5, 5), (10, 5), (10, 10), (5, 10))
    strong, weak = Region(square, RED), Region(inner, BLUE, strength=0.5)
    assert list(rasterise([weak], 30, 40)) == []
    [pixels] = rasterise([strong, weak], 30, 40)
    [whole] = rasterise([weak, strong], 30, 40)
    assert whole.mask.sum() - pixels.mask.sum() == 28  # with those that hold its corners
    assert not pixels.mask[5:10, 5:10].any()
