"""The files that are read: container x depth x colour x compression, tried with all three readers.

    python -m tests.files_read > docs/files-read.md

Each case is a file written here of one scene, and the luma, alpha and size that must come out. An outcome is "right",
"refused: ..." in one line that says why, or "WRONG: ...", which tests/test_files_read.py lets none be.
"""

import io
import pathlib
import struct
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyvips
import tifffile
from PIL import Image, ImageCms, features
from skimage.color import rgb2lab

from hybridvit.data.decode import UnreadableImageError, read_picture
from hybridvit.photo.photo import photo_of, read_photo

HEIGHT, WIDTH = 48, 64
READERS = ("by path", "Pillow image", "training")
LOSSY = 0.02  # of white: how far codecs that lose something may be off, in the mean
INKED = 0.06  # the same of CMYK without a profile, for which each reader takes some customary inks
EXACT = {8: 0.6 / 255, 16: 1.5 / 65535}


class Case(NamedTuple):
    """A file: what it is, its bytes, and how far its luma (0..1) may be off in the mean; `bits` of its samples."""

    container: str
    bits: str
    colour: str
    compression: str
    data: Callable[[], bytes]
    truth: np.ndarray
    tolerance: float
    alpha: bool = False
    suffix: str = ".tif"


def scene() -> np.ndarray:
    """0..1: slopes, a disc and some grain; its corner is dark, so that negatives show."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    slope = 0.15 + 0.5 * x / WIDTH + 0.2 * y / HEIGHT
    disc = np.hypot(y - 20, x - 40) < 12
    grain = np.random.default_rng(0).uniform(-0.02, 0.02, slope.shape)
    return np.where(disc, 0.95 - 0.5 * slope, slope) + grain


SCENE = scene()
GRAY8, GRAY16 = (np.rint(SCENE * top).astype(kind) for top, kind in ((255, np.uint8), (65535, np.uint16)))
RGB8, RGB16 = (np.dstack([one] * 3) for one in (GRAY8, GRAY16))
ALPHA8 = np.full((HEIGHT, WIDTH), 200, np.uint8)
BILEVEL = SCENE > 0.5


def cases() -> Iterator[Case]:
    """All of them; those whose writer is not installed here are left out."""
    yield from _tiff_by_tifffile()
    yield from _tiff_by_libraries()
    yield from _tiff_by_hand()
    yield from _others()


def outcomes(case: Case, folder: pathlib.Path) -> dict[str, str]:
    """By reader."""
    path = folder / f"case{case.suffix}"
    path.write_bytes(case.data())
    return {name: _outcome(case, path, read) for name, read in zip(READERS, _READ, strict=True)}


def _by_path(path: pathlib.Path) -> tuple[np.ndarray, bool]:
    photo = read_photo(path)
    return photo.pixels, photo.alpha is not None


def _by_pillow(path: pathlib.Path) -> tuple[np.ndarray, bool]:
    with Image.open(path) as image:
        photo = photo_of(image)
    return photo.pixels, photo.alpha is not None


def _in_training(path: pathlib.Path) -> tuple[np.ndarray, None]:
    pixels = np.asarray(read_picture(path))
    return pixels if pixels.ndim == 3 else pixels[..., None], None  # it lays alpha on white


_READ = (_by_path, _by_pillow, _in_training)


def _outcome(case: Case, path: pathlib.Path, read: Callable) -> str:
    try:
        pixels, alpha = read(path)
    except (ValueError, UnreadableImageError) as error:
        reason = " ".join(str(error).removeprefix(f"{path}: ").split())
        return f"refused: {reason}"
    except OSError as error:  # Pillow's own, when it opens the file: it never came to us
        return f"refused: {' '.join(str(error).replace(str(path), 'the file').split())}"
    truth = case.truth
    if pixels.shape[:2] != truth.shape:
        return f"WRONG: {pixels.shape[1]} x {pixels.shape[0]} px"
    luma = pixels.mean(-1) / np.iinfo(pixels.dtype).max
    if alpha is None and case.alpha:
        truth = truth * (200 / 255) + 1 - 200 / 255
    coarse = EXACT[8] if pixels.dtype == np.uint8 else 0
    off = float(np.abs(luma - truth).mean())
    if off > max(case.tolerance, coarse):
        return f"WRONG: off by {off:.3f} of white in the mean"
    if alpha is not None and alpha != case.alpha:
        return "WRONG: " + ("alpha that is none" if alpha else "its alpha is lost")
    return "right"


def _tiff(pixels: np.ndarray, **how) -> Callable[[], bytes]:
    def write() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, metadata=None, **how)
        return file.getvalue()

    return write


def _tiff_by_tifffile() -> Iterator[Case]:
    gray, rgb = {"photometric": "minisblack"}, {"photometric": "rgb"}
    white = {"photometric": "miniswhite"}
    for bits, kind in ((8, np.uint8), (16, np.uint16), (32, np.uint32)):
        top = np.iinfo(kind).max
        one = np.rint(SCENE * top).astype(kind)
        exact = EXACT[min(bits, 16)]
        many = np.dstack([one] * 3)
        alpha = np.full_like(one, top / 255 * 200)
        for compression in ("none", "deflate"):
            how = {} if compression == "none" else {"compression": "zlib"}
            for colour, pixels, more, has_alpha in (
                ("gray", one, gray, False),
                ("gray, white is 0", top - one, white, False),
                ("gray + alpha", np.dstack([one, alpha]), gray | _extra("unassalpha"), True),
                ("gray + infrared", np.dstack([one, alpha]), gray | _extra("unspecified"), False),
                ("RGB", many, rgb, False),
                ("RGB + alpha", np.dstack([many, alpha]), rgb | _extra("unassalpha"), True),
                ("RGB + infrared", np.dstack([many, alpha]), rgb | _extra("unspecified"), False),
                ("RGB + 2 channels", np.dstack([many, alpha, alpha]), rgb | _extra("unspecified", 2), False),
            ):
                yield Case(
                    "TIFF",
                    str(bits),
                    colour,
                    compression,
                    _tiff(pixels, **more, **how),
                    SCENE,
                    exact,
                    has_alpha,
                )
    for name, more in (
        ("tiled", {"tile": (16, 16)}),
        ("big-endian", {"byteorder": ">"}),
        ("BigTIFF", {"bigtiff": True}),
    ):
        yield Case("TIFF", "16", f"RGB, {name}", "none", _tiff(RGB16, **rgb, **more), SCENE, EXACT[16])
        yield Case("TIFF", "16", f"gray, {name}", "none", _tiff(GRAY16, **gray, **more), SCENE, EXACT[16])
    planes = _tiff(np.moveaxis(RGB16, -1, 0), photometric="rgb", planarconfig="separate")
    yield Case("TIFF", "16", "RGB, by planes", "none", planes, SCENE, EXACT[16])
    for bits, kind in (("float 16", np.float16), ("float 32", np.float32), ("float 64", np.float64)):
        one = SCENE.astype(kind)
        for colour, pixels, more in (
            ("gray", one, gray),
            ("gray, white is 0", (1 - SCENE).astype(kind), white),
            ("RGB", np.dstack([one] * 3), rgb),
        ):
            yield Case("TIFF", bits, colour, "none", _tiff(pixels, **more), SCENE, 1e-3)
    palette = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, 0)
    yield Case(
        "TIFF", "8", "palette", "none", _tiff(GRAY8, photometric="palette", colormap=palette), SCENE, EXACT[8]
    )
    yield Case("TIFF", "1", "bilevel", "none", _tiff(BILEVEL, **gray), BILEVEL.astype(float), EXACT[8])
    lab = rgb2lab(np.dstack([SCENE] * 3))
    for bits, kind in (("8", np.uint8), ("16", np.uint16)):
        top, unit = (
            np.iinfo(kind).max,
            np.iinfo(kind).max // 255 - (bits == "16"),
        )  # of a and b: 1 or 256 codes
        for colour, photometric, white, neutral in (
            ("CIELab", "cielab", top, 0),
            ("ICCLab", "icclab", 255 * unit, 128 * unit),
        ):
            light = np.rint(lab[..., 0] / 100 * white).astype(kind)
            plane = np.full_like(light, neutral)
            file = _tiff(np.dstack([light, plane, plane]), photometric=photometric)
            yield Case("TIFF", bits, colour, "none", file, SCENE, 1.5 / 255)
    ink = np.dstack([np.zeros_like(GRAY8)] * 3 + [255 - GRAY8])
    for colour, planes, more in (
        ("CMYK", ink, {}),
        ("CMYK + spot", np.dstack([ink, np.zeros_like(GRAY8)]), _extra("unspecified")),
    ):
        yield Case(
            "TIFF", "8", colour, "none", _tiff(planes, photometric="separated", **more), _inked(), INKED
        )


def _extra(kind: str, count: int = 1) -> dict:
    return {"extrasamples": [kind] * count, "planarconfig": "contig"}


def _inked() -> np.ndarray:
    """Luma of black ink by the profile that CMYK without one is read with."""
    ink = np.dstack([np.zeros_like(GRAY8)] * 3 + [255 - GRAY8])
    image = pyvips.Image.new_from_array(ink).copy(interpretation="cmyk")
    return image.icc_transform("srgb", input_profile="cmyk").numpy().mean(-1) / 255


def _saved(image: Image.Image, form: str, **how) -> Callable[[], bytes]:
    def write() -> bytes:
        file = io.BytesIO()
        image.save(file, form, **how)
        return file.getvalue()

    return write


def _by_vips(pixels: np.ndarray, suffix: str, **how) -> Callable[[], bytes]:
    space = ("grey16" if pixels.ndim == 2 else "rgb16") if pixels.dtype == np.uint16 else "srgb"
    return lambda: pyvips.Image.new_from_array(pixels, interpretation=space).write_to_buffer(suffix, **how)


def _tiff_by_libraries() -> Iterator[Case]:
    image, rgb = Image.fromarray(GRAY8), Image.fromarray(RGB8)
    deep = Image.fromarray(GRAY16)
    for name, code in (("LZW", "tiff_lzw"), ("PackBits", "packbits"), ("LZMA", "lzma"), ("ZSTD", "zstd")):
        for bits, colour, one in (("8", "gray", image), ("8", "RGB", rgb), ("16", "gray", deep)):
            data = _saved(one, "TIFF", compression=code)
            if _works(data):
                yield Case("TIFF", bits, colour, name, data, SCENE, EXACT[int(bits)])
    for name, code in (("CCITT T.4", "group3"), ("CCITT T.6", "group4")):
        data = _saved(Image.fromarray(BILEVEL), "TIFF", compression=code)
        yield Case("TIFF", "1", "bilevel", name, data, BILEVEL.astype(float), EXACT[8])
    for colour, one in (("gray", image), ("RGB", rgb)):
        yield Case(
            "TIFF", "8", colour, "JPEG", _saved(one, "TIFF", compression="jpeg", quality=95), SCENE, LOSSY
        )
    coded = (
        ("ZSTD", "zstd"),
        ("JPEG 2000", "jpeg2000"),
        ("LERC", "lerc"),
        ("JPEG XL", "jpegxl"),
        ("WebP", "webp"),
    )
    for name, codec in coded:
        for bits, colour, one in (("8", "gray", GRAY8), ("8", "RGB", RGB8), ("16", "gray", GRAY16)):
            photometric = "rgb" if one.ndim == 3 else "minisblack"
            data = _tiff(one, photometric=photometric, compression=codec)
            if _works(data):
                yield Case("TIFF", bits, colour, f"{name} (imagecodecs)", data, SCENE, LOSSY)


def _works(data: Callable[[], bytes]) -> bool:
    """Whether what writes it is installed."""
    try:
        return bool(data())
    except Exception:  # each library has its own
        return False


def _tiff_by_hand() -> Iterator[Case]:
    for bits in (2, 4, 10, 12, 14):
        for colour, photometric in (("gray", 1), ("gray, white is 0", 0)):
            top = 2**bits - 1
            codes = np.rint(SCENE * top).astype(int)
            data = packed_tiff(codes if photometric else top - codes, bits, photometric)
            yield Case(
                "TIFF", f"{bits}, packed", colour, "none", lambda data=data: data, codes / top, 1.5 / 255
            )


def packed_tiff(codes: np.ndarray, bits: int, photometric: int) -> bytes:
    """A gray TIFF of one strip whose samples lie bit by bit, as library microfilm has them."""
    planes = (codes[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    pixels = np.packbits(planes.reshape(len(codes), -1).astype(np.uint8), axis=1).tobytes()
    height, width = codes.shape
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 0),
    ]
    entries += [(277, 3, 1), (278, 4, height), (279, 4, len(pixels))]
    start = 8 + 2 + 12 * len(entries) + 4
    out = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for tag, kind, value in entries:
        out += struct.pack("<HHII", tag, kind, 1, start if tag == 273 else value)
    return out + bytes(4) + pixels


def _others() -> Iterator[Case]:
    gray, rgb = Image.fromarray(GRAY8), Image.fromarray(RGB8)
    rgba, la = Image.fromarray(np.dstack([RGB8, ALPHA8])), Image.fromarray(np.dstack([GRAY8, ALPHA8]))
    bilevel = Image.fromarray(BILEVEL)
    few = gray.quantize(64)
    few_truth = np.asarray(few.convert("RGB")).mean(-1) / 255
    cmyk = Image.fromarray(np.dstack([np.zeros_like(GRAY8)] * 3 + [255 - GRAY8]), mode="CMYK")
    for form, suffix, lossy, images in (
        ("JPEG", ".jpg", True, (("gray", gray), ("YCbCr", rgb))),
        ("PNG", ".png", False, (("gray", gray), ("RGB", rgb), ("gray + alpha", la), ("RGB + alpha", rgba))),
        ("BMP", ".bmp", False, (("gray", gray), ("RGB", rgb))),
        ("PPM", ".ppm", False, (("gray", gray), ("RGB", rgb))),
        ("JPEG2000", ".jp2", True, (("gray", gray), ("RGB", rgb), ("RGB + alpha", rgba))),
        ("WEBP", ".webp", True, (("RGB", rgb), ("RGB + alpha", rgba))),
        ("AVIF", ".avif", True, (("RGB", rgb), ("RGB + alpha", rgba))),
    ):
        how = {"quality": 95} if form in ("JPEG", "WEBP", "AVIF") else {}
        for colour, image in images:
            data = _saved(image, form, **how)
            if form != "AVIF" or features.check("avif"):
                yield Case(
                    form,
                    "8",
                    colour,
                    "",
                    data,
                    SCENE,
                    LOSSY if lossy else EXACT[8],
                    "alpha" in colour,
                    suffix,
                )
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for colour, image, more in (
        ("gray, progressive", gray, {"progressive": True}),
        ("YCbCr, sRGB profile", rgb, {"icc_profile": profile}),
    ):
        yield Case(
            "JPEG", "8", colour, "", _saved(image, "JPEG", quality=95, **more), SCENE, LOSSY, suffix=".jpg"
        )
    yield Case("JPEG", "8", "CMYK", "", _saved(cmyk, "JPEG", quality=95), _inked(), INKED, suffix=".jpg")
    yield Case(
        "WEBP", "8", "RGB", "lossless", _saved(rgb, "WEBP", lossless=True), SCENE, EXACT[8], suffix=".webp"
    )
    yield Case(
        "PNG", "16", "gray", "", _saved(Image.fromarray(GRAY16), "PNG"), SCENE, EXACT[16], suffix=".png"
    )
    yield Case("PNG", "16", "RGB", "", _by_vips(RGB16, ".png"), SCENE, EXACT[16], suffix=".png")
    deep_alpha = np.dstack([RGB16, np.full_like(GRAY16, 200 * 257)])
    yield Case("PNG", "16", "RGB + alpha", "", _by_vips(deep_alpha, ".png"), SCENE, EXACT[16], True, ".png")
    interlaced = _by_vips(GRAY16, ".png", interlace=True)
    yield Case("PNG", "16", "gray, interlaced", "", interlaced, SCENE, EXACT[16], suffix=".png")
    yield Case(
        "PNG", "1", "bilevel", "", _saved(bilevel, "PNG"), BILEVEL.astype(float), EXACT[8], suffix=".png"
    )
    yield Case("PNG", "8", "palette", "", _saved(few, "PNG"), few_truth, EXACT[8], suffix=".png")
    yield Case("GIF", "8", "palette", "", _saved(few, "GIF"), few_truth, EXACT[8], suffix=".gif")
    yield Case(
        "PPM", "1", "bilevel", "", _saved(bilevel, "PPM"), BILEVEL.astype(float), EXACT[8], suffix=".pbm"
    )
    for name, magic, one in (("gray", b"P5", GRAY16), ("RGB", b"P6", RGB16)):
        data = magic + b" %d %d 65535\n" % (WIDTH, HEIGHT) + one.astype(">u2").tobytes()
        exact = EXACT[16 if name == "gray" else 8]  # Pillow reads colours as 8 bits, which is said
        yield Case("PPM", "16", name, "", lambda data=data: data, SCENE, exact, suffix=".ppm")
    yield Case(
        "JPEG2000", "16", "gray", "", _saved(Image.fromarray(GRAY16), "JPEG2000"), SCENE, LOSSY, suffix=".jp2"
    )
    deep_avif = _by_vips(RGB16, ".avif", bitdepth=12, Q=95)
    if _works(deep_avif):
        yield Case("AVIF", "12", "RGB", "", deep_avif, SCENE, LOSSY, suffix=".avif")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"/>'.encode()
    for name, data in (
        ("SVG", svg),
        ("PDF", _saved(rgb, "PDF")()),
        ("text", b"once upon a time"),
        ("empty", b""),
    ):
        yield Case(name, "", "", "", lambda data=data: data, SCENE, 0.0, suffix=".bin")


def table() -> str:
    """The page of the docs."""
    lines = [
        "# What is read",
        "",
        "Made by `python -m tests.files_read`, which writes a file of each kind and reads it back: by its path",
        "(`hybridvit colorize`, `bulk`, the studio), as a Pillow image (`colorizer.colorize(Image.open(...))`), and in",
        "training. **right**: size, lightness (to the file's depth; to 2 % of white where a codec loses something, to",
        "6 % for CMYK without a profile) and transparency are those of the file. Else it is refused in one line, which",
        'stands here; "cannot identify" is Pillow\'s own word, before the image comes to hybridvit. Nothing is read',
        "wrongly in silence: `tests/test_files_read.py` walks these rows. Where a deep file is read as 8 bits, it is",
        "said when it is read; in training all pictures have 8 bits. Not among the rows: HEIC (pillow-heif reads it).",
        "",
        f"| container | bits | colours | compression | {' | '.join(READERS)} |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            found = outcomes(case, pathlib.Path(folder))
            shown = [found[name].replace("|", "/") for name in READERS]
            row = (case.container, case.bits, case.colour, case.compression, *shown)
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
