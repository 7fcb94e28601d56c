"""What is not read is called by its name, by path and in training."""

import io
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hybridvit.data.decode import UnreadableImageError, read_picture
from hybridvit.photo.jpeg_2000 import HEAD
from hybridvit.photo.other_formats import refusal_of
from hybridvit.photo.photo import photo_of, read_photo

GRAY = np.linspace(20, 230, 40 * 30).reshape(40, 30).astype(np.uint8)


def written(form: str, **how) -> bytes:
    file = io.BytesIO()
    Image.fromarray(GRAY).save(file, form, **how)
    return file.getvalue()


def jpeg_of_12_bits() -> bytes:
    data = bytearray(written("JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xff\x0a" + b"\0" * 50, "JPEG XL, which is not read"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 50, "JPEG XL, which is not read"),
        (b"II\xbc\x01" + b"\0" * 50, "JPEG XR, which is not read"),
        (b"8BPS\0\1" + b"\0" * 50, "a Photoshop file, which is not read"),
        (b"%PDF-1.7\n" + b"\0" * 50, "a PDF, which is not read"),
        (b"\0" * 128 + b"DICM" + b"\0" * 50, "DICOM, which is not read"),
        (b"\0\0\0\x18ftypcrx " + b"\0" * 50, "camera's raw data: develop it first"),
        (b"FUJIFILMCCD-RAW 0201" + b"\0" * 50, "camera's raw data: develop it first"),
        (b"\0\0\0\x18ftypqt  " + b"\0" * 50, "a video: save a frame of it first"),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x10\0\x10\1\1\x11\0" + b"\0" * 50, "JPEG-LS, which is not read"),
        (jpeg_of_12_bits(), "JPEG of 12 bits, which is not read"),
    ],
)
def test_a_format_that_is_not_read_is_named(tmp_path: pathlib.Path, data: bytes, name: str):
    path = tmp_path / "scan.jpg"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=name) as caught:
        read_photo(path)
    assert str(caught.value).startswith(f"{path}: ")
    for source in (path, data):
        with pytest.raises(UnreadableImageError, match=name):
            read_picture(source)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP", "PPM", "JPEG2000"])
def test_formats_that_are_read_are_not_refused(form: str):
    assert refusal_of(written(form)) is None


@given(
    st.binary(max_size=40), st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"\0\0\0\x18ftyp"])
)
def test_any_bytes_have_an_answer(rest: bytes, start: bytes):
    assert refusal_of(start + rest) is None or "\n" not in refusal_of(start + rest)


def test_jpeg_2000_of_numbers_with_a_sign(tmp_path: pathlib.Path):
    data = bytearray(written("JPEG2000"))
    data[data.index(HEAD) + 42] |= 0x80
    path = tmp_path / "scan.jp2"
    path.write_bytes(data)
    for read in (read_photo, read_picture, lambda path: photo_of(Image.open(path))):
        with pytest.raises(ValueError, match="numbers with a sign"):
            read(path)
