"""Every kind of TIFF to its right pixels: depth, type, order, compression, predictor, planes, colours, transparency."""

import io
import lzma
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from hybridvit.photo.tiff_layout import COMPRESSIONS, read_layout
from hybridvit.photo.tiff_pixels import picture_of, read_tiff
from hybridvit.photo.tiff_samples import read_samples
from tests.photo.tiff_files import differences, float_differences, packed, tiff_of

RNG = np.random.default_rng(3)
RGB16 = RNG.integers(0, 65536, (21, 34, 3), np.uint16)
RGB8 = (RGB16 >> 8).astype(np.uint8)
GRAY16, GRAY8 = RGB16[..., :1], RGB8[..., :1]

CODED = {  # 16 x 16 px of one colour, 3 x 16 bits, by OpenJPEG
    "gray": (
        "ff4fff51002f0000000000100000001000000000000000000000001000000010000000000000000000030f01010f0101"
        "0f0101ff52000c00000001010104040001ff5c00074080888890ff640025000143726561746564206279204f70656e4a"
        "5045472076657273696f6e20322e352e34ff90000a00000000001a0001ff93c000241150549f8080808080ffd9"
    ),
    "white": (
        "ff4fff51002f0000000000100000001000000000000000000000001000000010000000000000000000030f01010f0101"
        "0f0101ff52000c00000001010104040001ff5c00074080888890ff640025000143726561746564206279204f70656e4a"
        "5045472076657273696f6e20322e352e34ff90000a00000000001c0001ff93cffc301414005caf878080808080ffd9"
    ),
}


def samples_of(content: bytes) -> np.ndarray:
    layout = read_layout(content)
    assert layout.is_own, layout
    return read_samples(content, layout)


def picture(content: bytes):
    layout = read_layout(content)
    assert layout.is_own, layout
    return read_tiff(content, layout)


def written(pixels: np.ndarray, **how) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **how)
    return file.getvalue()


