import contextlib
import dataclasses
import io
import json
import os
import pathlib
import resource
import struct
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms, IptcImagePlugin
from skimage.color import rgb2lab

from hybridvit.inference.composition import compose, lightness
from hybridvit.photo import photo as photos
from hybridvit.photo.metadata import Metadata, metadata_of
from hybridvit.photo.parts import Parts
from hybridvit.photo.photo import photo_of, read_photo, read_provenance, write_photo
from hybridvit.photo.profile import matrix_profile
from hybridvit.photo.provenance import NAMESPACE, SOURCE_TYPE
from hybridvit.photo.tiff_tags import ASCII, EXIF, GPS, MAKER_NOTE, Tag

RNG = np.random.default_rng(0)
RGB16 = RNG.integers(0, 65536, (40, 50, 3), dtype=np.uint16)
RGB8 = (RGB16 >> 8).astype(np.uint8)
SAID = {"software": "hybridvit 1.2", "model": "S", "weights_sha256": "ab" * 32, "hints": [{"at": [1, 2]}]}
LOSSLESS = ("png", "tif")
FORMATS = (*LOSSLESS, "jpg", "webp", "avif")


def smooth(dtype: type = np.uint8) -> np.ndarray:
    """A picture that lossy formats keep well."""
    small = Image.fromarray(RGB8[:3, :4]).resize((96, 64), Image.Resampling.BICUBIC)
    return np.asarray(small).astype(dtype) * (257 if dtype == np.uint16 else 1)


@pytest.fixture
def rich(exif_block, xmp_packet, iptc_records) -> Metadata:
    return Metadata(metadata_of(Parts(exif=(exif_block,))).exif, xmp_packet, iptc_records, (300.0, 200.0))


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
def test_pixels_and_alpha_are_kept_to_the_bit(tmp_path: pathlib.Path, suffix, dtype, alpha):
    rgb = RGB8 if dtype == np.uint8 else RGB16
    like = photo_of(rgb[..., [0, 1]] if alpha else rgb[..., 0])
    path = tmp_path / f"a.{suffix}"
    write_photo(path, rgb, like, SAID)
    expected = np.dstack([rgb, rgb[..., 1]]) if alpha else rgb
    found = tifffile.imread(path) if suffix == "tif" else pyvips.Image.new_from_file(str(path)).numpy()
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == dtype
    if dtype == np.uint8:
        np.testing.assert_array_equal(np.asarray(Image.open(path)), expected)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "avif"])
def test_lossy_formats_lose_little(tmp_path: pathlib.Path, suffix: str):
    path = tmp_path / f"a.{suffix}"
    write_photo(path, smooth(), photo_of(smooth()), SAID)
    assert np.abs(np.asarray(Image.open(path).convert("RGB")).astype(int) - smooth()).max() <= 8
    assert np.abs(np.asarray(Image.open(path).convert("RGB")).astype(int) - smooth()).mean() < 2


def test_jpeg_chroma_is_not_subsampled(tmp_path: pathlib.Path):
    write_photo(tmp_path / "a.jpg", RGB8, photo_of(RGB8), SAID)
    assert {layer[1:3] for layer in Image.open(tmp_path / "a.jpg").layer} == {(1, 1)}


def test_16_bits_are_rounded_to_8_and_8_widened_to_16(tmp_path: pathlib.Path):
    write_photo(tmp_path / "a.webp", RGB16, photo_of(RGB16), SAID)
    assert read_photo(tmp_path / "a.webp").bits == 8
    write_photo(tmp_path / "a.png", RGB16, photo_of(RGB8), SAID)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), np.floor(RGB16 / 257 + 0.5))
    write_photo(tmp_path / "b.tif", RGB8, photo_of(RGB16), SAID)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), RGB8 * np.uint16(257))
    write_photo(
        tmp_path / "a.avif", smooth(np.uint16), photo_of(RGB16[:1, :1].repeat(64, 0).repeat(96, 1)), SAID
    )
    again = read_photo(tmp_path / "a.avif")
    assert again.bits == 16
    assert np.abs(again.pixels.astype(int) - smooth(np.uint16)).mean() < 257


