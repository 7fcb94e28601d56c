"""What a photograph's file says beside its pixels: EXIF, XMP, IPTC, resolution.

Read from libvips' fields (JPEG, PNG, WebP, AVIF) or from a TIFF's own tags, and freed of what describes the old file
alone: its layout, its orientation (the pixels are turned upright), its gray thumbnail.
"""

import dataclasses
import mmap
import struct
from pathlib import Path

import pyvips

from hybridvit.inference import photo_tags as tags
from hybridvit.inference.photo_iptc import records_of, records_of_raw_profile
from hybridvit.inference.photo_tags import Directory, Tags

INCH = 25.4  # mm
ORIENTATION, SOFTWARE, IMAGE_HISTORY = 274, 305, 0x9213
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES = 273, 279, 324, 325
XMP, IPTC, PHOTOSHOP, ICC, LAYERS = 700, 33723, 34377, 34675, 37724
# How the old file lays out its pixels; resolution, XMP, IPTC and the profile are kept beside the tags
LAYOUT = {*range(254, 260), *range(262, 267), *range(273, 275), *range(277, 285), *range(288, 294), 296, 301}
LAYOUT |= {*range(317, 326), 330, *range(332, 335), *range(336, 343), 347, *range(512, 522), *range(529, 533)}
LAYOUT |= {XMP, IPTC, PHOTOSHOP, ICC, LAYERS}
COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 0xA001, 0xA002, 0xA003


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What is kept; None: the file has none."""

    exif: Directory | None = None
    xmp: bytes | None = None  # the packet
    iptc: bytes | None = None  # IIM records
    dpi: tuple[float, float] | None = None  # horizontal, vertical, of the upright picture


def read_metadata(image: pyvips.Image, path: Path) -> Metadata:
    """The metadata of a file that libvips has opened, not yet upright.

    Raises:
      ValueError: a TIFF file whose pixels lie beyond its end.
    """
    fields = set(image.get_fields())
    xmp = bytes(image.get("xmp-data")).strip(b"\0") if "xmp-data" in fields else None
    # libvips says 1 px/mm where none is given, and 72 dpi of such a JPEG
    known = (image.xres, image.yres) != (1.0, 1.0)
    if image.get("vips-loader").startswith("jpeg"):
        known &= "resolution-unit" in fields
    dpi = plausible_dpi(image.xres * INCH, image.yres * INCH) if known else None
    if image.get("vips-loader").startswith("tiff"):
        directory = _read_tiff(path)
        iptc = _iptc_of_tiff(directory.tags)
        exif = clean_exif(directory)
    else:
        exif, exif_dpi = exif_of(bytes(image.get("exif-data")) if "exif-data" in fields else None)
        dpi = dpi or exif_dpi
        iptc = records_of(bytes(image.get("iptc-data"))) if "iptc-data" in fields else _iptc_of_png(image)
    return Metadata(exif, xmp or None, iptc, dpi)


def exif_of(block: bytes | None) -> tuple[Directory | None, tuple[float, float] | None]:
    """What is kept of an EXIF block, and its dots per inch; None of a broken one, as readers do."""
    try:
        directory = tags.read_directory((block or b"").removeprefix(b"Exif\0\0"))
    except ValueError:
        return None, None
    return clean_exif(directory), _dpi_of(directory.tags)


def _dpi_of(found: Tags) -> tuple[float, float] | None:
    values = [found.get(tag) for tag in (X_RESOLUTION, Y_RESOLUTION)]
    if not all(
        isinstance(value, tags.Tag) and value.type == tags.RATIONAL and value.count for value in values
    ):
        return None
    unit = found.get(RESOLUTION_UNIT, tags.numbers(2))
    factor = {(2,): 1.0, (3,): INCH / 10}.get(tuple(unit.numbers()))  # per inch, per centimetre
    fractions = [struct.unpack_from("<II", value.value) for value in values]
    if factor is None or any(0 in fraction for fraction in fractions):
        return None
    x, y = (above / below * factor for above, below in fractions)
    # libvips writes 1 px/mm where none is given
    return None if abs(x - INCH) + abs(y - INCH) < 0.01 else plausible_dpi(x, y)


def plausible_dpi(x: float, y: float) -> tuple[float, float] | None:
    """The resolution, unless it is a damaged field's."""
    return (x, y) if min(x, y) >= 1 and max(x, y) <= 100_000 else None


