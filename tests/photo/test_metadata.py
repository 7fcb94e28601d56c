"""Metadata wherever files have it: forms, extensions, duplicates; and resolutions that are not given."""

import hashlib
import io
import pathlib
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hybridvit.data.decode import decode_image
from hybridvit.photo import gif as photo_gif
from hybridvit.photo import jpeg as photo_jpeg
from hybridvit.photo import png as photo_png
from hybridvit.photo import resources
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.encode import left_out
from hybridvit.photo.metadata import Metadata, metadata_of, read_parts
from hybridvit.photo.photo import Photo, photo_of, read_photo, write_photo
from hybridvit.photo.provenance import merge_provenance

GRAY = np.tile(np.linspace(0, 255, 24).astype(np.uint8), (16, 1))
CAPTION = 0x010E
PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</rdf:Description></rdf:RDF></x:xmpmeta>"""


def exif_of(caption: str = "Straße", orientation: int = 1, **more: str) -> bytes:
    exif = Image.Exif()
    exif[CAPTION], exif[0x0112] = caption.encode(), orientation
    exif[0x011A], exif[0x011B], exif[0x0128] = 300.0, 200.0, 2
    for tag, value in more.items():
        exif[int(tag[1:], 16)] = value
    exif.get_ifd(0x8769)[0x9003] = "1912:04:07 10:00:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 4.0, 12.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def saved(form: str, image: Image.Image | None = None, **how) -> bytes:
    file = io.BytesIO()
    (image or Image.fromarray(GRAY)).save(file, form, **how)
    return file.getvalue()


def png(*chunks: tuple[bytes, bytes], behind: bool = False) -> bytes:
    data = saved("PNG")
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    at = data.index(b"IEND") - 4 if behind else 33
    return data[:at] + more + data[at:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    data = saved("JPEG")
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return data[:2] + head + data[2:]


def block_of(*pairs: tuple[int, bytes]) -> bytes:
    return resources.pack([resources.Resource(b"8BIM", number, b"", data) for number, data in pairs])


def raw_profile(name: str, data: bytes) -> bytes:
    digits = data.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(data):8}\n{lines}\n".encode()


def readings(path: pathlib.Path) -> list[Photo]:
    """By its path, by a Pillow image of an open file, of one in memory, of one that is loaded."""
    with Image.open(path) as image:
        found = [read_photo(path), photo_of(image)]
    found.append(photo_of(Image.open(io.BytesIO(path.read_bytes()))))
    loaded = Image.open(path)
    loaded.load()
    return [*found, photo_of(loaded)]


def caption_of(photo: Photo) -> str:
    return photo.metadata.exif.tags[CAPTION].value.rstrip(b"\0").decode()


def again(tmp_path: pathlib.Path, photo: Photo, suffix: str) -> Photo:
    rgb = np.zeros((*photo.pixels.shape[:2], 3), np.uint8)
    write_photo(tmp_path / f"again{suffix}", rgb, photo, {})
    return read_photo(tmp_path / f"again{suffix}")


@pytest.mark.parametrize("name", ["exif", "APP1", "two words"])
def test_exif_of_png_as_a_raw_profile(tmp_path: pathlib.Path, name):
    block = b"Exif\0\0" + exif_of(orientation=6)
    keyword = b"Raw profile type " + (b"exif" if name == "two words" else name.encode())
    path = tmp_path / "a.png"
    path.write_bytes(png((b"zTXt", keyword + b"\0\0" + zlib.compress(raw_profile(name, block)))))
    for photo in readings(path):
        assert caption_of(photo) == "Straße"
        assert photo.metadata.exif.tags[tags.EXIF][0x9003].value == b"1912:04:07 10:00:00\0"
        assert photo.metadata.exif.tags[tags.GPS][1].value == b"N\0"
    upright = read_photo(path)
    assert upright.pixels.shape[:2] == (24, 16)
    assert upright.metadata.dpi == (200, 300)
    result = Image.open(tmp_path / "again.png") if again(tmp_path, upright, ".png") else None
    assert result.getexif().get_ifd(0x8825)[1] == "N"
    if name == "exif":
        assert decode_image(path).shape[:2] == (24, 16)  # in training, too


def test_png_has_metadata_behind_its_pixels_too(tmp_path: pathlib.Path):
    packet = PACKET.format("<dc:title>Łódź</dc:title>").encode()
    path = tmp_path / "a.png"
    texts = ((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet), (b"tEXt", b"Author\0J\xfcrgen"))
    path.write_bytes(png((b"eXIf", exif_of(orientation=3)), *texts, behind=True))
    for photo in readings(path):
        assert caption_of(photo) == "Straße"
        assert "Łódź" in photo.metadata.xmp.decode()
        assert photo.metadata.texts == (("Author", "Jürgen"),)
    np.testing.assert_array_equal(read_photo(path).pixels[..., 0], GRAY[::-1, ::-1])


def test_texts_and_comments(tmp_path: pathlib.Path):
    texts = (("Title", "Łódź"), ("Author", "Jürgen"), ("Comment", "a" * 3000), ("Roll", "7"))
    path = tmp_path / "a.png"
    path.write_bytes(png(*(photo_png._chunk_of(*text) for text in texts)))
    photo = read_photo(path)
    assert photo.metadata.texts == texts
    assert again(tmp_path, photo, ".png").metadata.texts == texts
    turned = again(tmp_path, photo, ".jpg").metadata
    assert turned.texts == (("Comment", "a" * 3000),)
    assert all(word in turned.xmp.decode() for word in ("dc:title", "Łódź", "dc:creator", "Jürgen"))
    for path in (tmp_path / "c.jpg", tmp_path / "c.gif"):
        Image.fromarray(GRAY).save(path, comment="Straße".encode())
        for photo in readings(path):
            assert photo.metadata.texts == (("Comment", "Straße"),)
    assert Image.open(tmp_path / "again.jpg").info["comment"] == b"a" * 3000


def test_xmp_of_a_gif(tmp_path: pathlib.Path):
    packet = PACKET.format("<dc:title>Łódź</dc:title>").encode()
    data = saved("GIF", comment=b"x" * 600)
    end = data.rindex(b";")
    block = b"!\xff\x0bXMP DataXMP" + packet + photo_gif.TRAILER
    path = tmp_path / "a.gif"
    path.write_bytes(data[:end] + block + data[end:])
    for photo in readings(path)[:3]:  # Pillow keeps nothing of it
        assert photo.metadata.xmp == packet


def test_uuid_boxes_of_jpeg_2000(tmp_path: pathlib.Path, iptc_records: bytes):
    packet = PACKET.format("<dc:title>Łódź</dc:title>").encode()
    ids = ("be7acfcb97a942e89c71999491e3afac", packet), ("33c7a4d2b81d4723a0baf1a3e097ad38", iptc_records)
    more = [*((bytes.fromhex(name), data) for name, data in ids), (b"JpgTiffExif->JP2", exif_of())]
    boxes = b"".join(struct.pack(">I", 24 + len(data)) + b"uuid" + name + data for name, data in more)
    path = tmp_path / "a.jp2"
    path.write_bytes(saved("JPEG2000") + boxes)
    for photo in readings(path)[:3]:
        assert caption_of(photo) == "Straße"
        assert (photo.metadata.xmp, photo.metadata.iptc) == (packet, iptc_records)


def extended(packet: bytes, extension: bytes, key: bytes | None = None) -> bytes:
    key = key or hashlib.md5(extension).hexdigest().upper().encode()
    head, half = photo_jpeg.EXTENSION_HEAD + key + struct.pack(">I", len(extension)), len(extension) // 2
    pieces = (half, extension[half:]), (0, extension[:half])  # in any order
    main = packet.replace(b"KEY", key)
    return jpeg(
        (0xE1, photo_jpeg.XMP_HEAD + main),
        *((0xE1, head + struct.pack(">I", at) + part) for at, part in pieces),
    )


def test_the_extension_of_xmp(tmp_path: pathlib.Path):
    note = (
        '<xmpNote:HasExtendedXMP xmlns:xmpNote="http://ns.adobe.com/xmp/note/">KEY</xmpNote:HasExtendedXMP>'
    )
    main = PACKET.format("<dc:title>short</dc:title>" + note).encode()
    story = "Ł" * 40_000
    extension = PACKET.format(f"<dc:description>{story}</dc:description>").encode()
    path = tmp_path / "a.jpg"
    path.write_bytes(extended(main, extension))
    for photo in readings(path):
        assert story in photo.metadata.xmp.decode()
        assert photo.remarks == ()
    back = again(tmp_path, photo, ".jpg").metadata.xmp.decode()
    assert story in back
    assert "<dc:title>short</dc:title>" in back
    assert len(Image.open(tmp_path / "again.jpg").info["xmp"]) < 65_533  # others see the main packet
    path.write_bytes(extended(main, extension, b"0" * 32))
    photo = read_photo(path)
    assert "short" in photo.metadata.xmp.decode()
    assert photo.remarks[0] == "the extension of its XMP packet is damaged and is left out"


def test_several_packets_are_put_together(tmp_path: pathlib.Path):
    first = PACKET.format("<dc:title>first</dc:title>").encode()
    second = PACKET.format("<dc:title>second</dc:title><dc:source>Łódź</dc:source>").encode()
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(*((0xE1, photo_jpeg.XMP_HEAD + packet) for packet in (first, second, second))))
    photo = read_photo(path)
    assert photo.remarks == ("its XMP says title twice, and differently: the first is kept",)
    text = merge_provenance(photo.metadata.xmp, {}).decode()
    assert "first" in text
    assert "second" not in text
    assert "Łódź" in text


def test_exif_that_is_there_twice_or_in_pieces(tmp_path: pathlib.Path):
    head, path = photo_jpeg.EXIF_HEAD, tmp_path / "a.jpg"
    path.write_bytes(jpeg((0xE1, head + exif_of("first")), (0xE1, head + exif_of("second", x013B="J. Foto"))))
    for photo in readings(path)[:3]:
        assert caption_of(photo) == "first"
        assert photo.metadata.exif.tags[0x013B].value == b"J. Foto\0"
        assert photo.remarks == ("its EXIF says ImageDescription twice, and differently: the first is kept",)
    block = exif_of("Ł" * 40_000)
    path.write_bytes(jpeg((0xE1, head + block[:50_000]), (0xE1, head + block[50_000:])))
    assert caption_of(read_photo(path)) == "Ł" * 40_000


def test_a_tag_that_stands_twice_in_a_tiff(tmp_path: pathlib.Path):
    """As tifffile puts its own description behind the caption."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GRAY, photometric="minisblack", description="a caption", metadata={"axes": "YX"})
    assert path.read_bytes().count(struct.pack("<HH", CAPTION, 2)) == 2
    for photo in readings(path)[:3]:  # Pillow keeps the last one
        assert caption_of(photo) == "a caption"
        assert photo.remarks == ("its EXIF says ImageDescription twice, and differently: the first is kept",)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
