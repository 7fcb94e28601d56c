import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from skimage import data
from skimage.color import rgb2lab
from skimage.transform import resize

from hybridvit.hints.shapes import PaletteColor, color_lab
from hybridvit.inference.palette import apply_palette, palette_of

rng = np.random.default_rng(9)
COLORS = [PaletteColor("#b04030", 2.0), PaletteColor("#407040"), PaletteColor("#90a0d0", 0.5)]


def photograph():
    rgb = np.rint(resize(data.coffee(), (64, 96), anti_aliasing=True) * 255).astype(np.uint8)
    lab = rgb2lab(rgb).astype(np.float32)
    return rgb, lab[..., 0], lab[..., 1:]


def prediction():
    L = rng.uniform(0, 100, (24, 32)).astype(np.float32)
    return L, rng.normal(0, 8, (24, 32, 2)).astype(np.float32)


def test_its_own_palette_brings_a_photograph_nearer_to_its_colours():
    rgb, L, truth = photograph()
    dull = (0.3 * truth + rng.normal(0, 5, truth.shape)).astype(np.float32)

    def error(ab):
        return np.sqrt(np.square(ab - truth).sum(-1).mean())

    coloured = apply_palette(L, dull, palette_of(rgb))
    assert coloured.dtype == np.float32
    assert error(coloured) < 0.5 * error(dull)
    assert error(coloured) < error(apply_palette(L, dull, palette_of(255 - rgb)))


def test_a_gray_palette_makes_a_gray_picture():
    L, ab = prediction()
    grays = [PaletteColor("#404040"), PaletteColor("#c0c0c0")]
    np.testing.assert_allclose(apply_palette(L, ab, grays), 0, atol=0.05)


def test_without_a_palette_nothing_changes():
    L, ab = prediction()
    np.testing.assert_array_equal(apply_palette(L, ab, []), ab)


def test_black_and_white_stay_neutral_and_middle_tones_do_not():
    L, ab = prediction()
    L[:8], L[8:16], L[16:] = 0, 100, 50
    coloured = np.linalg.norm(apply_palette(L, 0 * ab, COLORS), axis=-1)
    assert coloured[:16].max() < 1
    assert coloured[16:].min() > 15


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 0xFFFFFF), min_size=1, max_size=5), st.integers(0, 1000))
def test_all_colours_are_mixtures_of_the_palettes_and_neutral(values, seed):
    draw = np.random.default_rng(seed)
    palette = [PaletteColor(f"#{value:06x}", draw.uniform(0.1, 5)) for value in values]
    L = draw.uniform(0, 100, (3, 2)).astype(np.float32)
    coloured = apply_palette(L, draw.normal(0, 40, (3, 2, 2)).astype(np.float32), palette)
    corners = np.array([(0.0, 0.0), *(color_lab(color.color)[1:] for color in palette)]).T
    for ab in coloured.reshape(-1, 2).astype(float):  # a convex combination, but for rounding
        found = linprog(
            np.r_[np.zeros(corners.shape[1]), 1],
            A_ub=np.vstack([np.c_[corners, -np.ones(2)], np.c_[-corners, -np.ones(2)]]),
            b_ub=np.r_[ab, -ab],
            A_eq=[[*np.ones(corners.shape[1]), 0]],
            b_eq=[1],
        )
        assert found.fun < 1e-3


def test_neither_order_nor_scale_of_the_shares_matters_nor_a_colour_given_in_parts():
    L, ab = prediction()
    expected = apply_palette(L, ab, COLORS)
    scaled = [PaletteColor(color.color, 7 * color.weight) for color in COLORS[::-1]]
    parts = [PaletteColor(COLORS[0].color, 0.5), PaletteColor(COLORS[0].color, 1.5), *COLORS[1:]]
    for palette in (scaled, parts):
        np.testing.assert_allclose(apply_palette(L, ab, palette), expected, atol=1e-3)


def test_the_model_decides_where_lightness_does_not():
    L = np.full((8, 16), 50, np.float32)
    ab = np.zeros((8, 16, 2), np.float32)
    ab[:, :8], ab[:, 8:] = (15, 0), (-15, 0)
    reddish, greenish = PaletteColor("#b55f5a"), PaletteColor("#4b8263")  # of L 50 both
    coloured = apply_palette(L, ab, [reddish, greenish])
    for half, color in ((coloured[:, :8], reddish), (coloured[:, 8:], greenish)):
        toward = np.array(color_lab(color.color)[1:])
        assert (half @ toward / (toward @ toward)).min() > 0.7


@pytest.mark.parametrize("shape", [(40, 60), (1000, 700)])
def test_the_palette_of_two_colours_is_these_with_their_shares(shape):
    picture = np.empty((*shape, 3), np.uint8)
    picture[:, : shape[1] // 4], picture[:, shape[1] // 4 :] = (176, 64, 48), (64, 112, 64)
    found = sorted(palette_of(picture), key=lambda color: color.weight)
    found = [color for color in found if color.weight > 0.02]  # reduction may mix colours at the border
    assert [color.color for color in found] == ["#b04030", "#407040"]
    np.testing.assert_allclose([color.weight for color in found], [0.25, 0.75], atol=0.02)


def test_the_palette_of_a_photograph_has_its_mean():
    rgb, *_ = photograph()
    palette = palette_of(rgb)
    assert 8 <= len(palette) <= 16
    weights = np.array([color.weight for color in palette])
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-6)
    values = np.array([list(bytes.fromhex(color.color[1:])) for color in palette])
    np.testing.assert_allclose(weights @ values, rgb.mean((0, 1)), atol=4)
    assert palette_of(rgb) == palette
