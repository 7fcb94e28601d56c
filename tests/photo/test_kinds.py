"""Files of kinds that decoders take for others, by path, as a Pillow image and in training: the right pixels."""

import io
import pathlib
import struct
import zlib

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from hybridvit.color.connection import SRGB_XY
from hybridvit.data.decode import UnreadableImageError, decode_image
from hybridvit.photo.photo import photo_of, read_photo, write_photo
from tests.photo.tiff_files import packed, tiff_of

TONES = np.clip(np.linspace(0.02, 0.98, 40)[:, None] * np.linspace(0.4, 1, 30), 0, 1)  # [40, 30], no symmetry
GRAY8, GRAY16 = np.round(TONES * 255).astype(np.uint8), np.round(TONES * 65535).astype(np.uint16)
RGB8 = np.stack([GRAY8, GRAY8 // 2, 255 - GRAY8], -1)
RGB16 = RGB8.astype(np.uint16) * 257
INFRARED = np.full(GRAY8.shape, 210, np.uint8)
UPRIGHT = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
READERS = ("path", "Pillow", "training")


def tones(path: pathlib.Path, reader: str) -> np.ndarray:
    """`[h, w, c]`, 0..1, without transparency."""
    if reader == "training":
        return decode_image(path) / 255
    photo = read_photo(path) if reader == "path" else photo_of(Image.open(path))
    assert photo.alpha is None
    return photo.pixels / np.iinfo(photo.pixels.dtype).max


def save(path: pathlib.Path, pixels: np.ndarray, **how) -> pathlib.Path:
    tifffile.imwrite(path, pixels, metadata=None, **how)
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["gray 8", "gray 16", "float", "rgb", "palette", "cmyk"])
def test_turned_tiffs(tmp_path, reader, orientation, compression, kind):
    pixels = {"gray 16": GRAY16, "float": TONES.astype(np.float32), "rgb": RGB8}.get(kind, GRAY8)
    how = {"photometric": "rgb" if kind == "rgb" else "minisblack"}
    if kind == "palette":
        how = {"photometric": "palette", "colormap": np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))}
    elif kind == "cmyk":
        pixels, how = np.dstack([GRAY8 * 0] * 3 + [255 - GRAY8]), {"photometric": "separated"}
    path = save(
        tmp_path / "a.tif", pixels, compression=compression, extratags=[(274, 3, 1, orientation, True)], **how
    )
    straight = save(tmp_path / "b.tif", pixels, compression=compression, **how)
    expected = UPRIGHT[orientation](tones(straight, reader))
    np.testing.assert_array_equal(tones(path, reader), expected)
    if kind in ("gray 8", "gray 16", "float"):
        np.testing.assert_allclose(expected[..., 0], UPRIGHT[orientation](TONES), atol=0.003)


def test_a_turned_tiffs_resolution_is_turned_once(tmp_path):
    turned = [(274, 3, 1, 6, True)]
    path = save(tmp_path / "a.tif", GRAY8, resolution=(100, 200), resolutionunit=2, extratags=turned)
    for photo in (read_photo(path), photo_of(Image.open(path))):
        assert photo.pixels.shape == (30, 40, 1)
        assert photo.metadata.dpi == pytest.approx((200, 100))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("white", [0, 1])
def test_packed_samples(tmp_path, reader, bits, white):
    if reader == "Pillow" and (bits, white) != (12, 1):
        pytest.skip("Pillow does not open it")
    codes = np.round((TONES if white else 1 - TONES) * (2**bits - 1)).astype(int)
    (tmp_path / "a.tif").write_bytes(tiff_of([packed(codes, bits)], 30, 40, t258=bits, t262=white))
    np.testing.assert_allclose(tones(tmp_path / "a.tif", reader)[..., 0], TONES, atol=0.003)


