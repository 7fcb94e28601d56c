"""Files to arrays, as they are stored: not yet upright, not yet sRGB.

libvips reads JPEG, PNG, TIFF, WebP, AVIF and GIF; `photo.tiff_pixels` those TIFF that libvips does not, or not rightly;
Pillow BMP, PNM, JPEG 2000 and AVIF of several frames; pillow-heif HEIC.
"""

import dataclasses
import functools
import logging
import mmap
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import pyvips

from hybridvit.photo.by_pillow import decode_with_pillow
from hybridvit.photo.decoded import GAIN_MAP_REMARK, Decoded, check_size
from hybridvit.photo.heic import read_heic
from hybridvit.photo.metadata import metadata_of, metadata_of_tiff, read_metadata
from hybridvit.photo.other_formats import LOOKED_AT, refusal_of
from hybridvit.photo.pages import open_page, pages_of, remarks_on_pages
from hybridvit.photo.parts import Parts
from hybridvit.photo.said_colors import profile_of_png
from hybridvit.photo.tiff_layout import HEADS, Layout, read_layout
from hybridvit.photo.tiff_pages import TiffEntry, tiff_entries
from hybridvit.photo.tiff_pixels import picture_of, read_tiff
from hybridvit.photo.tiff_tags import read_directory
from hybridvit.photo.vips import block_of, number_of, source_of, text_of

LOADERS = {"jpegload": "jpeg", "pngload": "png", "tiffload": "tiff", "webpload": "webp", "heifload": "avif"}
LOADERS |= {"gifload": "png"}  # -> the format that is written
GAIN_MAP = "hybridvit-gain-map"  # a field of libvips' image
OTHER_SPACES = {"lab", "labs", "labq", "lch", "cmc", "xyz", "yxy", "hsv", "oklab", "oklch"}


def decode_file(path: Path, max_pixels: int, page: TiffEntry | None = None) -> Decoded:
    """Reads a file, of a TIFF its first page or another one of `pages_of`.

    Raises:
      OSError: it cannot be opened.
      ValueError: empty, no picture, damaged, or of more than `max_pixels`; the message does not name the file.
    """
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
        if not head:
            raise ValueError("an empty file")
        if refusal := refusal_of(head):
            raise ValueError(refusal)
        pages = pages_of(path) if page is None else (page,)
        page, further = (pages[0], pages[1:]) if pages else (None, ())
        layout = _layout_of(file, page)
        if layout is not None and layout.refusal:
            raise ValueError(layout.refusal)
        if layout is not None and layout.is_own and not layout.is_plain:
            decoded = _decode_tiff(file, layout, page, max_pixels)
            return dataclasses.replace(decoded, further=further)
    if layout is not None and not layout.is_plain:
        raise ValueError(layout.not_read)
    try:
        image = _open(path, page)
        loader = text_of(image, "vips-loader").removesuffix("_source")
        if loader not in LOADERS:
            raise ValueError(f"no photograph: {loader.removesuffix('load')} is not read")
        check_size(image.width, image.height, max_pixels)
        if loader == "heifload" and text_of(image, "heif-compression") == "hevc":
            return _decode_heic(path)
        decoded = _decode_vips(image, LOADERS[loader], path, layout, page)
        more = () if page is not None else remarks_on_pages(path, loader, decoded.pages)
        return dataclasses.replace(decoded, further=further, remarks=more + decoded.remarks)
    except pyvips.Error as error:
        if "known format" in error.detail:
            return decode_with_pillow(path, max_pixels)
        raise ValueError(f"damaged or cut short ({_first_line(error)})") from error


def read_xmp(path: Path) -> bytes | None:
    """The XMP packet of a file, its pixels unread; None where it has none, or is no picture."""
    try:
        image = _open(path)
    except pyvips.Error:
        return None
    packet = block_of(image, "xmp-data")
    return packet and packet.strip(b"\0")


def _open(path: Path, page: TiffEntry | None = None) -> pyvips.Image:
    _prepare_vips()
    image = open_page(source_of(path), page)
    if text_of(image, "vips-loader").startswith("uhdr"):
        # A JPEG with a gain map, of which only its maker knew how it goes with the picture: the picture as it is
        image = pyvips.Image.jpegload_source(source_of(path), access="sequential", fail_on="error")
        image.set_type(pyvips.GValue.gint_type, GAIN_MAP, 1)
    return image