def clean_exif(directory: Directory) -> Directory | None:
    """Without what describes the old file; None where nothing is left."""
    kept: Tags = {tag: value for tag, value in directory.tags.items() if tag not in LAYOUT}
    inner = {
        tag: value
        for tag, value in kept.pop(tags.EXIF, {}).items()
        if tag not in (COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT)
    }
    if inner:
        kept[tags.EXIF] = inner
    return dataclasses.replace(directory, tags=kept) if kept else None


def exif_to_write(
    metadata: Metadata, width: int, height: int, srgb: bool, software: str, history: str
) -> Directory:
    """EXIF for the coloured picture: the original's, upright, with its own size and who coloured it.

    Args:
      metadata: of the original.
      width, height: of the coloured picture, px.
      srgb: whether its colours are sRGB.
      software, history: added to EXIF's Software and ImageHistory, unless they stand there.
    """
    old = metadata.exif or Directory({})
    inner = {
        **old.tags.get(tags.EXIF, {}),
        COLOR_SPACE: tags.numbers(1 if srgb else 0xFFFF),
        PIXEL_WIDTH: tags.numbers(width, kind=tags.LONG),
        PIXEL_HEIGHT: tags.numbers(height, kind=tags.LONG),
    }
    inner.setdefault(0x9000, tags.Tag(tags.UNDEFINED, b"0232"))
    new = {**old.tags, ORIENTATION: tags.numbers(1), tags.EXIF: inner}
    for tag, addition in ((SOFTWARE, software), (IMAGE_HISTORY, history)):
        new[tag] = _with_addition(old.tags.get(tag), addition)
    if metadata.dpi:
        new[X_RESOLUTION], new[Y_RESOLUTION] = map(tags.rational, metadata.dpi)
        new[RESOLUTION_UNIT] = tags.numbers(2)
    return dataclasses.replace(old, tags=new)


def _with_addition(old: tags.Tag | None, addition: str) -> tags.Tag:
    before = old.value.rstrip(b"\0 ") if isinstance(old, tags.Tag) and old.type == tags.ASCII else b""
    new = addition.encode().replace(b"\0", b"")
    if new in before:
        return tags.Tag(tags.ASCII, before + b"\0")
    return tags.Tag(tags.ASCII, (before + b"; " if before else b"") + new + b"\0")


def _read_tiff(path: Path) -> Directory:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        directory = tags.read_directory(data)
        end = len(data)
    for offsets, sizes in ((STRIP_OFFSETS, STRIP_SIZES), (TILE_OFFSETS, TILE_SIZES)):
        if offsets in directory.tags and sizes in directory.tags:
            starts, lengths = directory.tags[offsets].numbers(), directory.tags[sizes].numbers()
            # libvips leaves tiles that it cannot read black
            if any(start + length > end for start, length in zip(starts, lengths, strict=False)):
                raise ValueError("the file is cut short")
    return directory


def _iptc_of_tiff(found: Tags) -> bytes | None:
    blocks = [found[tag].value for tag in (IPTC, PHOTOSHOP) if isinstance(found.get(tag), tags.Tag)]
    return next((records for records in map(records_of, blocks) if records), None)


def _iptc_of_png(image: pyvips.Image) -> bytes | None:
    fields = [name for name in image.get_fields() if name.startswith("png-comment-")]
    texts = [image.get(name) for name in fields if name.endswith("Raw profile type iptc")]
    return records_of_raw_profile(texts[0]) if texts else None
