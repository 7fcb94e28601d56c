import io
import pathlib
import struct
import zlib

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms, ImageOps

from hybridvit.photo import resources as photo_resources
from hybridvit.photo.photo import photo_of, read_photo

RNG = np.random.default_rng(0)
RGB16 = RNG.integers(0, 65536, (40, 50, 3), dtype=np.uint16)
RGB8 = (RGB16 >> 8).astype(np.uint8)
GRAY16, GRAY8 = RGB16[..., 0], RGB8[..., 0]
RGBA16 = np.concatenate([RGB16, RGB16[..., :1]], -1)


def stored(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else pixels[..., None]


@pytest.mark.parametrize(
    ("pixels", "how"),
    [
        (RGB16, {"photometric": "rgb"}),
        (RGB16, {"photometric": "rgb", "tile": (16, 16), "compression": "zlib"}),
        (RGB16, {"photometric": "rgb", "bigtiff": True, "byteorder": ">"}),
        (RGB8, {"photometric": "rgb"}),
        (GRAY16, {"photometric": "minisblack"}),
        (GRAY8, {"photometric": "minisblack"}),
    ],
)
def test_tiff_pixels_are_as_stored(tmp_path: pathlib.Path, pixels, how):
    tifffile.imwrite(tmp_path / "a.tif", pixels, **how)
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(photo.pixels, stored(pixels))
    assert photo.pixels.dtype == pixels.dtype
    assert (photo.bits, photo.format, photo.alpha) == (8 * pixels.itemsize, "tiff", None)


@pytest.mark.parametrize("pixels", [GRAY8, GRAY16])
def test_white_is_zero(tmp_path: pathlib.Path, pixels):
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    white = np.iinfo(pixels.dtype).max
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").pixels, stored(white - pixels))


def test_planes_palettes_and_bits(tmp_path: pathlib.Path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate"
    )
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").pixels, RGB16)
    for name, mode in (("p.tif", "P"), ("p.png", "P"), ("b.tif", "1"), ("b.png", "1"), ("p.gif", "P")):
        image = Image.fromarray(RGB8).convert(mode)
        image.save(tmp_path / name)
        expected = np.asarray(image.convert("L" if mode == "1" else "RGB"))
        np.testing.assert_array_equal(read_photo(tmp_path / name).pixels, stored(expected))


def test_floats_and_long_integers_count_from_0_to_white(tmp_path: pathlib.Path):
    for name, pixels in (
        ("f", (GRAY16 / 65535).astype(np.float32)),
        ("h", (RGB8 / 255).astype(np.float32)),
        ("u", GRAY16.astype(np.uint32) * 65537),
    ):
        tifffile.imwrite(tmp_path / name, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
        expected = RGB8.astype(np.uint16) * 257 if name == "h" else stored(GRAY16)
        photo = read_photo(tmp_path / name)
        np.testing.assert_array_equal(photo.pixels, expected)
        assert photo.bits == 16
    tifffile.imwrite(tmp_path / "n", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"n: its values are negative or not a number"):
        read_photo(tmp_path / "n")


def test_alpha_is_kept_apart_and_not_multiplied_in(tmp_path: pathlib.Path):
    tifffile.imwrite(tmp_path / "a.tif", RGBA16, photometric="rgb", extrasamples=["unassalpha"])
    Image.fromarray(np.dstack([GRAY8, GRAY8.T[:40, :40].repeat(2, 1)[:, :50]])).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.dstack([photo.pixels, photo.alpha]), RGBA16)
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_array_equal(
        np.dstack([photo.pixels, photo.alpha]), np.asarray(Image.open(tmp_path / "a.png"))
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_orientation_is_applied(tmp_path: pathlib.Path, orientation: int, suffix: str):
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = Image.fromarray(RGB8[:4, :6]).resize((96, 64))
    smooth.save(path, exif=exif, dpi=(100, 200))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    photo = read_photo(path)
    assert photo.pixels.shape == expected.shape
    assert np.abs(photo.pixels.astype(int) - expected).max() <= (0 if suffix in ("png", "tif") else 3)
    if suffix in ("jpg", "tif"):
        assert photo.metadata.dpi == pytest.approx((100, 200) if orientation < 5 else (200, 100))


def test_cmyk_is_converted_by_its_profile(tmp_path: pathlib.Path):
    icc = bytes(pyvips.Image.profile_load("cmyk"))
    Image.fromarray(np.dstack([RGB8, RGB8[..., :1] // 2]), "CMYK").save(tmp_path / "a.tif", icc_profile=icc)
    transform = ImageCms.buildTransform(
        io.BytesIO(icc),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    expected = np.asarray(ImageCms.applyTransform(Image.open(tmp_path / "a.tif"), transform))
    photo = read_photo(tmp_path / "a.tif")
    assert np.abs(photo.pixels / 257 - expected).max() < 2
    assert photo.icc[16:20] == b"RGB "
    assert photo.bits == 8


def test_other_formats(tmp_path: pathlib.Path):
    for suffix in ("bmp", "ppm", "jp2"):
        Image.fromarray(RGB8).save(
            tmp_path / f"a.{suffix}", **({"irreversible": False} if suffix == "jp2" else {})
        )
        photo = read_photo(tmp_path / f"a.{suffix}")
        np.testing.assert_array_equal(photo.pixels, RGB8)
        assert photo.format == "png"


def test_deep_files_of_other_formats(tmp_path: pathlib.Path):
    (tmp_path / "a.pgm").write_bytes(b"P5\n2 1\n65535\n" + bytes([0, 9, 1, 0]))
    photo = read_photo(tmp_path / "a.pgm")
    np.testing.assert_array_equal(photo.pixels, np.array([[[9], [256]]], np.uint16))
    (tmp_path / "a.ppm").write_bytes(b"P6\n# scan\n2 1\n65535\n" + bytes(range(12)))
    assert "16 bits are read as 8" in read_photo(tmp_path / "a.ppm").remarks[0]


def test_the_first_page_is_read_then_the_others(tmp_path: pathlib.Path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GRAY8, GRAY8 // 2]), photometric="minisblack")
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(photo.pixels[..., 0], GRAY8)
    (page,) = photo.further
    second = read_photo(tmp_path / "a.tif", page=page)
    np.testing.assert_array_equal(second.pixels[..., 0], GRAY8 // 2)
    assert (photo.remarks, second.further) == ((), ())


def test_a_name_with_brackets_is_a_name(tmp_path: pathlib.Path):
    Image.fromarray(RGB8).save(tmp_path / "a[page=3].png")
    np.testing.assert_array_equal(read_photo(tmp_path / "a[page=3].png").pixels, RGB8)


def test_metadata_of_a_jpeg(tmp_path: pathlib.Path, exif_block, xmp_packet, iptc_records):
    Image.fromarray(GRAY8).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif_block, xmp=xmp_packet)
    plain = (tmp_path / "a.jpg").read_bytes()
    resource = photo_resources.Resource(b"8BIM", photo_resources.IPTC, b"", iptc_records)
    block = photo_resources.HEAD + photo_resources.pack([resource])
    (tmp_path / "a.jpg").write_bytes(
        plain[:2] + struct.pack(">HH", 0xFFED, len(block) + 2) + block + plain[2:]
    )
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.pixels.shape == (50, 40, 1)  # its orientation is 6
    assert photo.metadata.dpi == pytest.approx((200, 300))
    assert photo.metadata.xmp == xmp_packet
    assert photo.metadata.iptc == iptc_records
    assert set(photo.metadata.exif.tags) == {0x010E, 0x0131, 0x8769, 0x8825, 0xC614}


def png_of(width: int, height: int) -> bytes:
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 99)),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def bytes_of(form: str, **how) -> bytes:
    file = io.BytesIO()
    Image.fromarray(RGB8).resize((200, 160)).save(file, form, **how)
    return file.getvalue()


def tiled_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.tile(RGB8, (4, 4, 1)), tile=(64, 64), photometric="rgb")
    return file.getvalue()


def broken_tiles() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.tile(RGB8, (4, 4, 1)), tile=(64, 64), photometric="rgb", compression="zlib")
    data = bytearray(file.getvalue())
    middle = len(data) // 2
    data[middle : middle + 2000] = b"x" * 2000
    return bytes(data)


def endless_jp2() -> bytes:
    """JPEG 2000 whose header box says that it has 2 ** 50 bytes."""
    boxes = (b"jP  ", b"\r\n\x87\n"), (b"ftyp", b"jp2 \0\0\0\0jp2 ")
    parts = [struct.pack(">I", 8 + len(content)) + name + content for name, content in boxes]
    return b"".join(parts) + struct.pack(">I4sQ", 1, b"jp2h", 2**50) + b"\0" * 99


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"once upon a time" * 20, "no picture of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "no photograph"),
        (png_of(100_000, 100_000), "100000 x 100000 px are more than the 500 megapixels"),
        (b"P6 100000 100000 255\n" + b"\0" * 99, "too large|more than"),
        (bytes_of("JPEG")[:3000], "damaged or cut short"),
        (bytes_of("PNG")[:3000], "damaged or cut short"),
        (bytes_of("WEBP")[:3000], "damaged or cut short"),
        (bytes_of("AVIF")[:3000], "damaged or cut short"),
        (bytes_of("GIF")[:3000], "damaged or cut short"),
        (bytes_of("BMP")[:3000], "damaged or cut short"),
        (tiled_tiff()[:60_000], "cut short"),
        (endless_jp2(), "longer than fits into memory"),
        (broken_tiles(), "damaged or cut short"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_one_line(tmp_path: pathlib.Path, content: bytes, reason: str, capfd):
    path = tmp_path / "a picture"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as caught:
        read_photo(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert not "".join(capfd.readouterr()).strip()


def test_what_cannot_be_opened_is_an_oserror(tmp_path: pathlib.Path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(IsADirectoryError):
        read_photo(tmp_path)


def test_broken_metadata_does_not_cost_the_picture(tmp_path: pathlib.Path):
    exif = b"Exif\0\0II*\0\xff\xff\xff\xff"
    Image.fromarray(RGB8).save(tmp_path / "a.jpg", icc_profile=b"nonsense" * 40, exif=exif, xmp=b"<broken")
    photo = read_photo(tmp_path / "a.jpg")
    np.testing.assert_array_equal(photo.pixels, np.asarray(Image.open(tmp_path / "a.jpg")))
    assert (photo.icc, photo.metadata.exif, photo.metadata.xmp) == (None, None, None)
    assert "ICC" in photo.remarks[0]
    assert "XMP" in photo.remarks[1]


@pytest.mark.parametrize(
    "array",
    [
        GRAY8,
        RGB8[..., :1],
        RGB8[..., :2],
        RGB8,
        np.dstack([RGB8, GRAY8]),
        RGB16,
        (RGB16 / 65535),
        RGB8[:, ::-1],
    ],
)
def test_arrays(array: np.ndarray):
    photo = photo_of(array)
    joined = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    expected = RGB16 if array.dtype.kind == "f" else stored(array)
    np.testing.assert_array_equal(joined, expected)
    assert photo.pixels.shape[-1] == (3 if stored(array).shape[-1] > 2 else 1)
    assert photo.format == "png"


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 3, 5), np.uint8), "no picture"),
        (np.zeros((0, 3), np.uint8), "no picture"),
        (np.zeros(3, np.uint8), "no picture"),
        (np.zeros((2, 3), np.int64), "int64"),
        (np.full((2, 3), 255.0), "out of 0..1"),
        (np.full((2, 3), np.nan), "not a number"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, reason: str):
    with pytest.raises(ValueError, match=reason):
        photo_of(array)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "YCbCr", "HSV", "I;16", "I", "F", "CMYK"]
)
def test_pillow_images(mode: str):
    if mode in ("I;16", "I", "F"):
        image = Image.fromarray(
            {"I;16": GRAY16, "I": GRAY16.astype(np.int32), "F": GRAY16 / np.float32(65535)}[mode]
        )
        expected = stored(GRAY16)
    else:
        image = Image.fromarray(RGB8).convert(mode)
        plain = {"1": "L", "LA": "LA", "L": "L", "RGBA": "RGBA"}.get(mode, "RGB")
        expected = stored(np.asarray(image.convert(plain)))
    photo = photo_of(image)
    joined = photo.pixels if photo.alpha is None else np.dstack([photo.pixels, photo.alpha])
    assert joined.shape == expected.shape
    if mode != "CMYK":
        np.testing.assert_array_equal(joined, expected)


def test_a_pillow_image_brings_its_metadata(tmp_path: pathlib.Path, exif_block, xmp_packet, adobe_rgb):
    Image.fromarray(RGB8).save(
        tmp_path / "a.jpg", exif=b"Exif\0\0" + exif_block, xmp=xmp_packet, icc_profile=adobe_rgb
    )
    photo, same = photo_of(Image.open(tmp_path / "a.jpg")), read_photo(tmp_path / "a.jpg")
    assert photo.metadata.exif == same.metadata.exif
    assert photo.metadata.xmp == same.metadata.xmp
    assert photo.icc == same.icc == adobe_rgb
    assert photo.pixels.shape == same.pixels.shape == (50, 40, 3)
    assert photo.format == same.format == "jpeg"
