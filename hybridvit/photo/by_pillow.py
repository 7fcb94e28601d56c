"""Pillow images to arrays, and the files that Pillow reads: BMP, PNM, JPEG 2000 and AVIF of several frames.

Pillow turns TIFF upright as it loads them, and knows of them more than their mode says: the depth of packed samples,
whether white is 0, whether a fourth channel is transparency. What it reads wrongly is read here, or refused.
"""

import dataclasses
import io
import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from PIL import Image, ImageFile, UnidentifiedImageError

from hybridvit.photo import jpeg_2000
from hybridvit.photo.decoded import GAIN_MAP_REMARK, Decoded, check_size
from hybridvit.photo.number_range import to_16_bits
from hybridvit.photo.pages import without_copies
from hybridvit.photo.pillow import mapped, metadata_of_pillow, orientation_of
from hybridvit.photo.said_colors import profile_of_info, profile_of_png
from hybridvit.photo.tiff_layout import CIELAB, COLORS, INKS, WHITE_IS_ZERO, read_layout
from hybridvit.photo.tiff_pages import (
    NEW_SUBFILE_TYPE,
    REDUCED,
    may_be_copy,
    photographs,
    starting_at,
    tiff_entries,
)
from hybridvit.photo.tiff_pixels import read_tiff, said_of_dropped

FORMATS = ("BMP", "PPM", "JPEG2000", "AVIF")  # that only Pillow reads
DEEP_GRAY = ("PPM", "PNG")  # of these, Pillow's mode I is 16 bits
GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1"  # how a segment begins
WRITTEN = {"JPEG": "jpeg", "MPO": "jpeg", "TIFF": "tiff", "WEBP": "webp", "AVIF": "avif"}
GRAY = ("1", "L", "LA", "La", "I", "F")
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES, INK_SET, EXTRA, FORMAT = (
    258,
    259,
    262,
    277,
    284,
    332,
    338,
    339,
)