def test_photoshops_resources(tmp_path: pathlib.Path, form, iptc_records: bytes):
    """The caption's neighbours are kept, thumbnails are not, and the resolution counts where no other is given."""
    shown = struct.pack(">IHHIHH", 300 << 16, 1, 1, 200 << 16, 1, 1)
    kept = [(0x03ED, shown), (0x040A, b"\1"), (0x040B, b"http://example.org"), (0x07D0, b"p" * 26)]
    block = block_of((0x040C, b"thumbnail"), *kept[:2], (resources.IPTC, iptc_records), *kept[2:])
    path = tmp_path / f"a.{form.lower()}"
    if form == "JPEG":
        half = len(block) // 2  # parts of a block may be cut anywhere
        path.write_bytes(jpeg(*((0xED, resources.HEAD + part) for part in (block[:half], block[half:]))))
    elif form == "PNG":
        path.write_bytes(png((b"tEXt", b"Raw profile type 8bim\0" + raw_profile("8bim", block))))
    else:
        tifffile.imwrite(
            path,
            GRAY,
            photometric="minisblack",
            metadata=None,
            extratags=[(34377, "B", len(block), block, True)],
        )
        data = bytearray(path.read_bytes())  # tifffile always says a resolution, of unit 1
        for tag in (282, 283):
            at = data.index(struct.pack("<HHI", tag, 5, 1))
            data[at : at + 2] = struct.pack("<H", 65000 + tag)
        path.write_bytes(data)
    for photo in readings(path):
        found = [(one.number, one.data) for one in photo.metadata.resources]
        assert found == kept
        assert photo.metadata.iptc == iptc_records
        assert photo.metadata.dpi == (300, 200)
    for suffix in (".jpg", ".tif", ".png"):
        back = again(tmp_path, photo, suffix).metadata
        assert [(one.number, one.data) for one in back.resources] == kept
        assert back.iptc == iptc_records
        assert back.dpi == pytest.approx((300, 200), abs=0.01)


