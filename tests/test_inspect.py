import json
import pathlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin
from skimage import data

from hybridvit import inspect

PHOTO = np.asarray(Image.fromarray(data.coffee()).convert("L"))[:120, :160]
GRAY = {"photometric": "minisblack", "metadata": None, "software": "Scan 1"}


@pytest.fixture
def scan(tmp_path: pathlib.Path) -> pathlib.Path:
    """A preview, a turned page in a border, and a page of 16 bits."""
    path = tmp_path / "scan.tif"
    bordered = np.pad(PHOTO, ((10, 20), (30, 40)), constant_values=245)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(PHOTO[::4, ::4], subfiletype=1, **GRAY)
        tags = [(274, 3, 1, 6, True), (315, 2, None, "A. Reader", True), (42112, 2, None, "of no use", True)]
        tiff.write(bordered, extratags=tags, resolution=(300, 200), resolutionunit=2, **GRAY)
        tiff.write(PHOTO.astype(np.uint16) * 257, compression="zlib", **GRAY)
    return path


def test_a_file_is_told_by_its_pages(scan, capsys):
    assert inspect.main([str(scan)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(scan),
        f"  TIFF, {scan.stat().st_size:,} bytes, 2 pages",
        "  no page: reduced copy of 40 x 30 px",
        "  page 1:",
        "    stored: 230 x 150 px, 1 x 8 bit, gray, not compressed, orientation 6",
        "    read: 150 x 230 px upright, 8 bit gray",
        "    result: tiff, without a profile",
        "    resolution: 200 x 300 dpi",
        "    border: 30 px above, 40 px below, 20 px left, 10 px right",
        "    metadata kept: Artist, GDAL_METADATA, Software",
        "  page 2:",
        "    stored: 160 x 120 px, 1 x 16 bit, gray, Deflate",
        "    read: 160 x 120 px upright, 16 bit gray",
        "    result: tiff, without a profile",
        "    border: none",
        "    metadata kept: Software",
    ]


def test_json_says_the_same(scan, tmp_path, capsys):
    Image.fromarray(PHOTO).save(tmp_path / "a.jpg", icc_profile=None, dpi=(300, 300))
    assert inspect.main(["--json", str(scan), str(tmp_path / "a.jpg")]) == 0
    tiff, jpeg = json.loads(capsys.readouterr().out)
    first, second = tiff["pages"]
    assert first["stored"]["orientation"] == 6
    assert first["border"] == {"above": 30, "below": 40, "left": 20, "right": 10}
    assert first["read"] == {"width": 150, "height": 230, "bits": 8, "colors": "gray", "alpha": False}
    assert (second["compression"], second["read"]["bits"], second["border"]) == ("Deflate", 16, None)
    assert tiff["left_out"] == [{"what": "reduced copy", "width": 40, "height": 30}]
    assert (jpeg["format"], jpeg["bytes"]) == ("JPEG", (tmp_path / "a.jpg").stat().st_size)
    assert (jpeg["pages"][0]["dpi"], jpeg["pages"][0]["profile"]) == ([300, 300], None)


def test_metadata_and_profile_are_named(tmp_path, capsys):
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "The harbour")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgba = np.dstack([PHOTO] * 3 + [PHOTO // 2])
    Image.fromarray(rgba).save(tmp_path / "a.png", pnginfo=text, icc_profile=profile)
    exif = Image.Exif()
    exif[315], exif[0x9C9F] = "A. Reader", b"w\0"  # the artist; Windows' subject
    exif.get_ifd(0x8769)[0x9003] = "1912:04:07 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(PHOTO).save(tmp_path / "a.jpg", exif=exif)
    inspect.main([str(tmp_path / "a.png"), str(tmp_path / "a.jpg")])
    said = capsys.readouterr().out
    assert "metadata kept: text Title" in said
    assert "8 bit RGB and alpha" in said
    assert "result: png, sRGB built-in" in said
    assert "metadata kept: Artist, DateTimeOriginal, GPSLatitudeRef, XPSubject" in said
    assert "not kept" not in said


def test_refused_files_are_told_with_the_reason(tmp_path, capsys):
    (tmp_path / "a.jpg").write_bytes(b"once upon a time")
    (tmp_path / "b.tif").write_bytes(b"")
    Image.fromarray(PHOTO).save(tmp_path / "c.png")
    assert inspect.main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "not read: no picture of a known format, or its beginning or end is lost" in said
    assert "not read: an empty file" in said
    assert "read: 160 x 120 px upright" in said
    with pytest.raises(SystemExit) as exit_:
        inspect.main([str(tmp_path / "missing.jpg")])
    assert exit_.value.code == 2
    assert capsys.readouterr().err == f"hybridvit: {tmp_path / 'missing.jpg'}: no such file or folder\n"
