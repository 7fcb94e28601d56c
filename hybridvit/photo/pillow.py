"""What a Pillow image's file says beside its pixels.

While Pillow has the file open, it is read as by its path. Afterwards, and of copies, what Pillow has kept counts.
"""

import mmap
import warnings
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import IO, Any

from PIL import Image, ImageFile

from hybridvit.photo import jpeg as photo_jpeg
from hybridvit.photo import png as photo_png
from hybridvit.photo import resources
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.metadata import (
    IPTC,
    ORIENTATION,
    PHOTOSHOP,
    XMP,
    Metadata,
    metadata_of,
    metadata_of_tiff,
    read_parts,
)
from hybridvit.photo.parts import Density, Parts, decoded
from hybridvit.photo.resources import Resource


def orientation_of(image: Image.Image) -> int:
    """EXIF's, not yet applied."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF, of which there is much, is no reason to lose the picture
        return 1


def metadata_of_pillow(image: Image.Image) -> Metadata:
    """What is kept of the image's file, see `metadata`."""
    file = getattr(image, "fp", None) if isinstance(image, ImageFile.ImageFile) else None
    try:
        found = _of_file(file, image) if file is not None else None
    except (AttributeError, OSError, ValueError):  # it is closed, no whole file, or damaged
        found = None
    return found or metadata_of(_kept(image))


def _of_file(file: BufferedIOBase, image: Image.Image) -> Metadata | None:
    place = file.tell()
    try:
        if image.format != "TIFF":
            parts = read_parts(file)
            return parts and metadata_of(parts)
        if image.tell():  # another page: the tags are others
            return None
        with mapped(file) as data:
            return metadata_of_tiff(tags.read_directory(data))
    finally:
        file.seek(place)


def mapped(file: BufferedIOBase | IO[bytes]) -> Any:
    """The whole file in memory, mapped where it is a file of the disk."""
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError, AttributeError):  # it is in memory
        file.seek(0)
        whole = mmap.mmap(-1, max(file.seek(0, 2), 1))
        file.seek(0)
        whole.write(file.read())
        return whole


def _kept(image: Image.Image) -> Parts:
    """The parts as Pillow keeps them."""
    info = image.info
    found = photo_jpeg.parts_of(_segments(image))
    texts = [(name, text) for name, text in getattr(image, "text", info).items() if _is_text(name, text)]
    named = photo_png.of_texts(texts)
    rest = named.texts if hasattr(image, "text") else ()
    xmp = [value.encode() if isinstance(value, str) else value for value in [info.get("xmp")] if value]
    numbered = info.get("photoshop")
    block = ()
    if isinstance(numbered, dict) and not found.resources:
        kept = [(number, data) for number, data in numbered.items() if isinstance(data, bytes)]
        block = (resources.pack([Resource(b"8BIM", number, b"", data) for number, data in kept]),)
    tiff = getattr(image, "tag_v2", {})
    iptc, more, packet = ((_bytes(tiff[tag]),) if tag in tiff else () for tag in (IPTC, PHOTOSHOP, XMP))
    comment = info.get("comment")
    comments = () if not comment or found.texts else (("Comment", _words(comment)),)
    return Parts(
        exif=_exif(image, named.exif),
        xmp=found.xmp or (*xmp, *named.xmp) or packet,
        iptc=(*iptc, *named.iptc),
        resources=(*found.resources, *block, *more, *named.resources),
        texts=(*found.texts, *rest, *comments),
        density=found.density or _density(info),
    )


def _segments(image: Image.Image) -> Iterator[tuple[int, bytes]]:
    for name, content in getattr(image, "applist", ()):
        yield 0xFE if name == "COM" else 0xE0 + int(name.removeprefix("APP")), content


def _exif(image: Image.Image, named: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The blocks as they were read, or else one as Pillow knows it."""
    read = (*filter(None, [image.info.get("exif")]), *named)
    if read:
        return read
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = image.getexif()
            return (known.tobytes(),) if known else ()
    except Exception:  # damaged
        return ()


def _density(info: Mapping[Any, Any]) -> Density | None:
    # Pillow says 72 dpi of a JPEG whose EXIF says nothing of it, and 1 of a TIFF file that says nothing
    of_jpeg = "exif" in info and info.get("jfif_unit") not in (1, 2)
    invented = {"dpi": [(72, 72)] if of_jpeg else []}
    for name, per_inch in (("dpi", True), ("aspect", False), ("resolution", False)):
        value = info.get(name)
        if value and value not in [(1, 1), *invented.get(name, [])]:
            x, y = map(float, value)
            return Density(x, y, per_inch) if x > 0 and y > 0 else None
    return None


def _is_text(name: Any, text: Any) -> bool:
    return isinstance(name, str) and isinstance(text, str)


def _bytes(value: Any) -> bytes:
    """Of a tag's value, which Pillow gives as one of several types."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple) and all(isinstance(one, int) for one in value):  # records as 32-bit numbers
        return b"".join(one.to_bytes(4, "little") for one in value)
    return b""


def _words(comment: bytes | str) -> str:
    return comment if isinstance(comment, str) else decoded(comment)