@pytest.mark.parametrize("reader", ["path", "training"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["gray", "rgb", "cmyk"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_infrared_is_no_transparency(tmp_path, reader, channels, kind, dtype):
    fine = 257 if dtype == np.uint16 else 1
    colors = {"gray": [GRAY8], "rgb": [GRAY8] * 3, "cmyk": [GRAY8 * 0] * 3 + [255 - GRAY8]}[kind]
    photometric = {"gray": "minisblack", "rgb": "rgb", "cmyk": "separated"}[kind]
    pixels = np.dstack(colors + [INFRARED] * channels).astype(dtype) * dtype(fine)
    how = {"photometric": photometric, "extrasamples": [0] * channels, "planarconfig": "contig"}
    path = save(tmp_path / "a.tif", pixels, **how)
    plain = save(tmp_path / "b.tif", pixels[..., : len(colors)].squeeze(), photometric=photometric)
    np.testing.assert_allclose(tones(path, reader), tones(plain, reader), atol=1e-6)
    if kind != "cmyk":
        np.testing.assert_allclose(tones(path, reader)[..., 0], TONES, atol=0.003)
    if reader == "path":
        assert any("no transparency" in remark for remark in read_photo(path).remarks)


def test_infrared_of_a_pillow_image(tmp_path):
    path = save(tmp_path / "a.tif", np.dstack([RGB8, INFRARED]), photometric="rgb", extrasamples=[0])
    photo = photo_of(Image.open(path))
    np.testing.assert_array_equal(photo.pixels, RGB8)
    assert photo.alpha is None
    assert "no transparency" in photo.remarks[0]
    (tmp_path / "b.tif").write_bytes(
        tiff_of([np.dstack([RGB8, INFRARED]).tobytes()], 30, 40, t258=[8] * 4, t262=2, t277=4)
    )
    assert photo_of(Image.open(tmp_path / "b.tif")).alpha is None


def test_alpha_is_transparency_still(tmp_path):
    for kind in ("unassalpha", "assocalpha"):
        colors = (
            RGB8 if kind == "unassalpha" else np.round(RGB8 * (INFRARED[..., None] / 255)).astype(np.uint8)
        )
        path = save(tmp_path / "a.tif", np.dstack([colors, INFRARED]), photometric="rgb", extrasamples=[kind])
        for photo in (read_photo(path), photo_of(Image.open(path))):
            np.testing.assert_array_equal(photo.alpha, INFRARED)
            assert np.abs(photo.pixels.astype(int) - RGB8).max() <= 1


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("white", [1, 255, 65535])
@pytest.mark.parametrize("outlier", [1.02, -0.0004, 1.6, 1000, np.nan, np.inf])
def test_a_few_floats_outside(tmp_path, reader, white, outlier):
    values = (TONES * white).astype(np.float32)
    values[3:6, 3:4] = outlier * white
    path = save(tmp_path / "a.tif", values, photometric="minisblack")
    expected = TONES.copy()
    expected[3:6, 3:4] = 0 if np.isnan(outlier) or outlier < 0 else 1
    np.testing.assert_allclose(tones(path, reader)[..., 0], expected, atol=0.003)
    if reader == "path":
        assert "values lie outside" in read_photo(path).remarks[0]


def test_many_floats_outside_are_no_picture(tmp_path):
    for values in (TONES - 0.5, np.full_like(TONES, np.nan)):
        path = save(tmp_path / "a.tif", values.astype(np.float32), photometric="minisblack")
        with pytest.raises(ValueError, match="negative or not a number"):
            read_photo(path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_white_is_zero(tmp_path, reader, kind):
    pixels = {"u1": 255 - GRAY8, "u2": 65535 - GRAY16, "f4": (1 - TONES).astype(np.float32)}[kind]
    path = save(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_allclose(tones(path, reader)[..., 0], TONES, atol=0.003)


@pytest.mark.parametrize("reader", READERS)
def test_planes_of_16_bits(tmp_path, reader):
    path = save(tmp_path / "a.tif", np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_allclose(tones(path, reader), RGB8 / 255, atol=0.003)


def test_planes_that_pillow_has_loaded_are_refused(tmp_path):
    path = save(tmp_path / "a.tif", np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate")
    image = Image.open(path)
    image.load()
    with pytest.raises(ValueError, match="give the file's path"):
        photo_of(image)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("compression", ["zstd", "lzma"])
@pytest.mark.parametrize("pixels", [GRAY8, GRAY16, RGB8])
def test_compressions_that_libvips_lacks(tmp_path, reader, compression, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression=compression)
    expected = pixels.reshape(40, 30, -1) / np.iinfo(pixels.dtype).max
    np.testing.assert_allclose(tones(tmp_path / "a.tif", reader), expected, atol=0.003)


@pytest.mark.parametrize(("number", "name"), [(34887, "LERC"), (50002, "JPEG XL"), (34934, "JPEG XR")])
def test_compressions_that_nobody_has_are_named(tmp_path, number, name):
    (tmp_path / "a.tif").write_bytes(tiff_of([bytes(99)], 30, 40, t259=number))
    with pytest.raises(ValueError, match=f"a.tif: a TIFF compressed by {name}, which is not read"):
        read_photo(tmp_path / "a.tif")
    with pytest.raises(UnreadableImageError, match=f"compressed by {name}"):
        decode_image(tmp_path / "a.tif")


def test_kinds_that_are_no_photograph_are_named(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff_of([GRAY8.tobytes()], 30, 40, t262=32803))
    with pytest.raises(ValueError, match="a mosaic of colours"):
        read_photo(tmp_path / "a.tif")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_lab(tmp_path, reader, bits, kind):
    if reader == "Pillow" and (bits, kind) != (8, "cielab"):
        pytest.skip("Pillow does not open it")
    light = np.where(TONES <= 0.04045, TONES / 12.92, ((TONES + 0.055) / 1.055) ** 2.4)
    L = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, 24389 / 27 * light)
    white, middle = (2**bits - 1, 0) if kind == "cielab" else (255 << (bits - 8), 128 << (bits - 8))
    lab = np.stack([np.round(L / 100 * white), 0 * L + middle, 0 * L + middle], -1).astype(f"u{bits // 8}")
    found = tones(save(tmp_path / "a.tif", lab, photometric=kind), reader)
    np.testing.assert_allclose(found, np.repeat(TONES[..., None], 3, -1), atol=0.008 if bits == 8 else 0.003)


def png_with(path: pathlib.Path, pixels: np.ndarray, *chunks: tuple[bytes, bytes]) -> pathlib.Path:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    more = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    path.write_bytes(file.getvalue()[:33] + more + file.getvalue()[33:])
    return path


def gamma_of(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def places_of(numbers) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for place in numbers for value in place))


def coded(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.6])
@pytest.mark.parametrize("pixels", [GRAY8, RGB8])
def test_gamma_of_png(tmp_path, reader, gamma, pixels):
    path = png_with(tmp_path / "a.png", pixels, gamma_of(gamma))
    expected = coded((pixels.reshape(40, 30, -1) / 255) ** (1 / gamma))
    np.testing.assert_allclose(tones(path, reader), expected, atol=0.006)


@pytest.mark.parametrize("reader", READERS)
def test_primaries_of_png(tmp_path, reader):
    adobe = (SRGB_XY[0], (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
    path = png_with(tmp_path / "a.png", RGB8, gamma_of(1 / 2.2), places_of(adobe))
    # Adobe RGB (1998) Color Image Encoding, 4.3
    from_adobe = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    from_srgb = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    light = (RGB8 / 255) ** 2.2 @ np.array(from_adobe).T @ np.linalg.inv(from_srgb).T
    # the rest lies out of sRGB's gamut
    inside = ((light > 0.001) & (light < 1)).all(-1)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(tones(path, reader)[inside], coded(light)[inside], atol=0.01)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "chunks",
    [
        (gamma_of(0.45455),),
        (gamma_of(0.45455), places_of(SRGB_XY)),
        (gamma_of(1.0), (b"sRGB", b"\0")),
        (gamma_of(0.0),),
        (places_of([(0.3, 0.3)] * 4),),
        (places_of([(0.0, 0.0)] * 4), gamma_of(0.45455)),
    ],
)
def test_chunks_that_say_srgb_or_nonsense(tmp_path, reader, chunks):
    path = png_with(tmp_path / "a.png", RGB8, *chunks)
    np.testing.assert_array_equal(tones(path, reader), RGB8 / 255)


def test_code_points_of_png(tmp_path):
    p3 = bytes(pyvips.Image.profile_load("p3"))
    Image.fromarray(RGB8).save(tmp_path / "icc.png", icc_profile=p3)
    path = png_with(tmp_path / "a.png", RGB8, gamma_of(1.0), (b"cICP", bytes([12, 13, 0, 1])))
    apart = np.abs(read_photo(path).pixels.astype(int) - read_photo(tmp_path / "icc.png").pixels)
    assert apart.mean() < 60  # of 65535; the primaries of that profile are rounded
    assert apart.max() < 1000
    path = png_with(tmp_path / "b.png", RGB8, (b"cICP", bytes([9, 16, 0, 1])))
    assert "high dynamic range (PQ)" in read_photo(path).remarks[0]


def gain_map_jpeg(path: pathlib.Path) -> pathlib.Path:
    if not pyvips.type_find("VipsOperation", "uhdrsave"):
        pytest.skip("this libvips knows no gain maps")
    light = np.where(RGB8 / 255 <= 0.04045, RGB8 / 255 / 12.92, ((RGB8 / 255 + 0.055) / 1.055) ** 2.4)
    large = np.kron(light * 2, np.ones((8, 8, 1))).astype(np.float32)
    pyvips.Image.new_from_array(large).copy(interpretation="scrgb").uhdrsave(str(path))
    return path


def test_a_jpeg_with_a_gain_map(tmp_path):
    path = gain_map_jpeg(tmp_path / "a.jpg")
    image = Image.open(path)
    image.save(tmp_path / "base.png", icc_profile=image.info["icc_profile"])
    base = read_photo(tmp_path / "base.png").pixels
    for photo in (read_photo(path), photo_of(Image.open(path))):
        assert np.abs(photo.pixels.astype(int) - base).max() <= 3 * 257  # decoders of JPEG differ
        assert photo.format == "jpeg"
        assert "gain map" in photo.remarks[0]
    photo = read_photo(path)
    write_photo(tmp_path / "b.jpg", photo.pixels, photo, {"software": "test"})
    written = (tmp_path / "b.jpg").read_bytes()
    assert pyvips.Image.new_from_file(str(tmp_path / "b.jpg")).get("vips-loader") == "jpegload"
    assert not any(mark in written for mark in (b"hdrgm", b"urn:iso:std:iso:ts:21496", b"MPF\0"))


def test_a_gain_map_that_only_xmp_tells_of(tmp_path):
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    Image.fromarray(RGB8).save(tmp_path / "a.jpg", xmp=packet.encode())
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.remarks == ("its gain map (HDR) goes with the old picture and is left out",)
    write_photo(tmp_path / "b.jpg", photo.pixels, photo, {"software": "test"})
    assert b"hdrgm" not in (tmp_path / "b.jpg").read_bytes()


def test_inks_that_are_no_cmyk(tmp_path):
    pixels = np.dstack([GRAY8] * 5)
    (tmp_path / "a.tif").write_bytes(
        tiff_of([pixels.tobytes()], 30, 40, t258=[8] * 5, t262=5, t277=5, t332=2, t338=0)
    )
    for read in (read_photo, lambda path: photo_of(Image.open(path))):
        with pytest.raises(ValueError, match="other inks"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("reader", ["path", "training"])  # Pillow does not open such gray
@pytest.mark.parametrize("how", [{}, {"rowsperstrip": 8}, {"tile": (16, 16)}, {"compression": "zlib"}])
@pytest.mark.parametrize("kind", ["gray 8", "gray 16", "white is 0", "two more"])
def test_planes_of_gray_and_another(tmp_path, reader, how, kind):
    gray = GRAY16 if kind == "gray 16" else GRAY8
    others = [np.full_like(gray, 210)] * (2 if kind == "two more" else 1)
    first = np.iinfo(gray.dtype).max - gray if kind == "white is 0" else gray
    path = save(
        tmp_path / "a.tif",
        np.stack([first, *others]),
        photometric="miniswhite" if kind == "white is 0" else "minisblack",
        planarconfig="separate",
        extrasamples=["UNSPECIFIED"] * len(others),
        **how,
    )
    assert np.abs(tones(path, reader)[..., 0] - TONES).max() <= 0.003


@pytest.mark.parametrize("reader", ["path", "training"])
@pytest.mark.parametrize("pixels", [RGB8, RGB16])
def test_tiles_of_planes(tmp_path, reader, pixels):
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    path = save(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", tile=(16, 16))
    assert np.abs(tones(path, reader) - RGB8 / 255).max() <= 0.003


@pytest.mark.parametrize("reader", READERS)
def test_planes_of_lab(tmp_path, reader):
    neutral = [GRAY8.tobytes(), bytes(GRAY8.size), bytes(GRAY8.size)]
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_of(neutral, 30, 40, t258=[8] * 3, t262=8, t277=3, t284=2))
    light = np.where(GRAY8 / 2.55 > 8, ((GRAY8 / 2.55 + 16) / 116) ** 3, GRAY8 / 2.55 / 903.3)
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(tones(path, reader) - expected[..., None]).max() <= 0.004


def test_frames_of_avif(tmp_path):
    frames = [Image.fromarray(RGB8), Image.fromarray(255 - RGB8)]
    frames[0].save(tmp_path / "a.avif", save_all=True, append_images=frames[1:], quality=95)
    photo = read_photo(tmp_path / "a.avif")
    assert np.abs(photo.pixels / np.iinfo(photo.pixels.dtype).max - RGB8 / 255).mean() < 0.02
    assert photo.remarks == ("an animation: the first of its 2 frames is coloured",)


def test_a_pillow_image_that_looks_misread_says_so():
    assert "12 bits that are stored as 16" in photo_of(Image.fromarray(GRAY16 // 16)).remarks[0]
    assert photo_of(Image.fromarray(GRAY16)).remarks == ()
