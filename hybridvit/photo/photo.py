"""Photographs in and out: any file, array or Pillow image to a `Photo`; a coloured picture to a file like the original.

A `Photo` is upright, in sRGB (or gray with sRGB's tone curve), 8 or 16 bit. What is written has the original's size,
bit depth, alpha, resolution, EXIF, XMP and IPTC, and its ICC profile where that can hold the colours: the profiles of
gray, CMYK and most input devices cannot, and sRGB takes their place. Without a profile there is none afterwards.
"""

import dataclasses
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from jaxtyping import UInt8, UInt16
from PIL import Image

from hybridvit.photo.by_pillow import decode_pillow
from hybridvit.photo.decode import decode_file, read_xmp
from hybridvit.photo.decoded import GAIN_MAP_REMARK, Decoded
from hybridvit.photo.doubts import doubts_about
from hybridvit.photo.encode import (
    BIG_TIFF,
    DEEP,
    OPAQUE,
    SUFFIXES,
    WITH_IPTC,
    encode,
    without_place,
)
from hybridvit.photo.iptc import properties_of, properties_of_texts
from hybridvit.photo.jpeg_room import within_segments
from hybridvit.photo.metadata import Metadata, exif_to_write, turned_upright
from hybridvit.photo.number_range import to_16_bits
from hybridvit.photo.profile import (
    by_table,
    from_srgb,
    holds_srgb,
    is_srgb,
    matrix_profile,
    space_of,
    srgb_profile,
    to_depth,
    to_srgb,
    with_lightness_of_d50,
)
from hybridvit.photo.provenance import GAIN_MAPS, merge_provenance, provenance_of
from hybridvit.photo.replacing import replacing
from hybridvit.photo.tiff_append import append_page
from hybridvit.photo.tiff_pages import TiffEntry

MAX_PIXELS = 500_000_000  # of a file; a larger one is refused before it is decoded
SPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}
Plane = UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
    """A photograph, ready to be coloured, and what is needed to write it back.

    Attributes:
      pixels: sRGB or gray, upright.
      alpha: 0 is transparent; None: opaque.
      bits: of the file, 8 or 16; pixels of 8-bit files in other colour spaces than sRGB have 16.
      format: what it is written as by default, a key of `encode.SUFFIXES`.
      icc: the profile to embed into the result, None for none.
      metadata: what its file says.
      source: where it was read from.
      remarks: what a user should know, a line each.
      further: the file's pages after this one, for `read_photo`.
    """

    pixels: UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]
    alpha: Plane | None = None
    bits: int = 8
    format: str = "png"
    icc: bytes | None = None
    metadata: Metadata = dataclasses.field(default_factory=Metadata)
    source: Path | None = None
    remarks: tuple[str, ...] = ()
    further: tuple[TiffEntry, ...] = ()

    @functools.cached_property
    def inside(self) -> tuple[int, int, int, int] | None:
        """The `Window` of the photograph within its borders; None where it has none."""
        from hybridvit.photo.borders import (
            find_inside,
        )  # processes that only decode do without what it needs

        return find_inside(self.pixels)


# What is written as a page: sRGB of the photograph's size, the photograph, what was done
Page = tuple[UInt8[np.ndarray, "h w 3"] | UInt16[np.ndarray, "h w 3"], Photo, Mapping[str, Any]]


def read_photo(path: str | os.PathLike, max_pixels: int = MAX_PIXELS, page: TiffEntry | None = None) -> Photo:
    """Reads a photograph: JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP, PNM, JPEG 2000, and HEIC with pillow-heif.

    Of several pages the first is read, or `page`, one of its `further`. Floats and 32-bit integers count from 0 to 1,
    255 or 65535, whichever holds them but for a few (`photo.number_range`). What looks as if it were read wrongly is a
    remark.

    Raises:
      OSError: it cannot be opened.
      ValueError: no picture, damaged, or of more than `max_pixels`; one line that names it.
    """
    path = Path(path)
    try:
        decoded = decode_file(path, max_pixels, page)
        photo = _finish(decoded, path)
        beside = sum(len(part or b"") for part in (decoded.icc, photo.metadata.xmp, photo.metadata.iptc))
        doubts = doubts_about(photo.pixels, photo.alpha, path.stat().st_size // decoded.pages - beside)
        return dataclasses.replace(photo, remarks=photo.remarks + doubts)
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
        photo = _finish(decode_pillow(image), None)
        doubts = doubts_about(photo.pixels, photo.alpha, file_size=0)
        return dataclasses.replace(photo, remarks=photo.remarks + doubts)
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
    further: Iterable[Page] = (),
    seal: Callable[[Path], None] | None = None,
) -> None:
    """Writes a coloured picture like the photograph it came from; the file appears whole or not at all.

    Args:
      path: where to; a file there is replaced, unless it is the original.
      rgb: sRGB, of the photograph's size.
      like: the photograph.
      provenance: what was done, into XMP: names -> texts, or what JSON can hold. "software" also goes into EXIF.
      format: "png", "tiff", "jpeg", "webp", "avif" or "heic"; None: as the path ends, else as the photograph.
      further: more pages, of a TIFF; one at a time is taken. Other formats hold one, and take none.
      seal: is given the complete file before it takes its place, and may put something into it (a signature).

    Raises:
      OSError: the folder or the disk does not take it; names `path`.
      ValueError: it is the original, or the format cannot hold the picture.
    """
    path = Path(path)
    form = _format(path, like, format)
    with replacing(path) as temporary:
        many = form == "tiff" and bool(like.further)
        _encode(path, temporary, form, (rgb, like, provenance), many and _needs_big_tiff(like))
        if many:
            with (
                temporary.open("r+b") as file,
                tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder,
            ):
                for page in further:
                    one = Path(folder, "page.part")
                    one.touch()
                    _encode(path, one, form, page, _needs_big_tiff(like))
                    append_page(file, one)
                file.flush()
                os.fsync(file.fileno())
        if seal is not None:
            seal(temporary)


