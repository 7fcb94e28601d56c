import io

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from hybridvit.photo import profile as profiles

RNG = np.random.default_rng(0)
# Dark ones too, where tone curves differ most
RGB16 = (65535 * RNG.random((64, 64, 3)) ** np.array([1, 2, 4])).astype(np.uint16)
GRAY16 = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)


def lightness(rgb: np.ndarray) -> np.ndarray:
    return rgb2lab(rgb / np.iinfo(rgb.dtype).max)[..., 0]


def encoded(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def linear(code: np.ndarray) -> np.ndarray:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def test_adobe_rgb_by_its_definition(adobe_rgb: bytes):
    # Adobe RGB (1998) Color Image Encoding, 4.3: XYZ at D65
    from_adobe = np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    )
    from_srgb = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    light = (RGB16 / 65535) ** (563 / 256) @ from_adobe.T @ np.linalg.inv(from_srgb).T
    found = profiles.to_srgb(RGB16, profiles.matrix_profile(adobe_rgb)) / 65535
    assert np.abs(found - encoded(np.clip(light, 0, 1)))[(light > 0.002).all(-1)].max() < 0.0015


def test_as_lcms_at_8_bits(adobe_rgb: bytes):
    rgb = (RGB16 >> 8).astype(np.uint8)
    transform = ImageCms.buildTransform(io.BytesIO(adobe_rgb), ImageCms.createProfile("sRGB"), "RGB", "RGB")
    expected = np.asarray(ImageCms.applyTransform(Image.fromarray(rgb), transform))
    found = profiles.to_depth(profiles.to_srgb(rgb, profiles.matrix_profile(adobe_rgb)), np.dtype(np.uint8))
    assert np.abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_gamma_exactly(gray_gamma: bytes, bits: int):
    gray = GRAY16 if bits == 16 else np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    found = profiles.to_srgb(gray, profiles.matrix_profile(gray_gamma))
    expected = 65535 * encoded((gray / (2**bits - 1)) ** (563 / 256))
    assert np.abs(found - expected).max() <= 0.51


def test_gray_pixels_under_an_rgb_profile_have_its_curve(adobe_rgb: bytes, gray_gamma: bytes):
    by_rgb = profiles.to_srgb(GRAY16, profiles.matrix_profile(adobe_rgb))
    by_gray = profiles.to_srgb(GRAY16, profiles.matrix_profile(gray_gamma))
    assert np.abs(by_rgb.astype(int) - by_gray).max() <= 2


@pytest.mark.parametrize("name", ["adobe", "p3"])
def test_there_and_back_keeps_lightness(adobe_rgb: bytes, name: str):
    icc = adobe_rgb if name == "adobe" else bytes(pyvips.Image.profile_load("p3"))
    there = profiles.from_srgb(RGB16, icc, np.dtype(np.uint16))
    back = profiles.to_srgb(there, profiles.matrix_profile(icc))
    assert np.abs(lightness(back) - lightness(RGB16)).max() < 0.01
    there = profiles.from_srgb(RGB16, icc, np.dtype(np.uint8))
    back = profiles.to_srgb(there, profiles.matrix_profile(icc))
    assert np.abs(lightness(back) - lightness(RGB16)).max() < 0.4


def test_which_profile_is_srgb(adobe_rgb: bytes, gray_gamma: bytes):
    by_pillow = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert profiles.is_srgb(by_pillow)
    assert profiles.is_srgb(profiles.srgb_profile())
    assert not profiles.is_srgb(adobe_rgb)
    assert not profiles.is_srgb(gray_gamma)
    assert not profiles.is_srgb(bytes(pyvips.Image.profile_load("p3")))
    assert not profiles.is_srgb(b"")


def test_which_profile_holds_all_colours(adobe_rgb: bytes, gray_gamma: bytes):
    assert profiles.holds_srgb(bytes(pyvips.Image.profile_load("p3")))
    assert profiles.holds_srgb(profiles.srgb_profile())
    assert profiles.holds_srgb(adobe_rgb)
    assert not profiles.holds_srgb(gray_gamma)
    assert not profiles.holds_srgb(bytes(pyvips.Image.profile_load("cmyk")))
    assert not profiles.holds_srgb(adobe_rgb[:300])


