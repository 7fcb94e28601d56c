"""Every kind of picture file, sound and hostile, made here."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from hybridvit.data.decode import UnreadableImageError, decode_image


def encode(image: Image.Image, form: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def ramp16(height: int = 20) -> np.ndarray:
    return np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (height, 1))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "JPEG", "JPEG2000"])
def test_color_formats(photo, form):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(form, {})
    image = photo(0)
    pixels = decode_image(encode(image, form, **options))
    tolerance = {"GIF": 60, "JPEG": 6, "JPEG2000": 6}.get(form, 0)
    assert pixels.shape == (40, 48, 3)
    assert np.abs(pixels.astype(int) - np.asarray(image)).max() <= tolerance


def test_a_path_gives_what_its_bytes_give(photo, tmp_path):
    photo(0).save(tmp_path / "a.jpg")
    np.testing.assert_array_equal(
        decode_image(tmp_path / "a.jpg"), decode_image((tmp_path / "a.jpg").read_bytes())
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
def test_exif_orientation(photo, orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(photo(1), form, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    pixels = decode_image(content)
    np.testing.assert_array_equal(pixels, np.asarray(expected))
    assert pixels.shape[:2] == ((40, 48) if orientation < 5 else (48, 40))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_ignored(photo):
    content = encode(photo(1), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff")
    assert decode_image(content).shape == (40, 48, 3)


def test_cmyk_with_adobe_marker(photo):
    content = encode(photo(2).convert("CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in content
    difference = np.abs(decode_image(content).astype(int) - np.asarray(photo(2)))
    assert difference.mean() < 3


def test_16_bit_png_is_scaled_not_clipped():
    pixels = decode_image(encode(Image.fromarray(ramp16())))
    np.testing.assert_array_equal(pixels[..., 0], np.round(ramp16() / 257))


def test_16_bit_tiff_with_white_as_zero():
    # A minimal TIFF by hand: Pillow writes none with this photometric interpretation
    values = ramp16()
    height, width = values.shape
    entries = [(256, 3, width), (257, 3, height), (258, 3, 16), (259, 3, 1), (262, 3, 0)]
    entries += [(273, 4, 8 + 2 + 9 * 12 + 4), (277, 3, 1), (278, 3, height), (279, 4, values.nbytes)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    content = (
        b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", 0) + values.tobytes()
    )
    np.testing.assert_array_equal(decode_image(content)[..., 0], 255 - np.round(values / 257))


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_float_and_32_bit_tiffs_are_scaled_by_their_range(top):
    values = np.linspace(0, top, 256, dtype=np.float32)[None].repeat(20, 0)
    np.testing.assert_allclose(
        decode_image(encode(Image.fromarray(values), "TIFF"))[0, :, 0], np.arange(256), atol=1
    )
    if top > 1:
        image = Image.fromarray(values.astype(np.int32))
        np.testing.assert_allclose(decode_image(encode(image, "TIFF"))[0, :, 0], np.arange(256), atol=1)


def test_floats_beyond_any_range_are_stretched():
    values = np.linspace(-7, 1e9, 256, dtype=np.float32)[None].repeat(20, 0)
    values[0] = np.nan
    pixels = decode_image(encode(Image.fromarray(values), "TIFF"))
    assert (pixels[1, 0, 0], pixels[1, 255, 0]) == (0, 255)


def test_palette(photo):
    image = photo(3).quantize(16)
    np.testing.assert_array_equal(decode_image(encode(image)), np.asarray(image.convert("RGB")))


def test_1_bit_is_black_and_white(photo):
    pixels = decode_image(encode(photo(3).convert("1")))
    assert pixels.shape == (40, 48, 1)
    assert set(np.unique(pixels)) == {0, 255}


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_transparency_is_laid_on_white(photo, mode):
    image = photo(4).convert(mode)
    pixels = np.asarray(image).reshape(40, 48, -1)
    image.putalpha(Image.fromarray(np.tile(np.repeat([0, 51, 255], 16).astype(np.uint8), (40, 1))))
    decoded = decode_image(encode(image))
    assert decoded.shape == pixels.shape
    assert (decoded[:, :16] == 255).all()
    np.testing.assert_allclose(decoded[:, 16:32], 255 - (255.0 - pixels[:, 16:32]) * 51 / 255, atol=1)
    np.testing.assert_allclose(decoded[:, 32:], pixels[:, 32:], atol=1)


def test_transparent_palette_entry_is_white(photo):
    image = photo(4).quantize(16)
    decoded = decode_image(encode(image, transparency=3))
    expected = np.where(np.asarray(image)[..., None] == 3, 255, np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(decoded, expected)


def test_animation_gives_its_first_frame(photo):
    frames = [photo(i).quantize(64) for i in range(3)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode_image(content), np.asarray(frames[0].convert("RGB")))


def swapped_primaries() -> bytes:
    """An ICC profile that is sRGB with red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    entries = {bytes(profile[i : i + 4]): i for i in range(132, 132 + 12 * count, 12)}
    profile[entries[b"rXYZ"] : entries[b"rXYZ"] + 4] = b"gXYZ"
    profile[entries[b"gXYZ"] : entries[b"gXYZ"] + 4] = b"rXYZ"
    return (
        bytes(profile)
        .replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
        .replace(b"sRGB", b"swap")
    )