def test_what_a_format_has_no_place_for_is_said(iptc_records: bytes):
    more = iptc_records + b"\x1c\2\x0a\0\1" + b"1"  # urgency, of which XMP has no property here
    kept = (resources.Resource(b"8BIM", 0x040B, b"", b"http://example.org"),)
    texts = (("Author", "J. Foto"), ("Roll", "7"))
    note = {tags.EXIF: {tags.MAKER_NOTE: tags.Tag(tags.UNDEFINED, b"n" * 65_000)}}
    rich = Metadata(tags.Directory(note), None, more, None, (3.0, 2.0), kept, texts)
    assert left_out(rich, "png") == left_out(rich, "tiff")[1:] == ()
    assert [remark.partition(" has ")[2][:28] for remark in left_out(rich, "webp")] == [
        "no place for Photoshop's res",
        "no place for PNG's texts Rol",
        "no place for IPTC: what XMP ",
        "no place for the aspect of i",
    ]
    assert "the maker's note" in left_out(rich, "jpeg")[1]
    assert left_out(Metadata(iptc=iptc_records, texts=texts[:1]), "avif") == ()


def test_what_photoshop_places_in_a_picture_does_not_turn_with_it(tmp_path: pathlib.Path):
    block = block_of((0x07D0, b"p" * 26), (0x040B, b"http://example.org"))
    path = tmp_path / "a.jpg"
    path.write_bytes(
        jpeg((0xE1, photo_jpeg.EXIF_HEAD + exif_of(orientation=6)), (0xED, resources.HEAD + block))
    )
    photo = read_photo(path)
    assert [one.number for one in photo.metadata.resources] == [0x040B]
    assert "Photoshop's paths" in photo.remarks[0]


