"""Photographs in and out: any file, array or Pillow image to a `Photo`; a coloured picture to a file like the original.

A `Photo` is upright, in sRGB (or gray with sRGB's tone curve), 8 or 16 bit. What is written has the original's size,
bit depth, alpha, resolution, EXIF, XMP and IPTC, and its ICC profile where that can hold the colours: the profiles of
gray, CMYK and most input devices cannot, and sRGB takes their place. Without a profile there is none afterwards.
"""

import dataclasses
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from jaxtyping import UInt8, UInt16
from PIL import Image

from hybridvit.inference import photo_tags as tags
from hybridvit.inference.photo_decode import SWAPPED, Decoded, decode_file, decode_pillow, read_xmp
from hybridvit.inference.photo_encode import DEEP, OPAQUE, SEGMENT, SUFFIXES, WITH_IPTC, encode
from hybridvit.inference.photo_iptc import properties_of
from hybridvit.inference.photo_metadata import Metadata, exif_to_write
from hybridvit.inference.photo_profile import (
    by_table,
    from_srgb,
    holds_srgb,
    is_srgb,
    matrix_profile,
    space_of,
    srgb_profile,
    to_depth,
    to_srgb,
)
from hybridvit.inference.photo_provenance import merge_provenance, provenance_of

MAX_PIXELS = 500_000_000  # of a file; a larger one is refused before it is decoded
LONG = 1000  # characters; provenance longer than this may be left out of a JPEG
SPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}
Plane = UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
    """A photograph, ready to be coloured, and what is needed to write it back.

    Attributes:
      pixels: sRGB or gray, upright.
      alpha: 0 is transparent; None: opaque.
      bits: of the file, 8 or 16; pixels of 8-bit files in other colour spaces than sRGB have 16.
      format: what it is written as by default, a key of `photo_encode.SUFFIXES`.
      icc: the profile to embed into the result, None for none.
      metadata: what its file says.
      source: where it was read from.
      remarks: what a user should know, a line each.
    """

    pixels: UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]
    alpha: Plane | None = None
    bits: int = 8
    format: str = "png"
    icc: bytes | None = None
    metadata: Metadata = dataclasses.field(default_factory=Metadata)
    source: Path | None = None
    remarks: tuple[str, ...] = ()


def read_photo(path: str | os.PathLike, max_pixels: int = MAX_PIXELS) -> Photo:
    """Reads a photograph: JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP, PNM, JPEG 2000, and HEIC with pillow-heif.

    Of several pages the first is read. Floats and 32-bit integers count from 0 to 1, 255 or 65535, whichever
    holds them.

    Raises:
      OSError: it cannot be opened.
      ValueError: no picture, damaged, or of more than `max_pixels`; one line that names it.
    """
    path = Path(path)
    try:
        return _finish(decode_file(path, max_pixels), path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def photo_of(image: np.ndarray | Image.Image) -> Photo:
    """A photograph in memory: an array or a Pillow image.

    Args:
      image: uint8, uint16, or float in 0..1, of sRGB's tone curve: `[h, w]`, `[h, w, 1]` gray, `[h, w, 2]` gray and
        alpha, `[h, w, 3]` RGB, `[h, w, 4]` RGB and alpha. Or a Pillow image, its EXIF orientation not yet applied.

    Raises:
      ValueError: another shape, type or range.
    """
    if isinstance(image, Image.Image):
        return _finish(decode_pillow(image), None)
    shape = f"an array {image.dtype} {list(image.shape)}"
    if image.ndim not in (2, 3) or 0 in image.shape or (image.ndim == 3 and image.shape[2] > 4):
        raise ValueError(f"{shape} is no picture: [h, w] or [h, w, 1 to 4] is")
    if image.dtype not in (np.uint8, np.uint16) and image.dtype.kind != "f":
        raise ValueError(f"{shape} is no picture: uint8, uint16 or float in 0..1 is")
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"{shape} has values out of 0..1, or not a number: divide it by its white")
    pixels = image.reshape(*image.shape[:2], -1)
    return _finish(Decoded(pixels, 1 if pixels.shape[-1] < 3 else 3, "png"), None)