@pytest.mark.parametrize("suffix", FORMATS)
def test_metadata_is_kept(tmp_path: pathlib.Path, suffix: str, rich: Metadata, iptc_records: bytes):
    path = tmp_path / f"a.{suffix}"
    write_photo(path, RGB8, dataclasses.replace(photo_of(RGB8), metadata=rich), SAID)
    again = read_photo(path).metadata
    assert again.dpi == pytest.approx((300, 200), rel=1e-4)
    if suffix not in ("webp", "avif"):
        assert again.iptc == iptc_records
    found, kept = again.exif.tags, rich.exif.tags
    assert found[GPS] == kept[GPS]
    assert found[0x010E].value == "Straße nach Łódź\0".encode()
    assert found[0x0131].value == b"Scan 1; hybridvit 1.2\0"
    assert found[EXIF][0x9003] == kept[EXIF][0x9003]
    if suffix != "avif":  # libvips writes it, by libexif
        assert found[EXIF][MAKER_NOTE] == kept[EXIF][MAKER_NOTE]
        assert found[0xC614] == kept[0xC614]
        assert b"not part of the original" in found[0x9213].value
    root = ET.fromstring(again.xmp)
    assert "Großmutter" in "".join(root.itertext())
    assert root.find(f".//{{{NAMESPACE}}}weights_sha256").text == "ab" * 32
    assert SOURCE_TYPE in "".join(root.itertext())


@pytest.mark.parametrize("suffix", FORMATS)
def test_pillow_sees_it_too(tmp_path: pathlib.Path, suffix: str, rich: Metadata):
    path = tmp_path / f"a.{suffix}"
    write_photo(path, RGB8, dataclasses.replace(photo_of(RGB8), metadata=rich), SAID)
    image = Image.open(path)
    image.load()
    exif = image.getexif()
    assert exif[0x0112] == 1
    assert exif.get_ifd(EXIF)[0x9003] == "1944:06:06 06:30:00"
    assert (exif.get_ifd(EXIF)[0xA002], exif.get_ifd(EXIF)[0xA003]) == (50, 40)
    assert exif.get_ifd(GPS)[1] == "N"
    xmp = image.tag_v2[700] if suffix == "tif" else image.info["xmp"]
    assert "Großmutter".encode() in xmp
    if suffix in ("jpg", "png", "tif"):
        assert image.info["dpi"] == pytest.approx((300, 200), rel=1e-4)
    if suffix in ("jpg", "tif"):
        assert IptcImagePlugin.getiptcinfo(image)[(2, 120)] == b"caption"


def test_a_file_without_metadata_says_what_was_done(tmp_path: pathlib.Path):
    for suffix in FORMATS:
        write_photo(tmp_path / f"a.{suffix}", RGB8, photo_of(RGB8), SAID)
        again = read_photo(tmp_path / f"a.{suffix}").metadata
        assert SOURCE_TYPE.encode() in again.xmp
        assert again.exif.tags[0x0131].value == b"hybridvit 1.2\0"
        assert again.iptc is None
        assert again.dpi is None


def test_provenance_is_read_back(tmp_path: pathlib.Path):
    for suffix in FORMATS:
        write_photo(tmp_path / f"a.{suffix}", RGB8, photo_of(RGB8), SAID)
        found = read_provenance(tmp_path / f"a.{suffix}")
        assert (found["model"], json.loads(found["hints"])) == (SAID["model"], SAID["hints"])
        assert "not part of the original" in found["statement"]
    Image.fromarray(RGB8).save(tmp_path / "b.png")
    assert read_provenance(tmp_path / "b.png") is None
    assert read_provenance(tmp_path / "nowhere.png") is None


def test_iptc_becomes_xmp_where_there_is_no_place_for_it(tmp_path: pathlib.Path, iptc_records: bytes):
    like = dataclasses.replace(photo_of(RGB8), metadata=Metadata(iptc=iptc_records))
    for suffix in FORMATS:
        write_photo(tmp_path / f"a.{suffix}", RGB8, like, SAID)
        root = ET.fromstring(read_photo(tmp_path / f"a.{suffix}").metadata.xmp)
        caption = root.find(".//{http://purl.org/dc/elements/1.1/}description")
        assert (caption is not None) == (suffix in ("webp", "avif"))
        if caption is not None:
            assert "".join(caption.itertext()) == "caption"


