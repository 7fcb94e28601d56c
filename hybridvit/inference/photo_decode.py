"""Files and Pillow images to arrays, as they are stored: not yet upright, not yet sRGB.

libvips reads JPEG, PNG, TIFF, WebP, AVIF and GIF; Pillow BMP, PNM and JPEG 2000; pillow-heif HEIC.
"""

import dataclasses
import functools
import logging
import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image, UnidentifiedImageError

from hybridvit.inference.photo_heic import read_heic
from hybridvit.inference.photo_metadata import ORIENTATION, Metadata, exif_of, plausible_dpi, read_metadata

LOADERS = {"jpegload": "jpeg", "pngload": "png", "tiffload": "tiff", "webpload": "webp", "heifload": "avif"}
LOADERS |= {"gifload": "png"}  # -> the format that is written
PILLOW_FORMATS = ("BMP", "PPM", "JPEG2000")
DEEP_GRAY = ("PPM", "PNG")  # of these, Pillow's mode I is 16 bits
OTHER_SPACES = {"lab", "labs", "labq", "lch", "cmc", "xyz", "yxy", "hsv", "oklab", "oklch"}
SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lay the picture on its side


@dataclasses.dataclass(frozen=True)
class Decoded:
    """Pixels `[h, w, c]` of any number type, the first `colors` (1, 3, CMYK 4) of them colours, the next one alpha."""

    pixels: np.ndarray
    colors: int
    format: str
    icc: bytes | None = None
    orientation: int = 1
    metadata: Metadata = dataclasses.field(default_factory=Metadata)
    remarks: tuple[str, ...] = ()


def decode_file(path: Path, max_pixels: int) -> Decoded:
    """Reads a file.

    Raises:
      OSError: it cannot be opened.
      ValueError: empty, no picture, damaged, or of more than `max_pixels`; the message does not name the file.
    """
    with path.open("rb") as file:
        if not file.read(1):
            raise ValueError("an empty file")
    try:
        image = _open(path)
        loader = image.get("vips-loader").removesuffix("_source")
        if loader not in LOADERS:
            raise ValueError(f"no photograph: {loader.removesuffix('load')} is not read")
        _check_size(image.width, image.height, max_pixels)
        if loader == "heifload" and image.get("heif-compression") == "hevc":
            return _decode_heic(path)
        return _decode_vips(image, LOADERS[loader], path)
    except pyvips.Error as error:
        if "known format" in error.detail:
            return _decode_with_pillow(path, max_pixels)
        raise ValueError(f"damaged or cut short ({_first_line(error)})") from error


def read_xmp(path: Path) -> bytes | None:
    """The XMP packet of a file, its pixels unread; None where it has none, or is no picture."""
    try:
        image = _open(path)
    except pyvips.Error:
        return None
    return bytes(image.get("xmp-data")).strip(b"\0") if "xmp-data" in image.get_fields() else None


def _open(path: Path) -> pyvips.Image:
    _prepare_vips()
    source = pyvips.Source.new_from_file(
        os.fsencode(path)
    )  # a plain file name would be searched for [options]
    return pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")


@functools.cache
def _prepare_vips() -> None:
    """Keeps libvips from remembering pictures, and from talking: what matters comes as an error."""
    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.CRITICAL)


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        limit = f"{max_pixels / 1e6:.0f} megapixels"
        raise ValueError(f"{width} x {height} px are more than the {limit} that are read: reduce it first")


def _first_line(error: pyvips.Error) -> str:
    return (error.detail.strip() or error.message).splitlines()[0]


def _decode_vips(image: pyvips.Image, form: str, path: Path) -> Decoded:
    fields = image.get_fields()
    metadata = read_metadata(image, path)
    icc = bytes(image.get("icc-profile-data")) if "icc-profile-data" in fields else None
    pages = image.get("n-pages") if "n-pages" in fields else 1
    remarks = (f"the first of its {pages} pages is coloured",) if pages > 1 else ()
    orientation = image.get("orientation") if "orientation" in fields and form != "avif" else 1
    if image.interpretation in OTHER_SPACES:
        image, icc = image.colourspace("rgb16"), None
    cmyk = image.interpretation == "cmyk"
    colors = 4 if cmyk else 1 if image.bands < 3 else 3
    if image.bands > colors + 1:
        raise ValueError(f"{image.bands} channels: a photograph has at most {colors} and transparency")
    pyvips.Error("")  # forgets what libvips said before
    pixels = image.numpy().reshape(image.height, image.width, image.bands)
    # A tile that cannot be read stays black, whatever fail_on says
    trouble = pyvips.Error("").detail
    if form == "tiff" and "tiff2vips" in trouble:
        raise ValueError(f"damaged or cut short ({trouble.splitlines()[0]})")
    if form == "avif" and pixels.dtype == np.uint16:
        pixels = _full_range(pixels, image.get("bits-per-sample"))
    return Decoded(pixels, colors, form, icc, orientation, metadata, remarks)