@functools.cache
def _prepare_vips() -> None:
    """Keeps libvips from remembering pictures, and from talking: what matters comes as an error."""
    pyvips.cache_set_max(0)
    logging.getLogger("pyvips").setLevel(logging.CRITICAL)


def _first_line(error: pyvips.Error) -> str:
    return (error.detail.strip() or error.message).splitlines()[0]


def _layout_of(file: BufferedIOBase, page: TiffEntry | None) -> Layout | None:
    """Of a TIFF file's page; None of others, and of such that are so damaged that libvips is to say what is wrong."""
    file.seek(0)
    if file.read(4) not in HEADS or file.seek(0, 2) < 16:
        return None
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return read_layout(data, None if page is None else page.offset)
    except ValueError:
        return None


def _decode_tiff(file: BufferedIOBase, layout: Layout, page: TiffEntry | None, max_pixels: int) -> Decoded:
    """A TIFF's page of a kind that libvips does not read, or not rightly."""
    check_size(layout.width, layout.height, max_pixels)
    pages = max(1, len(tiff_entries(file)))
    at = None if page is None else page.offset
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        metadata = metadata_of_tiff(read_directory(data, at))
        picture = read_tiff(data, layout)
    icc = None if picture.standard else layout.icc
    turned = layout.orientation
    return Decoded(
        picture.pixels, picture.colors, "tiff", icc, turned, metadata, picture.remarks, pages=pages
    )


def _decode_vips(
    image: pyvips.Image, form: str, path: Path, layout: Layout | None, page: TiffEntry | None
) -> Decoded:
    fields = image.get_fields()
    metadata = read_metadata(image, path, None if page is None else page.offset)
    icc = block_of(image, "icc-profile-data")
    pages = number_of(image, "n-pages", 1)
    remarks = (GAIN_MAP_REMARK,) if GAIN_MAP in fields else ()
    orientation = number_of(image, "orientation", 1) if form != "avif" else 1
    if form == "png":  # libvips looks for EXIF in one place of those where PNG has it
        orientation = metadata.orientation
    if image.interpretation in OTHER_SPACES:
        image, icc = image.colourspace("rgb16"), None
    cmyk = image.interpretation == "cmyk"
    colors = 4 if cmyk else 1 if image.bands < 3 else 3
    pyvips.Error("")  # forgets what libvips said before
    pixels = image.numpy().reshape(image.height, image.width, image.bands)
    # A tile that cannot be read stays black, whatever fail_on says
    trouble = pyvips.Error("").detail
    if form == "tiff" and "tiff2vips" in trouble:
        raise ValueError(f"damaged or cut short ({trouble.splitlines()[0]})")
    if form == "avif" and pixels.dtype == np.uint16:
        pixels = _full_range(pixels, number_of(image, "bits-per-sample", 16))
    if form == "png" and icc is None:
        with path.open("rb") as file:
            icc, more = profile_of_png(file, gray=colors == 1)
        remarks += more
    if layout is not None and image.bands == layout.samples:
        kept = [*range(layout.colors), *([] if layout.alpha is None else [layout.alpha])]
        picture = picture_of(pixels if len(kept) == image.bands else pixels[..., kept], layout, positive=True)
        pixels, colors, remarks = picture.pixels, picture.colors, remarks + picture.remarks
    elif pixels.shape[-1] > colors + 1:
        raise ValueError(f"{image.bands} channels: a photograph has at most {colors} and transparency")
    return Decoded(pixels, colors, form, icc, orientation, metadata, remarks, pages=pages)


def _decode_heic(path: Path) -> Decoded:
    pixels, info = read_heic(path)
    channels = pixels.shape[-1]
    colors = channels - (channels in (2, 4))
    exif, xmp = (((info[name],) if info.get(name) else ()) for name in ("exif", "xmp"))
    metadata = metadata_of(Parts(exif=exif, xmp=xmp))
    return Decoded(pixels, colors, "heic", info.get("icc_profile"), 1, metadata)


def _full_range(pixels: np.ndarray, depth: int) -> np.ndarray:
    """Codes of `depth` bits in the upper bits of 16, to 0..65535."""
    top = 2**depth - 1
    table = (np.arange(65536) >> (16 - depth)) * 65535 / top
    return (table + 0.5).astype(np.uint16)[pixels]
