import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.tiff_tags import Directory, Tag

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8, 12: 8}


@st.composite
def values(draw) -> Tag:
    kind = draw(st.sampled_from(sorted(SIZES)))
    count = draw(st.integers(1, 9))
    return Tag(kind, draw(st.binary(min_size=count * SIZES[kind], max_size=count * SIZES[kind])))


def entries(low: int = 256):
    return st.dictionaries(st.integers(low, 0x8000), values(), max_size=8)


@settings(max_examples=60, deadline=None)
@given(
    entries(),
    entries(),
    entries(1),
    entries(1),
    st.sampled_from("<>"),
    st.integers(0, 2000),
    st.binary(max_size=50),
)
def test_what_is_packed_is_read(top, exif, inner, gps, order, note_at, note):
    exif = {**exif, tags.INTEROPERABILITY: inner} if inner else exif
    exif = {**exif, tags.MAKER_NOTE: Tag(tags.UNDEFINED, note)} if note else exif
    top = {**top, **{tag: value for tag, value in ((tags.EXIF, exif), (tags.GPS, gps)) if value}}
    found = tags.read_directory(tags.pack_block(Directory(top, order, note_at)).ljust(16, b"\0"))
    assert found.tags == top
    assert found.order == order
    if len(note) > 4 and note_at >= 8:
        assert found.note_at == note_at


@settings(max_examples=30, deadline=None)
@given(entries(), entries(), st.sampled_from("<>"))
def test_big_tiff(top, exif, order):
    top = {**top, tags.EXIF: exif} if exif else top
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HHHQ", 43, 8, 0, 16)
    assert tags.read_directory(head + tags.pack_directory(top, 16, order, big=True)).tags == top


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_a_value_error_or_fewer_tags(exif_block: bytes, data):
    block = bytearray(exif_block)
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    block = bytes(block[: data.draw(st.integers(0, len(block)))])
    try:
        directory = tags.read_directory(block)
    except ValueError:
        return
    again = tags.read_directory(tags.pack_block(directory).ljust(16, b"\0"))
    assert again.tags == {tag: value for tag, value in directory.tags.items() if value != {}}


def test_pillow_reads_it(exif_block: bytes):
    directory = tags.read_directory(exif_block)
    assert directory.note_at == 400
    block = tags.pack_block(directory)
    assert block[400:440] == b"note" * 10
    for form in ("JPEG", "PNG"):
        file = io.BytesIO()
        Image.new("L", (8, 8)).save(file, form, exif=b"Exif\0\0" + block)
        exif = Image.open(file).getexif()
        assert exif[0x0112] == 6
        assert exif[0x010E].encode("latin-1").decode() == "Straße nach Łódź"
        assert exif.get_ifd(tags.EXIF)[0x9003] == "1944:06:06 06:30:00"
        assert exif.get_ifd(tags.GPS)[2] == (49, 20, pytest.approx(12.34))


def test_no_tiff():
    for data in (b"", b"II*", b"nonsense of some length", b"II*\0\xff\xff\xff\xff" + b"\0" * 20):
        with pytest.raises(ValueError, match=r"not a TIFF|cut off"):
            tags.read_directory(data)