def _decode_heic(path: Path) -> Decoded:
    pixels, info = read_heic(path)
    channels = pixels.shape[-1]
    colors = channels - (channels in (2, 4))
    exif, dpi = exif_of(info.get("exif"))
    metadata = Metadata(exif, info.get("xmp") or None, None, dpi)
    return Decoded(pixels, colors, "heic", info.get("icc_profile"), 1, metadata)


def _decode_with_pillow(path: Path, max_pixels: int) -> Decoded:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = _open_with_pillow(path)
        with image:
            _check_size(*image.size, max_pixels)
            decoded = decode_pillow(image)
            if decoded.colors == 3 and _is_deep(path):
                remark = f"its 16 bits are read as 8, as {image.format} is: convert it to TIFF to keep them"
                decoded = dataclasses.replace(decoded, remarks=(*decoded.remarks, remark))
            return decoded
    except UnidentifiedImageError as error:
        raise ValueError("no picture of a known format, or its beginning or end is lost") from error
    except Image.DecompressionBombError as error:
        raise ValueError("too large for this format: convert it to TIFF first") from error
    except (OSError, SyntaxError) as error:
        raise ValueError(f"damaged or cut short ({error})") from error


def _open_with_pillow(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=PILLOW_FORMATS)
    except MemoryError:  # only headers are read here, and Pillow believes what they say of their length
        raise OSError("a part of its header is said to be longer than fits into memory") from None


def _is_deep(path: Path) -> bool:
    """Whether a PPM or JPEG 2000 file has more than 8 bits, which Pillow reduces in silence."""
    with path.open("rb") as file:
        head = file.read(2048)
    ppm = re.match(rb"P6\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+(\d+)\s", head)
    box = head.find(b"ihdr")  # then height, width, components, bits - 1
    return int(ppm[1]) > 255 if ppm else 0 <= box < len(head) - 14 and head[box + 14] & 0x7F > 7


def decode_pillow(image: Image.Image) -> Decoded:
    """A Pillow image, with what it knows of its file.

    Raises:
      ValueError: a mode that is no picture.
    """
    info: dict[str, Any] = image.info
    form = image.format or ""
    exif, orientation = _exif_of_pillow(image)
    if image.mode in ("P", "PA") or (image.mode in ("L", "RGB", "1") and image.has_transparency_data):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "La", "RGBa", "RGBX", "YCbCr", "LAB", "HSV"):
        modes = {"1": "L", "La": "LA", "RGBa": "RGBA"}
        image = image.convert(modes.get(image.mode, "RGB"))
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F") and not image.mode.startswith("I;16"):
        raise ValueError(f"a Pillow image of mode {image.mode} is not read: convert it to RGB or L")
    pixels = np.asarray(image)
    if pixels.dtype == ">u2" or (image.mode == "I" and form in DEEP_GRAY):
        pixels = pixels.astype(np.uint16)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    colors = {1: 1, 2: 1, 3: 3, 4: 3}[pixels.shape[-1]] if image.mode != "CMYK" else 4
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    dpi = info.get("dpi")
    exif, exif_dpi = exif_of(exif)
    dpi = plausible_dpi(float(dpi[0]), float(dpi[1])) if dpi else exif_dpi
    metadata = Metadata(exif, xmp, None, dpi)
    written = {"JPEG": "jpeg", "TIFF": "tiff", "WEBP": "webp", "AVIF": "avif"}.get(form, "png")
    return Decoded(pixels, colors, written, info.get("icc_profile"), orientation, metadata)


def _exif_of_pillow(image: Image.Image) -> tuple[bytes | None, int]:
    """The EXIF block as it was read, or else as Pillow knows it, and the orientation."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = image.getexif()
            return image.info.get("exif") or known.tobytes(), known.get(ORIENTATION, 1)
    except Exception:  # damaged EXIF, of which there is much, is no reason to lose the picture
        return None, 1


def _full_range(pixels: np.ndarray, depth: int) -> np.ndarray:
    """Codes of `depth` bits in the upper bits of 16, to 0..65535."""
    top = 2**depth - 1
    table = (np.arange(65536) >> (16 - depth)) * 65535 / top
    return (table + 0.5).astype(np.uint16)[pixels]