def test_a_tiff_brings_its_tags_to_a_tiff_and_to_a_jpeg(tmp_path: pathlib.Path):
    extra = [
        (315, 2, 0, "Jürgen".encode(), True),
        (33432, 2, 0, b"(c) all", True),
        (269, 2, 0, b"roll 7", True),
    ]
    tifffile.imwrite(
        tmp_path / "a.tif", RGB16[..., 0], byteorder=">", extratags=extra, datetime="1944:06:06 06:30:00",
        software="scanner", resolution=(600, 600), resolutionunit="INCH", compression="zlib", metadata=None,
    )  # fmt: skip
    photo = read_photo(tmp_path / "a.tif")
    for name in ("b.tif", "b.jpg"):
        write_photo(tmp_path / name, RGB16, photo, SAID)
        again = read_photo(tmp_path / name)
        assert again.metadata.exif.tags[315].value.rstrip(b"\0") == "Jürgen".encode()
        assert again.metadata.exif.tags[306].value == b"1944:06:06 06:30:00\0"
        assert again.metadata.exif.tags[269] == Tag(ASCII, b"roll 7\0")
        assert again.metadata.dpi == pytest.approx((600, 600))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), RGB16)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_an_rgb_profile_is_kept_and_holds_the_colours(tmp_path: pathlib.Path, adobe_rgb, bits, suffix):
    gray = (RGB16[..., :1] >> (16 - bits)).astype(f"u{bits // 8}").repeat(3, -1)
    image = pyvips.Image.new_from_array(gray).copy(interpretation="srgb" if bits == 8 else "rgb16")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", adobe_rgb)
    image.write_to_file(str(tmp_path / f"a.{suffix}"))
    photo = read_photo(tmp_path / f"a.{suffix}")
    assert (photo.bits, photo.icc, photo.pixels.dtype) == (bits, adobe_rgb, np.uint16)
    # untouched pixels come back as they were
    write_photo(tmp_path / f"b.{suffix}", photo.pixels, photo, SAID)
    again = pyvips.Image.new_from_file(str(tmp_path / f"b.{suffix}"))
    difference = np.abs(again.numpy().astype(int) - gray)
    assert difference[gray > gray.max() // 100].max() <= (0 if bits == 8 else 8)
    assert bytes(again.get("icc-profile-data")) == adobe_rgb
    # colours are the same after the profile
    write_photo(tmp_path / f"c.{suffix}", RGB16, photo, SAID)
    if bits == 8:
        coloured = Image.open(tmp_path / f"c.{suffix}")
        seen = ImageCms.profileToProfile(
            coloured,
            io.BytesIO(coloured.info["icc_profile"]),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
        apart = rgb2lab(np.asarray(seen))[..., 0] - rgb2lab(RGB16 / 65535)[..., 0]
        assert np.abs(apart).max() < 0.75  # two roundings to 8 bits, the second by the viewer
    found = read_photo(tmp_path / f"c.{suffix}").pixels / 65535
    apart = np.abs(rgb2lab(found)[..., 0] - rgb2lab(RGB16 / 65535)[..., 0])
    assert apart.max() < (0.5 if bits == 8 else 0.01)


def test_a_gray_profile_gives_way_to_srgb_and_lightness_stays(tmp_path: pathlib.Path, gray_gamma):
    gray = np.linspace(0, 65535, 2000).astype(np.uint16).reshape(40, 50)
    tifffile.imwrite(tmp_path / "a.tif", gray, iccprofile=gray_gamma)
    photo = read_photo(tmp_path / "a.tif")
    assert photo.pixels.shape == (40, 50, 1)
    write_photo(tmp_path / "b.tif", photo.pixels.repeat(3, -1), photo, SAID)
    light = (gray / 65535) ** (563 / 256)
    expected = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)
    found = rgb2lab(tifffile.imread(tmp_path / "b.tif") / 65535)[..., 0]
    assert np.abs(found - expected).max() < 0.01
    icc = Image.open(tmp_path / "b.tif").info["icc_profile"]
    assert ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space.strip() == "RGB"


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_a_gray_profiles_lightness_by_littlecms(tmp_path: pathlib.Path, gray_gamma, gamma: float, bits: int):
    """The L* of profiles, before and after; before by the curve, of which LittleCMS has a coarse table."""
    exponent = struct.pack(">i", round(gamma * 65536))
    icc = gray_gamma.replace(struct.pack(">i", round(563 / 256 * 65536)), exponent)
    gray = np.linspace(300, 65535, 2000).astype(np.uint16).reshape(40, 50)
    gray = gray if bits == 16 else (gray >> 8).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric="minisblack", iccprofile=icc)
    photo = read_photo(tmp_path / "a.tif")
    ab = np.stack([30 * np.sin(np.arange(2000)), -35 + 30 * np.cos(np.arange(2000))], -1).reshape(40, 50, 2)
    coloured = np.asarray(compose(lightness(photo.pixels), ab.astype(np.float32), np.uint16))
    write_photo(tmp_path / "b.tif", coloured, photo, SAID)
    light = (gray / (2**bits - 1)) ** gamma
    expected = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)
    written = pyvips.Image.new_from_file(str(tmp_path / "b.tif"))
    profile = matrix_profile(bytes(written.get("icc-profile-data")))
    codes = written.numpy() / (2**bits - 1)
    luminance = (
        np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4) @ profile.primaries[1]
    )
    exact = np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, luminance * 24389 / 27)
    assert np.abs(exact - expected).max() < (0.02 if bits == 16 else 0.4)
    found = written.icc_import(embedded=True, intent="relative", pcs="lab").numpy()[..., 0]
    assert np.median(np.abs(found - expected)) < (0.02 if bits == 16 else 0.2)
    assert np.abs(found - expected).max() < (
        0.15 if bits == 16 else 0.5
    )  # of 16 bits the table's error is 0.13