SUFFIXES = (".jpg", ".tif", ".png", ".webp", ".avif")


def said_of(path: pathlib.Path) -> dict[str, object]:
    """What Pillow says of a resolution: a resolution, an aspect, and EXIF's."""
    with Image.open(path) as image:
        image.load()
        exif = image.getexif()
        found = {name: image.info.get(name) for name in ("dpi", "aspect", "resolution", "jfif_unit")}
        return found | {
            "density": image.info.get("jfif_density"),
            "exif": [exif.get(tag) for tag in (282, 283, 296)],
        }


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_resolution_stays_none(tmp_path: pathlib.Path, suffix):
    Image.fromarray(GRAY).save(tmp_path / "a.png")
    for photo in (*readings(tmp_path / "a.png"), photo_of(GRAY)):
        assert photo.metadata.density is None
        back = again(tmp_path, photo, suffix)
        assert back.metadata.density is None
        said = said_of(tmp_path / f"again{suffix}")
        assert said["exif"] == [None, None, None] or suffix == ".tif"
        assert said["aspect"] is None
        if suffix == ".jpg":
            assert (said["jfif_unit"], said["density"]) == (0, (1, 1))
        assert said["dpi"] is None or suffix in (
            ".tif",
            ".jpg",
        )  # of these, Pillow says something nevertheless
        if suffix == ".tif":
            assert not {282, 283, 296} & set(tifffile.TiffFile(tmp_path / "again.tif").pages[0].tags.keys())


def test_a_jpeg_with_exif_and_without_a_resolution(tmp_path: pathlib.Path):
    """Of which Pillow says 72 dpi."""
    exif = Image.Exif()
    exif[0x013B] = "J. Foto"
    Image.fromarray(GRAY).save(tmp_path / "a.jpg", exif=exif)
    for photo in (*readings(tmp_path / "a.jpg"), photo_of(Image.open(tmp_path / "a.jpg").copy())):
        assert photo.metadata.density is None
        assert photo.metadata.exif.tags[0x013B].value == b"J. Foto\0"


def without_unit(tmp_path: pathlib.Path, form: str, turned: bool) -> pathlib.Path:
    """3 across to 2 down, of something that is not said."""
    path = tmp_path / f"a.{form}"
    if form == "tif":
        more = [(274, "H", 1, 6 if turned else 1, True)]
        how = {"photometric": "minisblack", "metadata": None, "compression": "zlib"}
        tifffile.imwrite(path, GRAY, resolution=(300, 200), resolutionunit=1, extratags=more, **how)
        return path
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    if form == "png":
        path.write_bytes(png((b"pHYs", struct.pack(">IIB", 300, 200, 0)), (b"eXIf", block)))
        return path
    data = bytearray(jpeg((0xE1, photo_jpeg.EXIF_HEAD + block)))
    at = data.index(b"JFIF\0") + 7
    data[at : at + 5] = struct.pack(">BHH", 0, 300, 200)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("form", ["tif", "png", "jpg"])
