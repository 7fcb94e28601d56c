"""Levels and tiles, against means taken the slow way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hybridvit.studio import pyramid
from hybridvit.studio.pyramid import TILE, Grid, build_pyramid, preview, shrink

PICTURES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])).flatmap(
    lambda shape: arrays.arrays(st.sampled_from([np.uint8, np.uint16]), shape)
)


@given(PICTURES, st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_a_pixel_is_the_mean_of_those_it_stands_for(pixels, factor):
    full = pixels.astype(float) / np.iinfo(pixels.dtype).max * 255
    small = shrink(pixels, factor)
    for row, column in np.ndindex(small.shape[:2]):
        square = full[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        np.testing.assert_allclose(small[row, column], square.mean((0, 1)), atol=1.01)


def test_in_strips_it_is_the_same(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (37, 23, 3), np.uint8)
    whole = shrink(pixels, 2)
    monkeypatch.setattr(pyramid, "_STRIP", 100)
    np.testing.assert_array_equal(shrink(pixels, 2), whole)


@given(st.integers(1, 40_000), st.integers(1, 40_000))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_each_level_once(width, height):
    grid = Grid(width, height)
    assert max(grid.size(grid.levels - 1)) <= TILE
    assert grid.levels == 1 or max(grid.size(grid.levels - 2)) > TILE
    for level in range(grid.levels):
        rows, columns = grid.tiles(level)
        assert sum(grid.box(level, row, 0).height for row in range(rows)) == grid.size(level)[0]
        assert sum(grid.box(level, 0, column).width for column in range(columns)) == grid.size(level)[1]
        assert grid.size(level) == (-(-height // 2**level), -(-width // 2**level))


def test_levels_and_previews():
    pixels = np.full((700, 1300, 1), 40_000, np.uint16)
    levels = build_pyramid(pixels)
    assert [one.shape[:2] for one in levels] == [(700, 1300), (350, 650), (175, 325)]
    assert levels[0] is pixels
    assert {int(one.min()) for one in levels[1:]} == {int(one.max()) for one in levels[1:]} == {156}
    assert preview(pixels, 256).shape == (138, 256, 1)
    assert preview(pixels[:9, :7], 256).shape == (9, 7, 1)
    assert preview(pixels[:1], 256).shape == (1, 256, 1)
