"""A coloured picture to a file of its format, with everything that is to be said about it.

libvips encodes and writes the ICC profile; the rest is put in by this file, as libvips loses maker's notes and unknown
tags of EXIF, writes XMP in PNG files in a form of its own, and a resolution where none is known.
"""

import mmap
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyvips

from hybridvit.photo import boxes as photo_boxes
from hybridvit.photo import jpeg as photo_jpeg
from hybridvit.photo import png as photo_png
from hybridvit.photo import resources
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.heic import write_heic
from hybridvit.photo.iptc import TEXTS, has_more
from hybridvit.photo.metadata import (
    INCH,
    IPTC,
    PHOTOSHOP,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    XMP,
    Y_RESOLUTION,
    Metadata,
)
from hybridvit.photo.profile import as_image
from hybridvit.photo.vips import set_block

SUFFIXES = {  # format -> its files' endings, the customary one first
    "png": (".png",),
    "tiff": (".tif", ".tiff"),
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "webp": (".webp",),
    "avif": (".avif",),
    "heic": (".heic", ".heif"),
}
DEEP = ("png", "tiff", "avif", "heic")  # hold more than 8 bits
OPAQUE = ("jpeg",)  # hold no alpha
WITH_IPTC = ("png", "tiff", "jpeg")
ROOM = 600  # bytes of EXIF at most that are added
BIG_TIFF = 3_900_000_000  # bytes of pixels; TIFF's addresses end at 4 GiB
ICC_ONLY, ICC_AND_XMP = 8, 2 + 8  # libvips' VipsForeignKeep
# The highest quality that still pays: lossless where the format is, else hardly to be told from it. TIFF at level 3: a
# fifth faster than 4 for a hundredth more bytes, and writing is half of a large file's time.
OPTIONS = {
    "png": ("pngsave", {"keep": ICC_ONLY, "compression": 3, "filter": "sub"}),
    "jpeg": ("jpegsave", {"keep": ICC_ONLY, "Q": 95, "subsample_mode": "off"}),
    "webp": (
        "webpsave",
        {"keep": ICC_AND_XMP, "Q": 95, "smart_subsample": True, "alpha_q": 100, "effort": 2},
    ),
    "avif": ("heifsave", {"Q": 92, "compression": "av1", "subsample_mode": "off", "effort": 1}),
    "tiff": ("tiffsave", {"keep": ICC_ONLY, "compression": "deflate", "predictor": "horizontal", "level": 3}),
}


def without_place(texts: Sequence[tuple[str, str]], form: str) -> list[tuple[str, str]]:
    """The texts, by keyword, for which a format has no place of their own."""
    if form == "png":
        return []
    return [(keyword, text) for keyword, text in texts if not (form == "jpeg" and keyword == "Comment")]


def left_out(metadata: Metadata, form: str) -> tuple[str, ...]:
    """Remarks on metadata for which a format has no place, a line each."""
    remarks = []
    if metadata.resources and form not in WITH_IPTC:
        remarks.append(f"{form} has no place for Photoshop's resources, which are left out")
    lost = [keyword for keyword, _ in without_place(metadata.texts, form) if keyword not in TEXTS]
    if lost:
        names = ", ".join(dict.fromkeys(lost))
        remarks.append(f"{form} has no place for PNG's texts {names}, which are left out")
    if metadata.iptc and form not in WITH_IPTC and has_more(metadata.iptc):
        remarks.append(
            f"{form} has no place for IPTC: what XMP has properties for is kept there, the rest left out"
        )
    exif = metadata.exif
    if form == "jpeg" and exif and len(tags.pack_block(exif)) > photo_jpeg.SEGMENT - ROOM:
        remarks.append("jpeg holds 64 kB of EXIF: the maker's note is left out")
    if metadata.aspect and form not in WITH_IPTC:
        remarks.append(f"{form} has no place for the aspect of its pixels, which is left out")
    return tuple(remarks)