def test_a_gray_jpegs_lightness_but_for_what_jpeg_loses(tmp_path: pathlib.Path, gray_gamma):
    tones = np.linspace(10, 240, 64)[:, None] + 10 * np.sin(np.arange(48) / 4)
    Image.fromarray(tones.astype(np.uint8)).save(tmp_path / "a.jpg", quality=95, icc_profile=gray_gamma)
    photo = read_photo(tmp_path / "a.jpg")
    ab = np.dstack([15 * np.sin(np.arange(64 * 48) / 200), -10 * np.ones(64 * 48)]).reshape(64, 48, 2)
    coloured = np.asarray(compose(lightness(photo.pixels), ab.astype(np.float32), np.uint16))
    write_photo(tmp_path / "b.jpg", coloured, photo, SAID)
    light = (np.asarray(Image.open(tmp_path / "a.jpg")) / 255) ** (563 / 256)
    expected = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, light * 24389 / 27)
    written = pyvips.Image.new_from_file(str(tmp_path / "b.jpg"))
    apart = np.abs(written.icc_import(embedded=True, intent="relative", pcs="lab").numpy()[..., 0] - expected)
    assert np.median(apart) < 0.4
    assert np.percentile(apart, 99) < 1.5


def test_no_profile_stays_no_profile(tmp_path: pathlib.Path):
    for suffix in ("png", "jpg", "tif", "webp"):
        write_photo(tmp_path / f"a.{suffix}", RGB8, photo_of(RGB8), SAID)
        assert "icc_profile" not in Image.open(tmp_path / f"a.{suffix}").info


def test_the_format_is_the_wanted_one_else_the_suffix_else_the_original(tmp_path: pathlib.Path):
    like = dataclasses.replace(photo_of(RGB8), format="tiff")
    for name, wanted, expected in (("a", None, "TIFF"), ("a.png", None, "PNG"), ("b", "jpeg", "JPEG")):
        write_photo(tmp_path / name, RGB8, like, SAID, wanted)
        assert Image.open(tmp_path / name).format == expected
    with pytest.raises(ValueError, match=r"a jpeg file ends in \.jpg"):
        write_photo(tmp_path / "a.png", RGB8, like, SAID, "jpeg")
    with pytest.raises(ValueError, match="no such format: bmp"):
        write_photo(tmp_path / "a", RGB8, like, SAID, "bmp")


def test_what_a_format_cannot_hold_is_refused(tmp_path: pathlib.Path):
    with pytest.raises(ValueError, match=r"jpeg cannot hold its transparency: choose png, tiff or webp"):
        write_photo(tmp_path / "a.jpg", RGB8, photo_of(RGB8[..., [0, 1, 2, 0]]), SAID)
    wide = np.zeros((1, 20_000, 3), np.uint8)
    with pytest.raises(ValueError, match=r"webp cannot hold it .*: choose tiff or png"):
        write_photo(tmp_path / "a.webp", wide, photo_of(wide), SAID)
    with pytest.raises(ValueError, match=r"\(40, 50\) pixels for a photograph of \(1, 20000\)"):
        write_photo(tmp_path / "a.png", RGB8, photo_of(wide), SAID)
    assert not list(tmp_path.iterdir())