def test_a_resolution_without_a_unit_is_an_aspect(tmp_path: pathlib.Path, form, turned):
    aspect = (200, 300) if turned else (300, 200)
    photos = readings(without_unit(tmp_path, form, turned))
    for photo in (
        photos[:1] if form == "tif" and turned else photos
    ):  # a turned TIFF as a Pillow image: not here
        assert (photo.metadata.dpi, photo.metadata.aspect) == (None, aspect)
    for suffix in SUFFIXES:
        back = again(tmp_path, photos[0], suffix)
        said = said_of(tmp_path / f"again{suffix}")
        assert back.metadata.dpi is None
        assert suffix == ".jpg" or said["dpi"] is None
        if suffix in (".jpg", ".tif", ".png"):
            assert back.metadata.aspect == aspect
            assert aspect in (said["density"], said["resolution"], said["aspect"])


@pytest.mark.parametrize(
    ("unit", "resolution", "dpi"),
    [(2, (300, 300), (300, 300)), (3, (300, 200), (762, 508)), (2, (0, 0), None)],
)
def test_a_resolution_with_a_unit(tmp_path: pathlib.Path, unit, resolution, dpi):
    tifffile.imwrite(
        tmp_path / "a.tif",
        GRAY,
        photometric="minisblack",
        resolution=resolution,
        resolutionunit=unit,
        metadata=None,
    )
    for photo in readings(tmp_path / "a.tif"):
        assert photo.metadata.dpi == dpi
        for suffix in SUFFIXES:
            back = again(tmp_path, photo, suffix).metadata
            assert back.dpi == (dpi and pytest.approx(dpi, abs=0.02))
            assert back.aspect is None


def test_iptc_as_numbers_of_a_big_endian_tiff(tmp_path: pathlib.Path, iptc_records: bytes):
    """The type is 32-bit numbers, the bytes stand as they are."""
    records = iptc_records + b"\0" * (-len(iptc_records) % 4)
    for order in "<>":
        more = [(33723, "I", len(records) // 4, np.frombuffer(records, f"{order}u4").tolist(), True)]
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, GRAY, photometric="minisblack", byteorder=order, metadata=None, extratags=more)
        assert records in path.read_bytes()
        for photo in readings(path)[:3]:  # Pillow keeps the first number
            assert photo.metadata.iptc == records


def test_a_raw_camera_file_s_tags_do_not_make_a_raw_file_of_the_result(tmp_path: pathlib.Path):
    more = [(50706, "B", 4, b"\1\4\0\0", True), (50708, "s", 0, "Scanner X", True)]
    tifffile.imwrite(tmp_path / "a.tif", GRAY, photometric="minisblack", metadata=None, extratags=more)
    kept = again(tmp_path, read_photo(tmp_path / "a.tif"), ".tif").metadata.exif.tags
    assert 50706 not in kept
    assert kept[50708].value == b"Scanner X\0"


SAMPLES = {
    "jpeg": jpeg(
        (0xE1, photo_jpeg.EXIF_HEAD + exif_of()),
        (0xE1, photo_jpeg.XMP_HEAD + PACKET.format("<dc:title>a</dc:title>").encode()),
        (0xED, resources.HEAD + block_of((resources.IPTC, b"\x1c\2\5\0\1a"), (0x03ED, b"\0" * 16))),
        (0xFE, b"a comment"),
    ),
    "png": png(
        (b"eXIf", exif_of()),
        (
            b"zTXt",
            b"Raw profile type 8bim\0\0" + zlib.compress(raw_profile("8bim", block_of((0x040B, b"url")))),
        ),
        (b"iTXt", b"Author\0\1\0\0\0" + zlib.compress(b"a")),
        (b"pHYs", struct.pack(">IIB", 3, 2, 0)),
    ),
    "gif": saved("GIF", comment=b"a comment")[:-1] + b"!\xff\x0bXMP DataXMPxmp" + photo_gif.TRAILER + b";",
    "jp2": saved("JPEG2000") + struct.pack(">I", 24 + 3) + b"uuidJpgTiffExif->JP2" + b"II*",
}


@pytest.mark.parametrize("form", sorted(SAMPLES))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_metadata_is_less_metadata(form: str, data):
    block = bytearray(SAMPLES[form])
    assert metadata_of(read_parts(io.BytesIO(bytes(block))))
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(12, len(block) - 1))] = data.draw(st.integers(0, 255))
    block = bytes(block[: data.draw(st.integers(12, len(block)))])
    metadata_of(read_parts(io.BytesIO(block)))