def test_icc_profile_is_applied():
    color = np.full((20, 20, 3), (200, 30, 60), np.uint8)
    pixels = decode_image(encode(Image.fromarray(color), icc_profile=swapped_primaries()))
    np.testing.assert_allclose(pixels[0, 0], (30, 200, 60), atol=3)


@pytest.mark.parametrize("profile", [b"broken", swapped_primaries()[:200]])
def test_broken_icc_profile_is_ignored(photo, profile):
    np.testing.assert_array_equal(decode_image(encode(photo(5), icc_profile=profile)), np.asarray(photo(5)))


def test_icc_profile_of_another_color_space_is_ignored(photo):
    gray = photo(5).convert("L")
    pixels = decode_image(encode(gray, icc_profile=swapped_primaries()))
    np.testing.assert_array_equal(pixels[..., 0], np.asarray(gray))


def huge_png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_unreadable_files_say_why_in_one_line(photo, tmp_path):
    jpeg, png = encode(photo(6, 200, 200), "JPEG"), encode(photo(6, 200, 200))
    cases = {
        b"": "an empty file",
        b"not a picture at all\n" * 9: "no picture of a known format",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n": "PostScript, which is not read",
        jpeg[: len(jpeg) // 2]: "truncated",
        png[: len(png) // 2]: "truncated",
        encode(Image.new("RGB", (1, 1))): "1 x 1 px is too small",
        encode(Image.new("RGB", (500, 15))): "500 x 15 px is too small",
        huge_png(): "megapixels",
    }
    for content, reason in cases.items():
        path = tmp_path / "case.jpg"
        path.write_bytes(content)
        for source in (content, path):
            with pytest.raises(UnreadableImageError, match=reason) as caught:
                decode_image(source)
            assert "\n" not in str(caught.value)
    with pytest.raises(UnreadableImageError, match="no such file"):
        decode_image(tmp_path / "absent.jpg")
    with pytest.raises(UnreadableImageError, match="directory"):
        decode_image(tmp_path)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), form=st.sampled_from(["JPEG", "PNG", "TIFF", "GIF", "WEBP", "BMP"]))
def test_damage_gives_pixels_or_the_one_exception(photo, data, form):
    content = bytearray(encode(photo(7, 40, 40), form))
    for _ in range(data.draw(st.integers(1, 8))):
        # Headers are where the harm is
        place = data.draw(st.one_of(st.integers(0, 199), st.integers(0, len(content) - 1)))
        content[min(place, len(content) - 1)] = data.draw(st.integers(0, 255))
    del content[data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content)))) :]
    try:
        pixels = decode_image(bytes(content))
    except UnreadableImageError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] in (1, 3)


def test_min_side_reduces_large_jpegs_only_down_to_it(photo):
    content = encode(photo(8, 640, 480), "JPEG", quality=95)
    assert decode_image(content, min_side=100).shape == (120, 160, 3)
    assert decode_image(content, min_side=121).shape == (240, 320, 3)
    reduced = decode_image(content, min_side=100).astype(float)
    expected = np.asarray(photo(8, 640, 480).resize((160, 120), Image.Resampling.BOX), float)
    assert np.abs(reduced - expected).mean() < 2