def test_long_hints_fit_into_a_jpeg_by_their_hash(tmp_path: pathlib.Path, rich: Metadata):
    said = SAID | {"hints": [{"at": [i, i]} for i in range(9000)]}
    like = dataclasses.replace(photo_of(RGB8), metadata=rich)
    write_photo(tmp_path / "a.jpg", RGB8, like, said)
    packet = read_photo(tmp_path / "a.jpg").metadata.xmp.decode()
    assert "too long for JPEG" in packet
    assert "weights_sha256" in packet
    write_photo(tmp_path / "a.png", RGB8, like, said)
    assert "[8999, 8999]" in read_photo(tmp_path / "a.png").metadata.xmp.decode()
    note = {EXIF: {MAKER_NOTE: Tag(7, b"n" * 65_000), **rich.exif.tags[EXIF]}}
    much = dataclasses.replace(rich, exif=dataclasses.replace(rich.exif, tags=rich.exif.tags | note))
    write_photo(tmp_path / "b.jpg", RGB8, dataclasses.replace(like, metadata=much), SAID)
    tag = {**rich.exif.tags, 0xC614: Tag(7, b"n" * 70_000)}
    again = dataclasses.replace(rich, exif=dataclasses.replace(rich.exif, tags=tag))
    with pytest.raises(ValueError, match="64 kB"):
        write_photo(tmp_path / "c.jpg", RGB8, dataclasses.replace(like, metadata=again), SAID)


def test_the_original_is_never_written_over(tmp_path: pathlib.Path):
    Image.fromarray(RGB8).save(tmp_path / "a.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    photo = read_photo(tmp_path / "a.png")
    for name in ("a.png", "link.png", "hard.png", "../" + tmp_path.name + "/a.png"):
        with pytest.raises(ValueError, match="is the original"):
            write_photo(tmp_path / name, RGB8 // 2, photo, SAID)
    assert (tmp_path / "a.png").read_bytes() == before
    write_photo(tmp_path / "b.png", RGB8 // 2, photo, SAID)
    write_photo(tmp_path / "b.png", RGB8 // 3, photo, SAID)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.png")), RGB8 // 3)


def test_the_file_has_the_usual_permissions(tmp_path: pathlib.Path):
    write_photo(tmp_path / "a.png", RGB8, photo_of(RGB8), SAID)
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


@contextlib.contextmanager
def disk_of(size: int):
    """Files cannot grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: pathlib.Path, suffix: str, capfd):
    noise = RNG.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    path = tmp_path / f"a.{suffix}"
    with disk_of(2000), pytest.raises(OSError, match="too large") as caught:
        write_photo(path, noise, photo_of(noise), SAID)
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())
    assert not "".join(capfd.readouterr()).strip()


def test_a_former_result_survives_an_error(tmp_path: pathlib.Path, monkeypatch):
    path = tmp_path / "a.png"
    write_photo(path, RGB8, photo_of(RGB8), SAID)

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(photos, "encode", fail)
    with pytest.raises(KeyboardInterrupt):
        write_photo(path, RGB8 // 2, photo_of(RGB8), SAID)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), RGB8)
    assert os.listdir(tmp_path) == ["a.png"]


def test_folders_that_take_nothing(tmp_path: pathlib.Path):
    with pytest.raises(FileNotFoundError) as caught:
        write_photo(tmp_path / "nowhere" / "a.png", RGB8, photo_of(RGB8), SAID)
    assert caught.value.filename == str(tmp_path / "nowhere" / "a.png")
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError):
            write_photo(tmp_path / "a.png", RGB8, photo_of(RGB8), SAID)
        tmp_path.chmod(0o700)


def test_heic(tmp_path: pathlib.Path, rich: Metadata):
    pytest.importorskip("pillow_heif")
    for dtype, bits in ((np.uint8, 8), (np.uint16, 16)):
        like = dataclasses.replace(photo_of(smooth(dtype)), metadata=rich, icc=photos.srgb_profile())
        write_photo(tmp_path / "a.heic", smooth(dtype), like, SAID)
        again = read_photo(tmp_path / "a.heic")
        assert (again.bits, again.format) == (bits, "heic")
        apart = np.abs(again.pixels.astype(int) - smooth(dtype)) / np.iinfo(dtype).max * 255
        assert apart.max() < 8
        assert again.metadata.exif.tags[EXIF][0x9003] == rich.exif.tags[EXIF][0x9003]
        assert "Großmutter".encode() in again.metadata.xmp
        assert again.icc == like.icc
