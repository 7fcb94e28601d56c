"""Crops, resizing, gray and the measure of chroma, against brute force and scikit-image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates
from skimage.color import rgb2gray, rgb2lab, rgb2xyz

from hybridvit.data.transforms import (
    EVAL_VIEWS,
    center_square,
    chroma_percentile,
    cropped_square,
    random_square,
    squashed,
    squashed_aliased,
    to_gray,
)

shares = st.floats(0, 0.999)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(16, 90),
    height=st.integers(16, 90),
    draws=st.tuples(shares, shares, shares, shares),
    size=st.integers(8, 64),
)
def test_random_square_shows_the_drawn_part(width, height, draws, size):
    # Red counts x and green counts y, so that the colours of a crop tell where it was taken
    y, x = np.mgrid[:height, :width]
    image = Image.fromarray(np.stack([x * 2, y * 2, 0 * x], -1).astype(np.uint8))
    pixels = random_square(image, np.array(draws), size, (0.4, 1.0))
    assert pixels.shape == (size, size, 3)
    side = (0.4 + 0.6 * draws[0]) * min(width, height)
    left, top = draws[1] * (width - side), draws[2] * (height - side)
    seen = pixels[:, ::-1] if draws[3] >= 0.5 else pixels
    center = seen.astype(float).mean((0, 1)) / 2 + 0.5
    np.testing.assert_allclose(center[:2], (left + side / 2, top + side / 2), atol=1.5)
    assert seen[..., 0].max() <= 2 * min(width, left + side) + 2
    assert seen[..., 0].min() >= 2 * (left - 1) - 2


def test_random_square_of_the_whole_is_a_plain_resize(photo):
    image = photo(0, 40, 40)
    expected = np.asarray(image.resize((16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(random_square(image, np.zeros(4), 16, (1.0, 1.0)), expected)
    flipped = random_square(image, np.array([0, 0, 0, 0.5]), 16, (1.0, 1.0))
    np.testing.assert_array_equal(flipped, expected[:, ::-1])


def test_random_square_does_not_alias():
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    for share in (0.1, 0.45, 0.999):
        pixels = random_square(Image.fromarray(stripes), np.array([share, 0.3, 0.7, 0]), 64, (0.4, 1.0))
        assert pixels.shape == (64, 64, 1)
        assert np.abs(pixels.astype(int) - 127).max() <= 6


@pytest.mark.parametrize(("width", "height"), [(640, 427), (427, 640), (100, 100), (33, 517), (256, 300)])
def test_center_square_follows_the_protocol(photo, width, height):
    image, size = photo(1, width, height), 64
    scale = size / min(width, height)
    wide, high = max(size, round(width * scale)), max(size, round(height * scale))
    whole = np.asarray(image.resize((wide, high), Image.Resampling.BICUBIC))
    left, top = (wide - size) // 2, (high - size) // 2
    np.testing.assert_array_equal(center_square(image, size), whole[top : top + size, left : left + size])


@pytest.mark.parametrize(("width", "height"), [(120, 81), (81, 120), (50, 50), (40, 200)])
def test_the_views_of_papers(photo, width, height):
    image, size, side = photo(1, width, height), 64, min(width, height)
    pixels = np.asarray(image)
    left, top = round((width - side) / 2), round((height - side) / 2)
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    expected = np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(cropped_square(image, size), expected)
    expected = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(squashed(image, size), expected)
    places = [(np.arange(size) + 0.5) * n / size - 0.5 for n in (height, width)]
    grid = np.meshgrid(*places, indexing="ij")
    planes = [map_coordinates(pixels[..., c].astype(float), grid, order=1, mode="nearest") for c in range(3)]
    assert np.abs(squashed_aliased(image, size) - np.stack(planes, -1)).max() <= 0.501
    for view in EVAL_VIEWS.values():
        assert view(image, size).shape == (size, size, 3)


def test_gray_keeps_luminance_and_lightness():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (2, 300, 300, 3), dtype=np.uint8)
    gray = to_gray(rgb)
    assert gray.shape == (2, 300, 300, 1)
    luminance = rgb2xyz(rgb)[..., 1]
    encoded = np.where(luminance > 0.0031308, 1.055 * luminance ** (1 / 2.4) - 0.055, 12.92 * luminance)
    assert (
        np.abs(gray[..., 0] - 255 * encoded).max() <= 0.55
    )  # the nearest byte; the matrices' last digits differ
    lightness = rgb2lab(np.repeat(gray, 3, -1))[..., 0]
    assert np.abs(lightness - rgb2lab(rgb)[..., 0]).max() < 0.3
    assert np.abs(gray[..., 0] / 255 - rgb2gray(rgb)).max() > 0.1  # not the luma of the encoded values


def test_gray_of_neutral_pixels_is_the_identity():
    levels = np.arange(256, dtype=np.uint8)[None, :, None]
    np.testing.assert_array_equal(to_gray(np.repeat(levels, 3, -1)), levels)
    assert to_gray(levels) is levels


def test_chroma_percentile(photo):
    assert chroma_percentile(photo(2).convert("L")) == 0
    assert chroma_percentile(photo(2).convert("L").convert("RGB")) < 0.1
    assert chroma_percentile(photo(2)) > 40
    flat = Image.new("RGB", (300, 200), (200, 60, 40))
    _, a, b = rgb2lab(np.array([[[200, 60, 40]]], np.uint8))[0, 0]
    assert chroma_percentile(flat) == pytest.approx(np.hypot(a, b), abs=0.01)


def test_a_small_coloured_spot_makes_a_picture_colourful(photo):
    image = photo(3, 200, 200).convert("L").convert("RGB")
    image.paste((220, 30, 30), (90, 90, 115, 115))  # 1.6 % of the picture
    assert chroma_percentile(image) > 50