@settings(max_examples=120, deadline=None)
@given(
    dtype=st.sampled_from(["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]),
    order=st.sampled_from("<>"),
    separate=st.booleans(),
    block=st.sampled_from([{}, {"rowsperstrip": 5}, {"rowsperstrip": 99}, {"tile": (16, 32)}]),
    compression=st.sampled_from([None, "zlib", "lzma"]),
    samples=st.sampled_from([1, 3]),
)
def test_numbers_are_as_stored(dtype, order, separate, block, compression, samples):
    pixels = (RGB16[..., :samples] // 600).astype(dtype)
    if separate and samples > 1:
        block = {**block, "planarconfig": "separate"}
        stored = np.moveaxis(pixels, -1, 0)
    else:
        stored = pixels if samples > 1 else pixels[..., 0]
    kind = "rgb" if samples > 1 else "minisblack"
    content = written(stored, photometric=kind, byteorder=order, compression=compression, **block)
    found = samples_of(content)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, pixels)


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(1, 15),
    order=st.sampled_from("<>"),
    samples=st.sampled_from([1, 3]),
    rows=st.integers(1, 30),
    width=st.integers(1, 40),
)
def test_packed_samples_fill_the_range(bits, order, samples, rows, width):
    codes = RNG.integers(0, 2**bits, (21, width, samples))
    codes[0, 0] = 2**bits - 1
    strips = [packed(codes[row : row + rows], bits) for row in range(0, 21, rows)]
    tags = {"t258": [bits] * samples, "t262": 1 if samples == 1 else 2, "t277": samples, "t278": rows}
    found = samples_of(tiff_of(strips, width, 21, order, **tags))
    top = 255 if bits <= 8 else 65535
    assert found.dtype == (np.uint8 if bits <= 8 else np.uint16)
    np.testing.assert_array_equal(found, np.floor(codes / (2**bits - 1) * top + 0.5))


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "zstd", "lzma", "tiff_adobe_deflate"])
def test_packed_samples_in_every_compression(bits: int, compression: str):
    codes = RNG.integers(0, 2**bits, (21, 34))
    rows = np.frombuffer(packed(codes, bits), np.uint8).reshape(21, -1)
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "TIFF", compression=compression)  # as gray bytes: the same strips
    page = tifffile.TiffFile(io.BytesIO(file.getvalue())).pages[0]
    strips = [
        file.getvalue()[at : at + size]
        for at, size in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    content = tiff_of(strips, 34, 21, t258=bits, t259=int(page.compression), t278=page.rowsperstrip)
    np.testing.assert_array_equal(samples_of(content)[..., 0], np.round(codes / (2**bits - 1) * 65535))


@pytest.mark.parametrize("pixels", [RGB8, RGB16, GRAY16, RGB16.astype(np.uint32) * 40_000])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("pack", [(8, zlib.compress), (34925, lzma.compress)])
def test_differences_are_summed_up(pixels, order, pack):
    number, compress = pack
    stored = differences(pixels.astype(pixels.dtype.newbyteorder(order)).copy())
    if order == ">":
        left = np.concatenate([np.zeros_like(pixels[:, :1]), pixels[:, :-1]], 1)
        stored = (pixels - left).astype(pixels.dtype.newbyteorder(">")).tobytes()
    samples = pixels.shape[-1]
    tags = {"t258": [8 * pixels.itemsize] * samples, "t262": 1 if samples == 1 else 2, "t277": samples}
    content = tiff_of([compress(stored)], 34, 21, order, t259=number, t317=2, **tags)
    np.testing.assert_array_equal(samples_of(content), pixels)


@pytest.mark.parametrize("order", "<>")
def test_differences_of_floats(order):
    pixels = (RGB16 / 65535).astype(np.float32)
    tags = {"t258": [32] * 3, "t262": 2, "t277": 3, "t339": [3] * 3}
    content = tiff_of([zlib.compress(float_differences(pixels))], 34, 21, order, t259=8, t317=3, **tags)
    np.testing.assert_array_equal(samples_of(content), pixels)


def test_bits_in_reversed_order():
    turned = np.packbits(np.unpackbits(GRAY8, axis=-1)[..., ::-1], axis=-1)
    content = tiff_of([turned.tobytes()], 34, 21, t266=2)
    np.testing.assert_array_equal(samples_of(content), GRAY8)
    compressed = np.frombuffer(zlib.compress(GRAY8.tobytes()), np.uint8)
    turned = np.packbits(np.unpackbits(compressed[:, None], axis=-1)[..., ::-1], axis=-1)
    content = tiff_of([turned.tobytes()], 34, 21, t259=8, t266=2)
    np.testing.assert_array_equal(samples_of(content), GRAY8)


@pytest.mark.parametrize(
    ("pixels", "form"), [(GRAY8, "JPEG2000"), (GRAY16, "JPEG2000"), (RGB8, "JPEG2000"), (RGB8, "WEBP")]
)
def test_tiles_that_are_pictures(pixels, form):
    if form == "WEBP" and pixels is not RGB8:
        pytest.skip("WebP has 3 channels of 8 bits")

    def coded(part: np.ndarray) -> bytes:
        file = io.BytesIO()
        how = {"no_jp2": True} if form == "JPEG2000" else {"lossless": True}
        Image.fromarray(part.squeeze()).save(file, form, **how)
        return file.getvalue()

    number, samples = {"JPEG2000": 34712, "WEBP": 50001}[form], pixels.shape[-1]
    padded = np.zeros((32, 48, samples), pixels.dtype)
    padded[:21, :34] = pixels
    tiles = [coded(padded[y : y + 16, x : x + 16]) for y in (0, 16) for x in (0, 16, 32)]
    tags = {"t258": [8 * pixels.itemsize] * samples, "t262": 1 if samples == 1 else 2, "t277": samples}
    content = tiff_of(tiles, 34, 21, t259=number, t322=16, t323=16, **tags)
    np.testing.assert_array_equal(samples_of(content), pixels)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i2", "f2", "f4", "f8"])
def test_white_is_zero(dtype):
    dtype = np.dtype(dtype)
    top = 1.0 if dtype.kind == "f" else np.iinfo(dtype).max
    tones = np.tile(np.linspace(0, 1, 34), (21, 1))
    stored = (
        ((1 - tones) * top).astype(dtype) if dtype.kind == "f" else np.round((1 - tones) * top).astype(dtype)
    )
    found = picture(written(stored, photometric="miniswhite"))
    np.testing.assert_allclose(found.pixels[..., 0] / np.iinfo(found.pixels.dtype).max, tones, atol=0.003)


def lab_codes(L: np.ndarray, a: np.ndarray, b: np.ndarray, photometric: str, bits: int) -> np.ndarray:
    """TIFF 6.0, section 23, and Adobe's ICCLab: 16 bits count to 0xFF00."""
    fine, top = 1 << (bits - 8), 2**bits - 1
    if photometric == "cielab":
        planes = (np.round(L / 100 * top), *(np.round(x * fine) % 2**bits for x in (a, b)))
    else:
        planes = (np.round(L / 100 * 255 * fine), *(np.round((x + 128) * fine) for x in (a, b)))
    return np.stack(planes, -1).astype(f"u{bits // 8}")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
def test_lab_as_littlecms_has_it(bits, photometric):
    codes = RNG.integers((70, -15, -15), (200, 16, 16), (21, 34, 3))  # within the gamut, of 8 bits
    L, a, b = codes[..., 0] / 255 * 100, codes[..., 1], codes[..., 2]
    found = picture(written(lab_codes(L, a, b, photometric, bits), photometric=photometric))
    reference = Image.frombytes("LAB", (34, 21), lab_codes(L, a, b, "cielab", 8).tobytes()).convert("RGB")
    assert (found.colors, found.standard, found.pixels.dtype) == (3, True, np.uint16)
    apart = np.abs(found.pixels / 257 - np.asarray(reference))
    assert apart.mean() < 0.5  # it interpolates in a table, at 8 bits
    assert np.quantile(apart, 0.99) < 2


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
def test_gray_lab_exactly(bits, photometric):
    L = np.tile(np.linspace(0, 100, 34), (21, 1))
    found = picture(written(lab_codes(L, 0 * L, 0 * L, photometric, bits), photometric=photometric))
    lightness = rgb2lab(found.pixels / 65535)[..., 0]
    assert np.abs(lightness - L).max() < (0.22 if bits == 8 else 0.01)
    assert np.ptp(found.pixels.astype(int), axis=-1).max() <= 2


def test_floats_and_white_points_of_lab():
    L = np.tile(np.linspace(5, 95, 34), (21, 1)).astype(np.float32)
    lab = np.stack([L, 0 * L + 10, 0 * L - 10], -1)
    white = [(318, "2I", 2, (31270, 100000, 32900, 100000), True)]
    found = picture(written(lab, photometric="cielab", extratags=white)).pixels / 65535
    np.testing.assert_allclose(found, lab2rgb(lab), atol=0.002)  # relative to D65, as scikit-image has it


def test_luminance_and_chroma_without_compression():
    codes = RNG.integers(60, 190, (21, 34, 3), np.uint8)
    tags = {"t258": [8] * 3, "t277": 3, "t262": 6, "t530": [1, 1]}
    found = picture(tiff_of([codes.tobytes()], 34, 21, **tags))
    expected = np.asarray(Image.frombytes("YCbCr", (34, 21), codes.tobytes()).convert("RGB"))
    assert np.abs(found.pixels.astype(int) - expected).max() <= 1
    assert not read_layout(tiff_of([codes.tobytes()], 34, 21, **tags | {"t530": [2, 2]})).is_own


@pytest.mark.parametrize("extra", [[0], [0, 0], [0, 2], [2], [1], [2, 0]])
@pytest.mark.parametrize("colors", [1, 3, 4])
def test_only_alpha_is_transparency(extra, colors):
    known = [RNG.integers(0, 256, (21, 34), np.uint8) for _ in extra]
    share = next((plane for plane, kind in zip(known, extra, strict=True) if kind), None)
    pixels = RGB8[..., [0, 1, 2, 0][:colors]]
    stored = np.round(pixels * (share[..., None] / 255)).astype(np.uint8) if extra == [1] else pixels
    count = colors + len(extra)
    tags = {"t258": [8] * count, "t277": count, "t262": {1: 1, 3: 2, 4: 5}[colors], "t338": extra}
    found = picture(tiff_of([np.dstack([stored, *known]).tobytes()], 34, 21, **tags))
    assert found.colors == colors
    assert found.pixels.shape[-1] == colors + (share is not None)
    if extra == [1]:
        seen = share > 100
        assert np.abs(found.pixels[..., :colors][seen].astype(int) - pixels[seen]).max() <= 2
    else:
        np.testing.assert_array_equal(found.pixels[..., :colors], pixels)
    if share is not None:
        np.testing.assert_array_equal(found.pixels[..., colors], share)
    dropped = len(extra) - (share is not None)
    assert bool(found.remarks) == bool(dropped)
    if dropped:
        assert "no transparency" in found.remarks[0]


def test_a_channel_that_is_not_said_to_be_alpha_is_none():
    tags = {"t258": [8] * 4, "t277": 4, "t262": 2}
    found = picture(tiff_of([np.dstack([RGB8, GRAY8]).tobytes()], 34, 21, **tags))
    np.testing.assert_array_equal(found.pixels, RGB8)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"t259": 34887}, "compressed by LERC"),
        ({"t259": 50002}, "compressed by JPEG XL"),
        ({"t259": 52546}, "compressed by JPEG XL"),
        ({"t259": 34934}, "compressed by JPEG XR"),
        ({"t259": 34661}, "compressed by JBIG"),
        ({"t259": 34713}, "compressed by Nikon's NEF"),
        ({"t259": 60123}, "compressed by method 60123"),
        ({"t262": 32803}, "a mosaic of colours"),
        ({"t262": 34892, "t277": 3, "t258": [8] * 3}, "raw data"),
        ({"t262": 4}, "a mask of another picture"),
        ({"t262": 10, "t277": 3, "t258": [8] * 3}, "as faxes have it"),
        ({"t262": 5, "t277": 5, "t258": [8] * 5, "t332": 2}, "other inks"),
        ({"t262": 5, "t277": 2, "t258": [8] * 2}, "other inks"),
        ({"t262": 2, "t277": 3, "t258": [5, 6, 5]}, "samples of 5, 6, 5 bits"),
        ({"t262": 2, "t277": 17, "t258": 8}, "17 channels"),
    ],
)
def test_what_is_not_read_is_named(tags, reason):
    assert reason in read_layout(tiff_of([bytes(5000)], 20, 20, **tags)).refusal
    assert all(isinstance(name, str) for name in COMPRESSIONS.values())


