import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from skimage.color import deltaE_ciede2000, rgb2lab

from hybridvit.hints.raster import rasterise, rasterise_view
from hybridvit.hints.shapes import Mask, Point, Region, Stroke, color_ab
from hybridvit.inference.hint_residual import spread_residual
from hybridvit.inference.view import view_lightness, view_size
from tests.painted import colour_picture

rng = np.random.default_rng(8)


def view(height=64, width=96, flat=True):
    L = np.full((height, width), 50, np.float32) if flat else rng.uniform(0, 100, (height, width))
    return L.astype(np.float32), rng.normal(0, 20, (height, width, 2)).astype(np.float32)


def one_hint(ab, row, column, error):
    hint_ab, mask = np.zeros_like(ab), np.zeros(ab.shape[:2], bool)
    hint_ab[row : row + 2, column : column + 2] = ab[row : row + 2, column : column + 2] + error
    mask[row : row + 2, column : column + 2] = True
    return hint_ab, mask


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 400), st.integers(0, 2**31), st.booleans())
def test_hints_are_met_exactly_and_nothing_is_overshot(count, seed, flat):
    draw = np.random.default_rng(seed)
    L, ab = view(flat=flat)
    mask = np.zeros(L.shape, bool)
    mask.ravel()[draw.permutation(mask.size)[:count]] = True
    hint_ab = np.where(mask[..., None], ab + draw.uniform(-30, 30, ab.shape), 0).astype(np.float32)
    corrected = spread_residual(L, ab, hint_ab, mask)
    assert corrected.dtype == np.float32
    np.testing.assert_array_equal(corrected[mask], hint_ab[mask])
    assert np.abs(corrected - ab).max() < 2 * 30


def test_without_hints_or_with_hints_that_are_met_nothing_changes():
    L, ab = view(flat=False)
    nothing = np.zeros(L.shape, bool)
    np.testing.assert_array_equal(spread_residual(L, ab, np.zeros_like(ab), nothing), ab)
    mask = rng.random(L.shape) < 0.01
    np.testing.assert_allclose(spread_residual(L, ab, np.where(mask[..., None], ab, 0), mask), ab, atol=1e-4)


def test_a_lone_hint_fades_with_distance_and_across_edges():
    L, ab = view()
    L[:, 48:] = 90
    hint_ab, mask = one_hint(ab, 30, 40, np.float32([20, -10]))
    change = spread_residual(L, ab, hint_ab, mask) - ab
    np.testing.assert_allclose(change[30, 40], [20, -10], atol=1e-4)
    strength = change @ [20, -10] / 500
    beside, across, far = strength[30, 34], strength[30, 48], strength[0, 0]
    assert 0.5 < beside < 1
    assert 0 < across < 0.2 * beside
    assert 0 <= far < 0.1
    row = strength[30, :40]
    assert (np.diff(row) > 0).all()


def test_it_is_gaussian_process_regression():
    L, ab = view(16, 24, flat=False)
    places = [(1, 2), (8, 20), (14, 5), (7, 9)]  # apart by more than the cell whose hints are taken as one
    mask = np.zeros(L.shape, bool)
    mask[tuple(np.transpose(places))] = True
    hint_ab = np.where(mask[..., None], ab + rng.normal(0, 10, ab.shape), 0).astype(np.float32)
    y, x = np.mgrid[:16, :24]
    points = np.stack([L / 20, y / (0.25 * 16), x / (0.25 * 16)], -1)
    sites = points[mask]
    covariance = np.exp(-cdist(sites, sites)) + 0.01 * np.eye(4)
    expected = ab + np.exp(-cdist(points.reshape(-1, 3), sites)).reshape(16, 24, 4) @ np.linalg.solve(
        covariance, (hint_ab - ab)[mask]
    )
    got = spread_residual(L, ab, hint_ab, mask)
    np.testing.assert_allclose(got[~mask], expected[~mask], atol=1e-3)


def test_the_scale_of_the_view_does_not_matter():
    small_L, small_ab = view(flat=False)
    mask = np.zeros(small_L.shape, bool)
    mask[10:12, 70:72] = mask[40:42, 20:22] = True
    hints = np.where(mask[..., None], small_ab + np.float32([10, 20]), 0).astype(np.float32)
    large = [np.kron(x, np.ones((4, 4, 1)[: x.ndim])) for x in (small_L, small_ab, hints)]
    large = [x.astype(np.float32) for x in large]
    small_change = spread_residual(small_L, small_ab, hints, mask) - small_ab
    large_change = spread_residual(*large, np.kron(mask, np.ones((4, 4))).astype(bool)) - large[1]
    np.testing.assert_allclose(large_change[2::4, 2::4], small_change, atol=0.6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_in_the_coloured_picture_hints_are_honoured_at_their_pixels(dtype):
    top = np.iinfo(dtype).max
    y, x = np.mgrid[:300, :420]
    gray = 0.5 + 0.15 * np.sin(x / 9) * np.cos(y / 17) + rng.normal(0, 0.02, y.shape)
    pixels = np.rint(np.where(x > 200, gray, 0.8 * gray) * top).astype(dtype)[..., None]
    hints = [
        Region([(150, 20), (300, 60), (210, 200)], (10.0, 20.0)),
        Stroke([(20, 250), (400, 270)], 9, "#7a6a80"),
        Point(100.5, 90.2, "#608060"),
        Region(Mask.of(rng.random((20, 30)) < 0.5, 350, 30), (-8.0, -15.0)),
        Point(101.0, 90.0, (5.0, 10.0)),  # partly over the other
    ]
    size = view_size(300, 420, 128)
    L = view_lightness(pixels, *size)
    predicted = rng.normal(0, 5, (*size, 2)).astype(np.float32)
    ab = spread_residual(L, predicted, *rasterise_view(hints, 300, 420, *size))
    rgb = colour_picture(pixels, ab, rasterise(hints, 300, 420))
    expected = rgb2lab(np.repeat(pixels, 3, -1))
    hinted = np.zeros((300, 420), bool)
    for pixel in rasterise(hints, 300, 420):
        box = np.s_[pixel.top : pixel.top + len(pixel.mask), pixel.left : pixel.left + pixel.mask.shape[1]]
        expected[box][pixel.mask, 1:] = pixel.ab
        hinted[box] |= pixel.mask
    difference = deltaE_ciede2000(rgb2lab(rgb), expected)[hinted]
    assert difference.max() < 2
    assert hinted.sum() > 10_000
    np.testing.assert_allclose(color_ab((5.0, 10.0)), expected[90, 101, 1:], atol=1e-6)