def test_depths():
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.floor(codes / 257 + 0.5)
    np.testing.assert_array_equal(profiles.to_depth(codes, np.dtype(np.uint8)), expected)
    wide = profiles.to_depth(np.arange(256, dtype=np.uint8)[None], np.dtype(np.uint16))
    assert (wide[0, 0], wide[0, 255]) == (0, 65535)
    np.testing.assert_array_equal(profiles.to_depth(wide, np.dtype(np.uint8))[0], np.arange(256))


@pytest.mark.parametrize(
    ("kind", "numbers", "curve"),
    [
        (1, (2.0, 1.25, -0.25), lambda x: np.where(x >= 0.2, (1.25 * x - 0.25).clip(0) ** 2, 0)),
        (2, (2.0, 1.0, -0.25, 0.1), lambda x: np.where(x >= 0.25, (x - 0.25).clip(0) ** 2 + 0.1, 0.1)),
        (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), linear),
        (4, (2.0, 1.0, 0.0, 0.5, 0.3, 0.1, 0.05), lambda x: np.where(x >= 0.3, x**2 + 0.1, 0.5 * x + 0.05)),
    ],
)
def test_parametric_curves(gray_gamma: bytes, kind: int, numbers: tuple[float, ...], curve):
    tag = b"para\0\0\0\0" + kind.to_bytes(2, "big") + b"\0\0"
    tag += b"".join(round(number * 65536).to_bytes(4, "big", signed=True) for number in numbers)
    old = gray_gamma.index(b"para")
    at = gray_gamma.index(b"kTRC")
    icc = gray_gamma[: at + 8] + len(tag).to_bytes(4, "big") + gray_gamma[at + 12 : old] + tag
    x = np.linspace(0, 1, 65536)
    found = profiles.matrix_profile(icc).curves[0]
    apart = np.abs(found - curve(x).clip(0, 1))
    assert np.mean(apart < 1e-4) > 0.9999  # s15Fixed16 moves the corner by one step


def test_a_parametric_curve_of_no_known_kind(gray_gamma: bytes):
    at = gray_gamma.index(b"para") + 8
    assert profiles.matrix_profile(gray_gamma[:at] + b"\0\x09" + gray_gamma[at + 2 :]) is None


def test_a_table_of_a_curve(gray_gamma: bytes):
    tag = b"curv\0\0\0\0" + (3).to_bytes(4, "big") + np.array([0, 16384, 65535], ">u2").tobytes()
    old, at = gray_gamma.index(b"para"), gray_gamma.index(b"kTRC")
    icc = gray_gamma[: at + 8] + len(tag).to_bytes(4, "big") + gray_gamma[at + 12 : old] + tag
    found = profiles.matrix_profile(icc).curves[0]
    np.testing.assert_allclose(found[[0, 32768, 65535]], [0, 0.25, 1], atol=2e-5)


def test_profiles_that_are_tables_go_through_lcms(monkeypatch):
    icc = bytes(pyvips.Image.profile_load("p3"))
    exact = profiles.from_srgb(RGB16, icc, np.dtype(np.uint16))
    back = profiles.to_srgb(RGB16, profiles.matrix_profile(icc))
    monkeypatch.setattr(profiles, "matrix_profile", lambda _: None)
    for found, expected in (
        (profiles.from_srgb(RGB16, icc, np.dtype(np.uint16)), exact),
        (profiles.by_table(RGB16, icc), back),
    ):
        assert np.abs(found.astype(int) - expected).mean() < 120  # of 65535


def test_lightness_as_profiles_measure_it():
    kept = profiles.with_lightness_of_d50(RGB16)
    srgb = profiles.matrix_profile(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    luminance = linear(kept / 65535) @ srgb.primaries[1]  # ICC's Y, relative to D50
    found = 116 * np.cbrt(np.maximum(luminance, 216 / 24389)) - 16
    light = luminance > 216 / 24389
    assert np.abs(found - lightness(RGB16))[light].max() < 0.02
    changed = np.abs(kept.astype(int) - RGB16)
    assert 0 < changed.mean() < 1500  # of 65535: hardly seen


def test_gray_is_as_light_by_either_white():
    gray = GRAY16.repeat(3, -1)
    np.testing.assert_array_equal(profiles.with_lightness_of_d50(gray), gray)
    np.testing.assert_array_equal(
        profiles.with_lightness_of_d50((gray >> 8).astype(np.uint8)), (gray >> 8) * 257
    )