def _needs_big_tiff(like: Photo) -> bool:
    pixels = like.pixels.size // like.pixels.shape[-1] + sum(
        page.width * page.height for page in like.further
    )
    return pixels * 4 * like.bits // 8 > BIG_TIFF


def _encode(path: Path, file: Path, form: str, page: Page, bigtiff: bool) -> None:
    """Writes one page to `file`, which will be `path`."""
    rgb, like, provenance = page
    if rgb.shape[:2] != like.pixels.shape[:2]:
        raise ValueError(f"{path}: {rgb.shape[:2]} pixels for a photograph of {like.pixels.shape[:2]}")
    if like.source is not None and path.exists() and like.source.exists() and path.samefile(like.source):
        raise ValueError(f"{path} is the original: choose another name or folder")
    if like.alpha is not None and form in OPAQUE:
        raise ValueError(f"{path}: {form} cannot hold its transparency: choose png, tiff or webp")
    height, width = rgb.shape[:2]
    software = str(provenance.get("software", "hybridvit"))
    history = f"colours generated by {software}, not part of the original photograph"
    other = None if like.icc is None or is_srgb(like.icc) else like.icc
    exif = exif_to_write(like.metadata, width, height, other is None, software, history)
    said = {"statement": history, **provenance}
    texts = [] if not like.metadata.iptc or form in WITH_IPTC else properties_of(like.metadata.iptc)
    texts += properties_of_texts(without_place(like.metadata.texts, form))
    xmp = merge_provenance(like.metadata.xmp, said, texts)
    metadata = dataclasses.replace(like.metadata, exif=exif, xmp=xmp)
    if form == "jpeg":
        metadata = within_segments(path, metadata, like.metadata.xmp, said, texts)
    dtype = np.dtype(np.uint16 if like.bits == 16 and form in DEEP else np.uint8)
    if (
        like.icc is not None and like.pixels.shape[-1] == 1
    ):  # its lightness was said by a profile, and is kept by one
        rgb = with_lightness_of_d50(rgb)
    coded = to_depth(rgb, dtype) if other is None else from_srgb(rgb, other, dtype)
    alpha = None if like.alpha is None else to_depth(like.alpha, dtype)
    try:
        encode(file, form, coded, alpha, like.icc, metadata, bigtiff)
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
    pixels, colors, ranged = decoded.pixels, decoded.colors, ()
    if pixels.dtype not in (np.uint8, np.uint16):
        parts = [pixels[..., :colors]] + ([pixels[..., colors:]] if pixels.shape[-1] > colors else [])
        found = [to_16_bits(part) for part in parts]
        pixels, ranged = np.concatenate([part for part, _ in found], -1), found[0][1]
    if decoded.orientation > 1 and not decoded.upright:
        pixels = _upright(pixels, decoded.orientation)
    alpha = pixels[..., colors] if pixels.shape[-1] > colors else None
    bits = 8 * pixels.dtype.itemsize
    pixels, icc, remarks = _to_srgb(pixels[..., :colors], decoded.icc)
    metadata, more = _sound(decoded.metadata)
    metadata, turned = turned_upright(metadata, decoded.orientation)
    remarks = tuple(dict.fromkeys(decoded.remarks + ranged + remarks + more + turned))
    return Photo(pixels, alpha, bits, decoded.format, icc, metadata, source, remarks, decoded.further)


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
    """Metadata that can be written, and remarks, which are no part of it any more."""
    remarks, metadata = metadata.remarks, dataclasses.replace(metadata, remarks=())
    try:
        if metadata.xmp is not None:
            if any(space.encode() in metadata.xmp for space in GAIN_MAPS):
                remarks = (*remarks, GAIN_MAP_REMARK)
            merge_provenance(metadata.xmp, {})
    except ValueError as error:
        return dataclasses.replace(metadata, xmp=None), (*remarks, f"{error} and is left out")
    return metadata, remarks


def _format(path: Path, like: Photo, wanted: str | None) -> str:
    by_suffix = next((form for form, ends in SUFFIXES.items() if path.suffix.lower() in ends), None)
    form = wanted or by_suffix or like.format
    if form not in SUFFIXES:
        raise ValueError(f"no such format: {form}; there are {', '.join(SUFFIXES)}")
    if by_suffix not in (None, form):
        raise ValueError(f"{path}: a {form} file ends in {SUFFIXES[form][0]}")
    return form