@pytest.mark.parametrize(
    ("tags", "data"),
    [
        ({}, bytes(300)),
        ({"t259": 8}, zlib.compress(bytes(300))),
        ({"t259": 8}, b"nonsense"),
        ({"t259": 34925}, b"nonsense"),
        ({"t259": 50000}, b"nonsense"),
        ({"t259": 34712}, b"nonsense"),
        ({"t322": 2**20, "t323": 2**20}, bytes(400)),
        ({"t278": 5}, bytes(400)),
    ],
)
def test_damage_is_a_value_error(tags, data):
    with pytest.raises(ValueError, match="damaged"):
        samples_of(tiff_of([data], 20, 20, **tags))


def test_16_bit_colours_of_jpeg_2000():
    """White of 16 bits, which Pillow's decoder makes 0, is no black in silence."""
    dark, white = (bytes.fromhex(CODED[name]) for name in ("gray", "white"))
    tags = {"t258": [16] * 3, "t277": 3, "t262": 2, "t259": 34712}
    found = picture(tiff_of([dark], 16, 16, **tags))
    assert np.abs(found.pixels / 65535 - 0.5).max() < 0.003
    assert "16 bits are read as 8" in found.remarks[0]
    with pytest.raises(ValueError, match="white Pillow reads as black"):
        picture(tiff_of([white], 16, 16, **tags))


def test_samples_of_libvips_are_positive_and_apart_already():
    content = tiff_of([np.dstack([GRAY8, GRAY8]).tobytes()], 34, 21, t258=[8, 8], t277=2, t262=0, t338=1)
    found = picture_of(np.dstack([GRAY8, GRAY8]), read_layout(content), positive=True)
    np.testing.assert_array_equal(found.pixels, np.dstack([GRAY8, GRAY8]))
