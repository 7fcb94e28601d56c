"""Which pictures of a file are its pages, and what a user must know of those that are none.

Pages are coloured each by itself. Previews, the levels of a pyramid and masks are no pages: what says so is
NewSubfileType, or, where it is silent, that one picture is another one made smaller. Of animations, and of files with
several pictures of other formats, the first picture is coloured, and that is said.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image

from hybridvit.photo.tiff_pages import TiffEntry, may_be_copy, photographs, tiff_entries
from hybridvit.photo.vips import source_of

HEAD = 2**17  # bytes of a JPEG in which its table of further pictures stands
MOST = 500_000_000  # pixels of what a copy is looked for of
SHOWN = 48  # px, longer side, at which a picture and its copy are compared
ALIKE = 0.97  # correlation of a picture and its copy


def pages_of(path: Path) -> tuple[TiffEntry, ...]:
    """The pages of a TIFF file, the first one first; none of another file. Raises OSError if it cannot be opened."""
    with path.open("rb") as file:
        pages = photographs(tiff_entries(file))
    return without_copies(pages, lambda: source_of(path))


def without_copies(
    pages: tuple[TiffEntry, ...], source: Callable[[], pyvips.Source]
) -> tuple[TiffEntry, ...]:
    """Those that are not, by their pixels, another one made smaller; the file is what `source` opens."""
    if len(pages) < 2:
        return pages
    seen: dict[TiffEntry, np.ndarray | None] = {}  # small, by page
    copies = {
        small
        for small in pages
        if any(
            may_be_copy(small, large)
            and large.width * large.height <= MOST
            and _is_copy(source, seen, small, large)
            for large in pages
        )
    }
    return tuple(page for page in pages if page not in copies)


def open_page(source: pyvips.Source, page: TiffEntry | None) -> pyvips.Image:
    """What libvips has of a file, of one page where that is not the first picture."""
    place = {} if page is None or (page.number, page.below) == (0, -1) else {"page": page.number}
    place |= {"subifd": page.below} if page is not None and page.below >= 0 else {}
    return pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error", **place)


def remarks_on_pages(path: Path, form: str, count: int) -> tuple[str, ...]:
    """What is left of a file of which the first picture is coloured.

    Args:
      path: the file.
      form: its format, as libvips' loaders name it: "gifload", ...
      count: of its pictures, as libvips says.
    """
    if form == "pngload":
        count = _frames_of_png(path)
    if form == "jpegload":
        count = _pictures_of_jpeg(path)
        return (f"the first of its {count} pictures is coloured",) if count > 1 else ()
    if count < 2:
        return ()
    if form in ("gifload", "webpload", "pngload") or _is_sequence(path):
        return (f"an animation: the first of its {count} frames is coloured",)
    return (f"the first of its {count} pictures is coloured",)


def _is_copy(
    source: Callable[[], pyvips.Source],
    seen: dict[TiffEntry, np.ndarray | None],
    small: TiffEntry,
    large: TiffEntry,
) -> bool:
    """By their pixels, where both can be read."""
    for page in (small, large):
        if page not in seen:
            seen[page] = _thumbnail(source, page)
    one, other = seen[small], seen[large]
    if one is None or other is None or min(one.std(), other.std()) < 1e-3:
        return False
    return float(np.corrcoef(one, other)[0, 1]) >= ALIKE


def _thumbnail(source: Callable[[], pyvips.Source], page: TiffEntry) -> np.ndarray | None:
    """Its first channel, `SHOWN` px wide and as high, in a row; None where it cannot be read: its reader says why."""
    try:
        image = open_page(source(), page)[0].cast("float")
        small = image.resize(SHOWN / image.width, vscale=SHOWN / image.height, kernel="linear")
        return small.numpy().reshape(-1)
    except pyvips.Error:
        return None


def _frames_of_png(path: Path) -> int:
    """Of an animated PNG: its acTL chunk, which stands before the pixels, counts them."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name == b"acTL" and length >= 4:
                return struct.unpack(">I", file.read(4).ljust(4, b"\0"))[0]
            if name == b"IDAT":
                break
            file.seek(length + 4, 1)
    return 1


def _pictures_of_jpeg(path: Path) -> int:
    """Of a multi-picture JPEG (CIPA DC-007); a gain map is no picture."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if b"MPF\0" not in head or b"hdr-gain-map" in head or b"HDRGainMap" in head or b"iso:ts:21496" in head:
        return 1
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            return getattr(image, "n_frames", 1)
    except Exception:  # a damaged table is no reason to lose the first picture
        return 1


def _is_sequence(path: Path) -> bool:
    """Of AVIF files: whether their pictures are frames."""
    with path.open("rb") as file:
        return b"avis" in file.read(64)
