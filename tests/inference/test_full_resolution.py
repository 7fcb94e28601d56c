"""The loop over tiles: the same as one piece, lightness kept, hints exact, little memory."""

import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

from hybridvit.hints.raster import HintPixels
from hybridvit.inference.composition import compose, lightness
from hybridvit.inference.full_resolution import TILE
from hybridvit.inference.upsampling import chroma_planes, cubic_weights, guide_maps, interpolate
from hybridvit.inference.view import view_lightness
from tests.painted import colour_picture

DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
HEIGHT, WIDTH = TILE[0] + 33, TILE[1] + 70  # four tiles
VIEW = (40, 81)


def picture(dtype: type, channels: int = 3, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Waves of all lightnesses, faintly coloured."""
    y, x = np.mgrid[:height, :width]
    waves = 0.5 + 0.5 * np.sin(np.hypot(y - 70, x - 200) / 25)
    pixels = np.clip(waves[..., None] * [1.0, 0.9, 0.8][:channels], 0, 1)
    return np.rint(pixels * np.iinfo(dtype).max).astype(dtype)


def chroma(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / (height / 4.5)
    return np.stack([40 * np.sin(y), 50 * np.cos(x)], -1).astype(np.float32)


@pytest.fixture(scope="module")
def ab_view() -> np.ndarray:
    return chroma(*VIEW)


@pytest.mark.parametrize(
    ("dtype", "channels", "view"),
    [
        (np.uint8, 1, VIEW),
        (np.uint16, 3, VIEW),
        (np.uint8, 1, (190, 384)),
        (np.uint8, 3, (HEIGHT, WIDTH)),
        (np.uint16, 1, (3, 700)),
    ],
)
def test_tiles_give_what_one_piece_gives(dtype, channels, view):
    pixels, ab_view = picture(dtype, channels), chroma(*view)
    L = lightness(pixels)
    maps = jnp.asarray(guide_maps(ab_view, view_lightness(pixels, *view)))
    rows, columns = (
        jnp.asarray(cubic_weights(size, seen, 0, size, seen)[1])
        for size, seen in zip(pixels.shape, view, strict=False)
    )
    ab = jnp.stack(chroma_planes(interpolate(interpolate(maps, rows, 1), columns, 2), L), -1)
    whole = np.asarray(compose(L, ab, dtype)).astype(int)
    tiled = colour_picture(pixels, ab_view)
    assert tiled.dtype == dtype
    assert tiled.shape == (HEIGHT, WIDTH, 3)
    off = np.abs(tiled - whole) / np.iinfo(dtype).max
    assert np.quantile(off, 0.999) < 1e-3
    assert off.max() < 0.01  # a step of the bisection


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 0.5), (np.uint16, 0.05)])
@pytest.mark.parametrize("channels", [1, 3])
def test_lightness_is_kept_and_colour_given(dtype, most, channels, ab_view):
    pixels = picture(dtype, channels)
    before = rgb2lab(np.broadcast_to(pixels, (HEIGHT, WIDTH, 3)) / np.iinfo(dtype).max)[..., 0]
    after = rgb2lab(colour_picture(pixels, ab_view) / np.iinfo(dtype).max)
    assert np.abs(after[..., 0] - before).max() <= most
    assert np.linalg.norm(after[..., 1:], axis=-1).mean() > 15


@DEPTHS
def test_no_chroma_leaves_a_gray_picture_untouched(dtype):
    pixels = picture(dtype, 1)
    rgb = colour_picture(pixels, np.zeros((*VIEW, 2), np.float32))
    np.testing.assert_array_equal(rgb, pixels.repeat(3, 2))


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (70, 2)])
def test_pictures_smaller_than_a_tile_or_the_view(size):
    pixels = picture(np.uint8, 3, *size)
    ab = np.broadcast_to(np.float32([10, 10]), (64, 80, 2))
    rgb = colour_picture(pixels, ab)
    L = np.asarray(lightness(pixels))
    middle = (L > 20) & (L < 80)
    expected = lab2rgb(np.dstack([L, np.full((*size, 2), 10.0)]))
    np.testing.assert_allclose(rgb[middle] / 255, expected[middle], atol=0.006)


def test_hints_are_exact_and_the_last_one_counts(ab_view):
    pixels = np.full((HEIGHT, WIDTH, 1), 140, np.uint8)
    plain = colour_picture(pixels, ab_view)
    disc = np.hypot(*np.mgrid[-6:7, -6:7]) <= 6
    area = np.ones((TILE[0] + 20, 30), bool)
    green, red, blue = (np.float32(ab) for ab in ([-35, 30], [45, 25], [0, -30]))
    hints = [
        HintPixels(10, 500, area, blue),
        HintPixels(100, 505, disc, green),
        HintPixels(288, 0, area[:1], red),
    ]
    rgb = colour_picture(pixels, ab_view, hints)
    L = float(lightness(np.uint8([140])))
    shown = rgb2lab(rgb)

    def error(where: np.ndarray, ab: np.ndarray) -> float:
        return deltaE_ciede2000(shown[where], np.broadcast_to([L, *ab], shown[where].shape)).max()

    is_green = np.zeros((HEIGHT, WIDTH), bool)
    is_green[100:113, 505:518] = disc
    is_blue = np.zeros((HEIGHT, WIDTH), bool)
    is_blue[10 : 10 + len(area), 500:530] = True
    is_red = np.zeros((HEIGHT, WIDTH), bool)
    is_red[288, :30] = True
    assert error(is_green, green) < 1
    assert error(is_blue & ~is_green, blue) < 1
    assert error(is_red, red) < 1
    untouched = ~(is_green | is_blue | is_red)
    np.testing.assert_array_equal(rgb[untouched], plain[untouched])


def test_memory_is_that_of_the_pixels_and_a_tile():
    pixels = np.zeros((1500, 2000, 3), np.uint16)
    ab = np.zeros((48, 64, 2), np.float32)
    colour_picture(pixels, ab)
    tracemalloc.start()
    rgb = colour_picture(pixels, ab)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < rgb.nbytes + 12e6


def test_hints_of_another_size_compile_nothing_new(ab_view, caplog):
    """A studio that runs for a day would keep a program for each size that a hint ever had."""
    pixels = picture(np.uint8)

    def paint(side: int) -> None:
        colour_picture(pixels, ab_view, [HintPixels(5, 5, np.ones((side, side), bool), np.float32([30, 10]))])

    paint(4)
    with jax.log_compiles():
        paint(5)
        paint(7)
    assert "Compiling" not in caplog.text