def decode_with_pillow(path: Path, max_pixels: int) -> Decoded:
    """Reads a file of one of FORMATS.

    Raises:
      ValueError: no picture, damaged, or of more than `max_pixels`; the message does not name the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = _open(path)
        with image:
            check_size(*image.size, max_pixels)
            decoded = decode_pillow(image)
            if (count := getattr(image, "n_frames", 1)) > 1:
                remark = f"an animation: the first of its {count} frames is coloured"
                return dataclasses.replace(decoded, remarks=(*decoded.remarks, remark))
            if image.format == "PPM" and decoded.colors == 3 and _is_deep_ppm(path):
                remark = "its 16 bits are read as 8, as PPM is: convert it to TIFF to keep them"
                return dataclasses.replace(decoded, remarks=(*decoded.remarks, remark))
            return decoded
    except UnidentifiedImageError as error:
        raise ValueError("no picture of a known format, or its beginning or end is lost") from error
    except Image.DecompressionBombError as error:
        raise ValueError("too large for this format: convert it to TIFF first") from error
    except (OSError, SyntaxError) as error:
        raise ValueError(f"damaged or cut short ({error})") from error


def decode_pillow(image: Image.Image) -> Decoded:
    """A Pillow image, with what it knows of its file.

    Raises:
      ValueError: a mode that is no picture, damaged, or a kind that Pillow has read wrongly.
    """
    image = _photograph_of(image)
    info = image.info
    form = image.format or ""
    orientation, metadata = orientation_of(image), metadata_of_pillow(image)
    written = WRITTEN.get(form, "png")
    icc, remarks = info.get("icc_profile"), ()
    if form == "PNG" and icc is None:
        icc, remarks = _stated(image)
    if any(content.startswith(GAIN_MAP) for _, content in getattr(image, "applist", ())):
        remarks += (GAIN_MAP_REMARK,)
    tags = _tags_of(image) if form == "TIFF" else {}
    if _one(tags, PHOTOMETRIC, 1) == INKS and _one(tags, INK_SET, 1) != 1:
        raise ValueError("of other inks than cyan, magenta, yellow and black: convert it to RGB first")
    if _is_misread(tags):
        picture = _read_anew(image)
        profile, remarks = None if picture.standard else icc, remarks + picture.remarks
        return Decoded(picture.pixels, picture.colors, written, profile, orientation, metadata, remarks)
    file = getattr(image, "fp", None)
    depth = jpeg_2000.depth_of(file) if form == "JPEG2000" and file else 8
    load(image)
    image, more = _plain(image, tags)
    pixels, most = _numbers(image, tags)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    colors = {1: 1, 2: 1, 3: 3, 4: 3}[pixels.shape[-1]] if image.mode != "CMYK" else 4
    if form == "JPEG2000" and depth > 8 and colors == 3:
        jpeg_2000.check_reduced(pixels[..., :3], depth)
        more += (jpeg_2000.REMARK,)
    remarks += more + most
    return Decoded(pixels, colors, written, icc, orientation, metadata, remarks, upright=bool(tags))


def _photograph_of(image: Image.Image) -> Image.Image:
    """The photograph where a TIFF was opened and its first picture is a preview; else the image itself.

    Raises:
      ValueError: that one is not read, or the file is closed already.
    """
    if image.format != "TIFF" or not isinstance(image, ImageFile.ImageFile) or image.tell():
        return image  # or another page was chosen
    other = None
    if image.fp is not None and not image.fp.closed:
        at = image.fp.tell()
        other = _photograph_file(image.fp)
        image.fp.seek(at)
    elif image.filename and os.path.exists(image.filename):
        with open(image.filename, "rb") as file:
            other = _photograph_file(file)
    elif _one(_tags_of(image), NEW_SUBFILE_TYPE, 0) & REDUCED:
        raise ValueError("a reduced copy of a photograph, and its file is closed: give the file's path")
    if other is None:
        return image
    layout = read_layout(other.getvalue())
    if layout is not None and layout.refusal:
        raise ValueError(layout.refusal)
    try:
        return Image.open(other)
    except UnidentifiedImageError:
        raise ValueError("Pillow reads this TIFF's preview alone: give the file's path") from None
    except Image.DecompressionBombError as error:
        raise ValueError(f"the photograph behind this preview is too large for Pillow ({error})") from error


def _photograph_file(file: Any) -> io.BytesIO | None:
    """A file whose first picture is the photograph, where that of this TIFF is a preview; else None."""
    entries = tiff_entries(file)
    pages = photographs(entries)
    if not pages or (pages[0] == entries[0] and not any(may_be_copy(pages[0], page) for page in pages)):
        return None
    file.seek(0)
    data = file.read()
    page = without_copies(pages, lambda: pyvips.Source.new_from_memory(data))[0]
    return None if page == entries[0] else io.BytesIO(starting_at(data, page))


def load(image: Image.Image) -> None:
    """Loads an image's pixels as its file has them. Raises ValueError for a damaged one.

    Of uncompressed TIFF that lie on their side Pillow maps the file into memory with the sides exchanged, which
    scrambles it, but only where it knows the file's name (seen with Pillow 12.3.0).
    """
    mapped_by_name = image if image.format == "TIFF" and isinstance(image, ImageFile.ImageFile) else None
    name = mapped_by_name.filename if mapped_by_name else ""
    if mapped_by_name:
        mapped_by_name.filename = ""
    try:
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise ValueError(f"damaged or cut short, or not read by Pillow ({error})") from error
    finally:
        if mapped_by_name:
            mapped_by_name.filename = name


def _plain(image: Image.Image, tags: dict[int, Any]) -> tuple[Image.Image, tuple[str, ...]]:
    """The image in a mode of plain colours and transparency, and remarks."""
    remarks: tuple[str, ...] = ()
    if image.mode in ("P", "PA") or (image.mode in ("L", "RGB", "1") and image.has_transparency_data):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "La", "RGBa", "RGBX", "YCbCr", "LAB", "HSV"):
        modes = {"1": "L", "La": "LA", "RGBa": "RGBA"}
        image = image.convert(modes.get(image.mode, "RGB"))
    elif image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F") and not image.mode.startswith("I;16"):
        raise ValueError(f"a Pillow image of mode {image.mode} is not read: convert it to RGB or L")
    if tags:
        transparent = any(kind in (1, 2) for kind in _all(tags, EXTRA))
        if image.mode in ("LA", "RGBA") and not transparent:
            image = image.convert(image.mode[:-1])
        dropped = _one(tags, SAMPLES, 1) - COLORS.get(_one(tags, PHOTOMETRIC, 1), 16) - transparent
        remarks = said_of_dropped(dropped)
    return image, remarks


def _numbers(image: Image.Image, tags: dict[int, Any]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Its pixels of 8 or 16 bits, positive, and remarks."""
    pixels, remarks = np.asarray(image), ()
    bits, deep = _one(tags, BITS, 0), image.mode in ("I", "F") or image.mode.startswith("I;16")
    if pixels.dtype == ">u2" or (image.mode == "I" and image.format in DEEP_GRAY):
        pixels = pixels.astype(np.uint16)
    elif image.mode == "I" and tags and _one(tags, FORMAT, 1) == 1:
        pixels = pixels.view(np.uint32)
    elif image.mode == "L" and _one(tags, FORMAT, 1) == 2:
        pixels = pixels.view(np.int8)
    if pixels.dtype == np.uint16 and 8 < bits < 16:
        pixels = ((pixels.astype(np.uint32) * 65535 + 2 ** (bits - 1)) // (2**bits - 1)).astype(np.uint16)
    elif pixels.dtype not in (np.uint8, np.uint16):
        pixels, remarks = to_16_bits(pixels, bits or None)
    if deep and tags and _one(tags, PHOTOMETRIC, 1) == WHITE_IS_ZERO:
        pixels = np.uint16(65535) - pixels
    return pixels, remarks


def _is_misread(tags: dict[int, Any]) -> bool:
    """Planes of 16 bits without compression, whose bytes Pillow takes for samples; of Lab, whose signs it forgets."""
    deep, planes = max(_all(tags, BITS), default=1) > 8, _one(tags, PLANES, 1) == 2
    as_bytes = deep and _one(tags, COMPRESSION, 1) == 1
    return planes and _one(tags, SAMPLES, 1) > 1 and (as_bytes or _one(tags, PHOTOMETRIC, 1) == CIELAB)


def _read_anew(image: Image.Image) -> Any:
    if not isinstance(image, ImageFile.ImageFile) or image.fp is None or not image.tile or image.tell():
        raise ValueError("planes of colours that Pillow has read wrongly: give the file's path")
    with mapped(image.fp) as data:
        layout = read_layout(data)
        if layout is None or not layout.is_own:
            raise ValueError("planes of colours that Pillow reads wrongly: give the file's path")
        return read_tiff(data, layout)


def _stated(image: Image.Image) -> tuple[bytes | None, tuple[str, ...]]:
    gray = image.mode in GRAY or image.mode.startswith("I;16")
    file = getattr(image, "fp", None)
    return profile_of_png(file, gray) if file is not None else (profile_of_info(image.info, gray), ())


def _tags_of(image: Image.Image) -> dict[int, Any]:
    """TIFF's, where Pillow still has them."""
    return dict(getattr(image, "tag_v2", {}))


def _all(tags: dict[int, Any], tag: int) -> tuple:
    value = tags.get(tag, ())
    return value if isinstance(value, tuple) else (value,)


def _one(tags: dict[int, Any], tag: int, default: int) -> int:
    return (*_all(tags, tag), default)[0]


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path, formats=FORMATS)
    except MemoryError:  # only headers are read here, and Pillow believes what they say of their length
        raise OSError("a part of its header is said to be longer than fits into memory") from None


def _is_deep_ppm(path: Path) -> bool:
    """Whether it has more than 8 bits, which Pillow reduces in silence."""
    with path.open("rb") as file:
        found = re.match(rb"P6\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+(\d+)\s", file.read(2048))
    return found is not None and int(found[1]) > 255