def write_photo(
    path: str | os.PathLike,
    rgb: UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"],
    like: Photo,
    provenance: Mapping[str, Any],
    format: str | None = None,
) -> None:
    """Writes a coloured picture like the photograph it came from; the file appears whole or not at all.

    Args:
      path: where to; a file there is replaced, unless it is the original.
      rgb: sRGB, of the photograph's size.
      like: the photograph.
      provenance: what was done, into XMP: names -> texts, or what JSON can hold. "software" also goes into EXIF.
      format: "png", "tiff", "jpeg", "webp", "avif" or "heic"; None: as the path ends, else as the photograph.

    Raises:
      OSError: the folder or the disk does not take it; names `path`.
      ValueError: it is the original, or the format cannot hold the picture.
    """
    path = Path(path)
    form = _format(path, like, format)
    if rgb.shape[:2] != like.pixels.shape[:2]:
        raise ValueError(f"{path}: {rgb.shape[:2]} pixels for a photograph of {like.pixels.shape[:2]}")
    if like.source is not None and path.exists() and like.source.exists() and path.samefile(like.source):
        raise ValueError(f"{path} is the original: choose another name or folder")
    if like.alpha is not None and form in OPAQUE:
        raise ValueError(f"{path}: {form} cannot hold its transparency: choose png, tiff or webp")
    height, width = rgb.shape[:2]
    software = str(provenance.get("software", "hybridvit"))
    history = f"colours generated by {software}, not part of the original photograph"
    srgb = like.icc is None or is_srgb(like.icc)
    exif = exif_to_write(like.metadata, width, height, srgb, software, history)
    said = {"statement": history, **provenance}
    texts = properties_of(like.metadata.iptc) if like.metadata.iptc and form not in WITH_IPTC else ()
    xmp = merge_provenance(like.metadata.xmp, said, texts)
    metadata = dataclasses.replace(like.metadata, exif=exif, xmp=xmp)
    if form == "jpeg":
        metadata = _within_segments(path, metadata, like, said)
    dtype = np.dtype(np.uint16 if like.bits == 16 and form in DEEP else np.uint8)
    coded = to_depth(rgb, dtype) if srgb else from_srgb(rgb, like.icc, dtype)
    alpha = None if like.alpha is None else to_depth(like.alpha, dtype)
    with _replacing(path) as temporary:
        try:
            encode(temporary, form, coded, alpha, like.icc, metadata)
        except pyvips.Error as error:
            reason = (error.detail.strip() or error.message).splitlines()[0]
            raise ValueError(f"{path}: {form} cannot hold it ({reason}): choose tiff or png") from error


def read_provenance(path: str | os.PathLike) -> dict[str, str] | None:
    """What `write_photo` was told about a file (texts as they were, the rest as JSON); its pixels stay unread.

    None: the file is not of its making, is no picture, or is not there.
    """
    packet = read_xmp(Path(path))
    return provenance_of(packet) if packet else None


def _finish(decoded: Decoded, source: Path | None) -> Photo:
    """Upright, of 8 or 16 bits, in sRGB."""
    pixels = _by_range(decoded.pixels)
    if decoded.orientation > 1:
        pixels = _upright(pixels, decoded.orientation)
    colors = decoded.colors
    alpha = pixels[..., colors] if pixels.shape[-1] > colors else None
    bits = 8 * pixels.dtype.itemsize
    pixels, icc, remarks = _to_srgb(pixels[..., :colors], decoded.icc)
    metadata, more = _sound(decoded.metadata)
    if decoded.orientation in SWAPPED and metadata.dpi:
        metadata = dataclasses.replace(metadata, dpi=metadata.dpi[::-1])
    remarks = decoded.remarks + remarks + more
    return Photo(pixels, alpha, bits, decoded.format, icc, metadata, source, remarks)