def encode(
    path: Path,
    form: str,
    rgb: np.ndarray,
    alpha: np.ndarray | None,
    icc: bytes | None,
    metadata: Metadata,
    bigtiff: bool = False,
) -> None:
    """Writes the file.

    Args:
      path: where to; it exists, and is written over.
      form: one of SUFFIXES.
      rgb: uint8 or uint16 `[h, w, 3]`, in the profile's colours.
      alpha: the same type `[h, w]`, or None.
      icc: the profile to embed, or None.
      metadata: EXIF, XMP, IPTC and resolution, as they are to be written.
      bigtiff: a TIFF that will be larger than it is now.

    Raises:
      OSError: the disk does not take it.
      pyvips.Error: the format does not hold it.
    """
    exif = tags.pack_block(metadata.exif or tags.Directory({}))
    if form == "heic":
        pixels = rgb if alpha is None else np.concatenate([rgb, alpha[..., None]], -1)
        write_heic(path, pixels, exif, metadata.xmp, icc)
        return
    image = as_image(rgb) if alpha is None else as_image(rgb).bandjoin(as_image(alpha[..., None]))
    if metadata.dpi:
        image = image.copy(xres=metadata.dpi[0] / INCH, yres=metadata.dpi[1] / INCH)
    fields = {"icc-profile-data": icc}
    if form in ("webp", "avif"):
        fields["xmp-data"] = metadata.xmp
    if form == "avif":
        fields["exif-data"] = b"Exif\0\0" + exif
    for name, value in fields.items():
        if value is not None:
            set_block(image, name, value)
    with path.open("r+b") as file:
        if form == "tiff":
            _stream(image, form, file, bigtiff=bigtiff or rgb.nbytes // 3 * image.bands > BIG_TIFF)
            _add_tags(file, metadata)
        elif form == "png":
            block = _resources(metadata, iptc=False)
            more = metadata.xmp, metadata.iptc, block, metadata.texts, metadata.density
            added = photo_png.chunks(exif, *more)
            _stream(image, form, file, rework=lambda head: photo_png.with_chunks(head, added))
        elif form == "jpeg":
            block = _resources(metadata, iptc=True)
            added = photo_jpeg.segments(exif, metadata.xmp, block, metadata.texts, metadata.density)
            _stream(image, form, file, rework=lambda head: photo_jpeg.with_segments(head, added))
        elif form == "webp":
            _stream(image, form, file)
            _add_webp_chunk(file, exif)
        else:
            _stream(image, form, file, bitdepth=8 if rgb.dtype == np.uint8 else 12)
            photo_boxes.replace_exif(file, exif)
        file.flush()
        os.fsync(file.fileno())


def _stream(
    image: pyvips.Image,
    form: str,
    file: BinaryIO,
    rework: Callable[[bytes], bytes | None] | None = None,
    **more: int,
) -> None:
    """Encodes into `file`; what comes first is changed by `rework`, which gives None until it has enough of it."""
    failure: list[BaseException] = []
    head = bytearray()
    change = rework

    def guard(action: Callable, failed: Any) -> Callable:
        def call(*values: Any) -> Any:
            try:
                return action(*values)
            except BaseException as error:  # it would be lost on its way through libvips
                failure.append(error)
                return failed

        return call

    def write(data: Any) -> int:
        nonlocal change
        if change is None:
            return file.write(data)
        head.extend(data)
        changed = change(bytes(head))
        if changed is not None:
            file.write(changed)
            change = None
        return len(data)

    target = pyvips.TargetCustom()
    target.on_write(guard(write, -1))
    target.on_read(guard(file.read, None))
    target.on_seek(guard(file.seek, -1))
    name, options = OPTIONS[form]
    try:
        getattr(image, name + "_target")(target, **options, **more)
    except pyvips.Error:
        if failure:
            raise failure[0] from None
        raise
    if failure:
        raise failure[0]


def _resources(metadata: Metadata, iptc: bool) -> bytes:
    """Photoshop's resources as a block: those that are kept, at the resolution that is written, and IPTC."""
    kept = []
    for one in metadata.resources:
        if one.number == resources.RESOLUTION:
            if not metadata.dpi or len(one.data) < 16:
                continue
            one = one._replace(data=resources.with_resolution(one.data, metadata.dpi))
        kept.append(one)
    if iptc and metadata.iptc:
        kept.insert(0, resources.Resource(b"8BIM", resources.IPTC, b"", metadata.iptc))
    return resources.pack(kept)


def _add_webp_chunk(file: BinaryIO, exif: bytes) -> None:
    """EXIF at the end of a WebP file that has a VP8X chunk, as every one with XMP does."""
    file.seek(0)
    head = bytearray(file.read(21))
    head[20] |= 0x08
    file.seek(0, 2)
    file.write(b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2))
    head[4:8] = struct.pack("<I", file.tell() - 8)
    file.seek(0)
    file.write(head)


def _add_tags(file: BinaryIO, metadata: Metadata) -> None:
    """Gives a TIFF file a new first directory at its end, with all of the old one and EXIF, XMP, IPTC and resources."""
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        written = tags.read_directory(data)
        big = data[2 if written.order == "<" else 3] == 43
    # libvips writes a resolution where none is known
    unknown = () if metadata.dpi else (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
    new = {tag: value for tag, value in written.tags.items() if tag not in unknown}
    if metadata.aspect and not metadata.dpi:
        new[X_RESOLUTION], new[Y_RESOLUTION] = map(tags.rational, metadata.aspect)
        new[RESOLUTION_UNIT] = tags.numbers(1)
    new |= metadata.exif.tags if metadata.exif else {}
    if block := _resources(metadata, iptc=False):
        new[PHOTOSHOP] = tags.Tag(tags.UNDEFINED, block)
    if metadata.iptc:
        new[IPTC] = tags.Tag(tags.UNDEFINED, metadata.iptc)
    if metadata.xmp:
        new[XMP] = tags.Tag(tags.BYTE, metadata.xmp)
    start = file.seek(0, 2)
    file.write(b"\0" * (start % 2))
    start += start % 2
    file.write(tags.pack_directory(new, start, written.order, big))
    file.seek(8 if big else 4)
    file.write(struct.pack(written.order + ("Q" if big else "I"), start))
