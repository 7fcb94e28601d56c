"""A coloured picture to a file of its format, with everything that is to be said about it.

libvips encodes and writes the ICC profile; the rest is put in by this file, as libvips loses maker's notes and unknown
tags of EXIF, and writes XMP in PNG files in a form of its own. AVIF's metadata goes its way nevertheless.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyvips

from hybridvit.inference import photo_tags as tags
from hybridvit.inference.photo_heic import write_heic
from hybridvit.inference.photo_iptc import raw_profile_of, segment_of
from hybridvit.inference.photo_metadata import INCH, IPTC, XMP, Metadata
from hybridvit.inference.photo_profile import as_image

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
BIG_TIFF = 3_900_000_000  # bytes of pixels; TIFF's addresses end at 4 GiB
SEGMENT = 65_533  # bytes that a JPEG segment holds
PNG_HEAD = 8 + 25  # bytes of signature and IHDR
JPEG_HEAD = 2  # bytes of SOI
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
ICC_ONLY, ICC_AND_XMP = 8, 2 + 8  # libvips' VipsForeignKeep
# The highest quality that still pays: lossless where the format is, else hardly to be told from it
OPTIONS = {
    "png": ("pngsave", {"keep": ICC_ONLY, "compression": 3, "filter": "sub"}),
    "jpeg": ("jpegsave", {"keep": ICC_ONLY, "Q": 95, "subsample_mode": "off"}),
    "webp": (
        "webpsave",
        {"keep": ICC_AND_XMP, "Q": 95, "smart_subsample": True, "alpha_q": 100, "effort": 2},
    ),
    "avif": ("heifsave", {"Q": 92, "compression": "av1", "subsample_mode": "off", "effort": 1}),
    "tiff": ("tiffsave", {"keep": ICC_ONLY, "compression": "deflate", "predictor": "horizontal", "level": 4}),
}


def encode(
    path: Path,
    form: str,
    rgb: np.ndarray,
    alpha: np.ndarray | None,
    icc: bytes | None,
    metadata: Metadata,
) -> None:
    """Writes the file.

    Args:
      path: where to; it exists, and is written over.
      form: one of SUFFIXES.
      rgb: uint8 or uint16 `[h, w, 3]`, in the profile's colours.
      alpha: the same type `[h, w]`, or None.
      icc: the profile to embed, or None.
      metadata: EXIF, XMP, IPTC and resolution, as they are to be written.

    Raises:
      OSError: the disk does not take it.
      pyvips.Error: the format does not hold it.
    """
    exif = tags.pack_block(metadata.exif)
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
            image.set_type(pyvips.GValue.blob_type, name, value)
    with path.open("r+b") as file:
        if form == "tiff":
            _stream(image, form, file, bigtiff=rgb.nbytes // 3 * image.bands > BIG_TIFF)
            _add_tags(file, metadata)
        elif form == "png":
            _stream(image, form, file, after=PNG_HEAD, insertion=_png_chunks(exif, metadata))
        elif form == "jpeg":
            _stream(image, form, file, after=JPEG_HEAD, insertion=_jpeg_segments(exif, metadata))
        elif form == "webp":
            _stream(image, form, file)
            _add_webp_chunk(file, exif)
        else:
            _stream(image, form, file, bitdepth=8 if rgb.dtype == np.uint8 else 12)
        file.flush()
        os.fsync(file.fileno())


def _stream(
    image: pyvips.Image, form: str, file: BinaryIO, after: int = 0, insertion: bytes = b"", **more: int
) -> None:
    """Encodes into `file`, with something put in after the first `after` bytes."""
    failure: list[BaseException] = []
    head = bytearray()

    def guard(action: Callable, failed: Any) -> Callable:
        def call(*values: Any) -> Any:
            try:
                return action(*values)
            except BaseException as error:  # it would be lost on its way through libvips
                failure.append(error)
                return failed

        return call

    def write(data: Any) -> int:
        if len(head) >= after:
            return file.write(data)
        head.extend(data)
        if len(head) >= after:
            file.write(head[:after] + insertion + head[after:])
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


def _png_chunks(exif: bytes, metadata: Metadata) -> bytes:
    chunks = [(b"eXIf", exif)]
    if metadata.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        chunks.append((b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(raw_profile_of(metadata.iptc))))
    return b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _jpeg_segments(exif: bytes, metadata: Metadata) -> bytes:
    unit, x, y = (1, *map(round, metadata.dpi)) if metadata.dpi else (0, 1, 1)
    density = struct.pack(">HBHHBB", 0x0101, unit, min(x, 65535), min(y, 65535), 0, 0)
    segments = [(0xE0, b"JFIF\0" + density), (0xE1, b"Exif\0\0" + exif)]
    if metadata.xmp:
        segments.append((0xE1, XMP_HEAD + metadata.xmp))
    if metadata.iptc:
        segments.append((0xED, segment_of(metadata.iptc)))
    return b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in segments)


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
    """Gives a TIFF file a new first directory at its end, with all of the old one and EXIF, XMP and IPTC."""
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        written = tags.read_directory(data)
        big = data[2 if written.order == "<" else 3] == 43
    new = {**written.tags, **metadata.exif.tags}
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