def _by_range(pixels: np.ndarray) -> np.ndarray:
    """Other numbers than uint8 and uint16 to uint16: no range is declared, so the smallest customary one it is."""
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if not np.isfinite(pixels).all() or pixels.min() < 0:
        raise ValueError("its values are negative or not a number: scale them to 0..1")
    top = pixels.max()
    white = next((white for white in (1, 255, 65535, 2**32 - 1) if top <= white), top)
    out = np.empty(pixels.shape, np.uint16)
    for row, line in enumerate(pixels):  # a whole picture of float64 would be four times its size
        out[row] = line * (65535 / white) + 0.5
    return out


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    turned = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90,
    }
    return np.ascontiguousarray(turned[orientation](pixels)) if orientation in turned else pixels


def _to_srgb(pixels: np.ndarray, icc: bytes | None) -> tuple[np.ndarray, bytes | None, tuple[str, ...]]:
    """The pixels in sRGB, the profile to embed afterwards, and remarks."""
    colors = pixels.shape[-1]
    remarks: tuple[str, ...] = ()
    # Scanners like to put RGB profiles on gray pictures, which then have its tone curve
    fitting = (SPACES[colors], "RGB") if colors == 1 else (SPACES[colors],)
    if icc is not None and space_of(icc) not in fitting:
        remarks = ("its ICC profile is broken, or not for such pixels, and is left out",)
        icc = None
    if icc is None and colors != 4:
        return pixels, None, remarks
    if icc is not None and is_srgb(icc):
        return pixels, icc if space_of(icc) == "RGB" else srgb_profile(), remarks
    profile = matrix_profile(icc) if icc is not None else None
    try:
        converted = to_srgb(pixels, profile) if profile else by_table(pixels, icc)
    except pyvips.Error:
        remarks = ("its ICC profile is broken and is left out",)
        converted, icc = (by_table(pixels, None) if colors == 4 else pixels), None
    keeps = icc is not None and holds_srgb(icc)
    return converted, icc if keeps else srgb_profile(), remarks


def _sound(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    if metadata.xmp is None:
        return metadata, ()
    try:
        merge_provenance(metadata.xmp, {})
    except ValueError as error:
        return dataclasses.replace(metadata, xmp=None), (f"{error} and is left out",)
    return metadata, ()


def _format(path: Path, like: Photo, wanted: str | None) -> str:
    by_suffix = next((form for form, ends in SUFFIXES.items() if path.suffix.lower() in ends), None)
    form = wanted or by_suffix or like.format
    if form not in SUFFIXES:
        raise ValueError(f"no such format: {form}; there are {', '.join(SUFFIXES)}")
    if by_suffix not in (None, form):
        raise ValueError(f"{path}: a {form} file ends in {SUFFIXES[form][0]}")
    return form


def _within_segments(path: Path, metadata: Metadata, like: Photo, provenance: Mapping[str, Any]) -> Metadata:
    """Metadata that JPEG's segments of 64 kB hold: long provenance (hints) is replaced by its SHA-256."""
    if len(metadata.xmp) > SEGMENT - 29:
        short = {name: _shortened(value) for name, value in provenance.items()}
        metadata = dataclasses.replace(metadata, xmp=merge_provenance(like.metadata.xmp, short))
    if len(tags.pack_block(metadata.exif)) > SEGMENT - 6:
        inner = {tag: value for tag, value in metadata.exif.tags[tags.EXIF].items() if tag != tags.MAKER_NOTE}
        exif = dataclasses.replace(metadata.exif, tags={**metadata.exif.tags, tags.EXIF: inner})
        metadata = dataclasses.replace(metadata, exif=exif)
    sizes = len(metadata.xmp) + 29, len(tags.pack_block(metadata.exif)) + 6, len(metadata.iptc or b"") + 30
    if max(sizes) > SEGMENT:
        raise ValueError(f"{path}: jpeg holds 64 kB of metadata, and there is more: choose tiff or png")
    return metadata


def _shortened(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= LONG:
        return value
    return {"left_out": "too long for JPEG", "sha256": hashlib.sha256(text.encode()).hexdigest()}


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place at the end, or is gone after an error."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        number = error.errno or errno.EIO
        raise OSError(number, error.strerror or str(error), str(path)) from error
