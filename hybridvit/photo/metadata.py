"""What a photograph's file says beside its pixels: EXIF, XMP, IPTC, Photoshop's resources, texts, resolution.

Read block by block from the file, from TIFF's own tags, or for WebP and AVIF from libvips' fields, and freed of what
describes the old file alone: its layout, its orientation (the pixels are turned upright), its gray thumbnail.
"""

import dataclasses
import mmap
import struct
from collections.abc import Iterable, Sequence
from io import BufferedIOBase
from pathlib import Path

import pyvips
from PIL import ExifTags

from hybridvit.photo import boxes as photo_boxes
from hybridvit.photo import jpeg as photo_jpeg
from hybridvit.photo import png as photo_png
from hybridvit.photo import resources
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.gif import parts_of_gif
from hybridvit.photo.iptc import records_of
from hybridvit.photo.packets import join_packets
from hybridvit.photo.parts import Density, Parts
from hybridvit.photo.resources import Resource
from hybridvit.photo.tiff_tags import Directory, Tags
from hybridvit.photo.vips import block_of, text_of

INCH = 25.4  # mm
MOST = 8  # blocks of EXIF or packets of XMP that are looked at
SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lay the picture on its side
ORIENTATION, SOFTWARE, IMAGE_HISTORY = 274, 305, 0x9213
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES = 273, 279, 324, 325
XMP, IPTC, PHOTOSHOP, ICC, LAYERS = 700, 33723, 34377, 34675, 37724
# How the old file lays out its pixels; resolution, XMP, IPTC and the profile are kept beside the tags
LAYOUT = {*range(254, 260), *range(262, 267), *range(273, 275), *range(277, 285), *range(288, 294), 296, 301}
LAYOUT |= {
    *range(317, 326),
    330,
    *range(332, 335),
    336,
    *range(338, 343),
    347,
    *range(512, 522),
    *range(529, 533),
}
CREDENTIALS = 52545  # C2PA's: they are of the old file's bytes
LAYOUT |= {XMP, IPTC, PHOTOSHOP, ICC, LAYERS, CREDENTIALS}
# What would make others read the coloured picture as a camera's raw data, or follow addresses that lead nowhere
LAYOUT |= {400, *range(33421, 33423), 37399, *range(50706, 50708), *range(50710, 50735), *range(50737, 50741)}
EMBEDDED = (resources.IPTC, resources.EXIF, resources.EXIF_MORE, resources.XMP)
COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 0xA001, 0xA002, 0xA003


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What is kept; None: the file has none.

    Attributes:
      exif: tags, without those of the old file's pixels.
      xmp: the packet.
      iptc: IIM records.
      dpi: horizontal, vertical, of the upright picture.
      aspect: the same where it has no unit, so that only their ratio says something.
      resources: of Photoshop's, those that are kept and are no IPTC.
      texts: keyword and text, of PNG's texts and comments.
      orientation: EXIF's.
      remarks: what a user should know, a line each.
    """

    exif: Directory | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    aspect: tuple[float, float] | None = None
    resources: tuple[Resource, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    orientation: int = 1
    remarks: tuple[str, ...] = ()

    @property
    def density(self) -> Density | None:
        """Resolution or aspect."""
        found = self.dpi or self.aspect
        return found and Density(*found, self.dpi is not None)


def read_metadata(image: pyvips.Image, path: Path, at: int | None = None) -> Metadata:
    """The metadata of a file that libvips has opened, not yet upright; a TIFF's page has its directory `at` a place.

    Raises:
      ValueError: a TIFF file whose pixels lie beyond its end.
    """
    if text_of(image, "vips-loader").startswith("tiff"):
        return metadata_of_tiff(_read_tiff(path, at))
    with path.open("rb") as file:
        parts = read_parts(file)
    if parts is None:  # WebP and AVIF, which libvips reads as they are
        blocks = (block_of(image, name) for name in ("exif-data", "xmp-data"))
        exif, xmp = (() if block is None else (block,) for block in blocks)
        parts = Parts(exif=exif, xmp=xmp)
    return metadata_of(parts)


def read_parts(file: BufferedIOBase) -> Parts | None:
    """What a JPEG, PNG, JPEG 2000 or GIF file holds; None of another."""
    file.seek(0)
    head = file.read(12)
    if head.startswith(b"\xff\xd8"):
        return photo_jpeg.parts_of(photo_jpeg.segments_of(file))
    if head.startswith(photo_png.SIGNATURE):
        return photo_png.parts_of(photo_png.chunks_of(file))
    if head == photo_boxes.JP2_SIGNATURE:
        return photo_boxes.parts_of_jp2(file)
    if head.startswith(b"GIF8"):
        return parts_of_gif(file)
    return None


def metadata_of(parts: Parts, directory: Directory | None = None) -> Metadata:
    """What is kept of a file's parts, and of a TIFF file's own `directory`."""
    blocks = [one for block in parts.resources for one in resources.parse(block)]
    inside = [resources.first(blocks, number) for number in (resources.EXIF, resources.EXIF_MORE)]
    # Photoshop's own copies count where there are no others
    packets = parts.xmp or tuple(filter(None, [resources.first(blocks, resources.XMP)]))
    xmp, remarks = join_packets([packet.strip(b"\0") for packet in packets[:MOST] if packet.strip(b"\0")])
    directories = [] if directory is None else [directory]
    directories += _directories(parts.exif[:MOST] or filter(None, inside))
    exif, more = _join(directories)
    iptc = next((found for found in map(records_of, (*parts.iptc, *parts.resources)) if found), None)
    kept = [one for one in blocks if one.number not in (*resources.STALE, *EMBEDDED)]
    density = next((found for found in map(_density_of, directories) if found), None) or parts.density
    if density is None and (dpi := resources.resolution_of(blocks)):
        density = Density(*dpi, per_inch=True)
    dpi = plausible_dpi(*density[:2]) if density and density.per_inch else None
    aspect = _plausible_aspect(*density[:2]) if density and not density.per_inch else None
    said = (*parts.remarks, *remarks, *more)
    turned = exif and exif.tags.get(ORIENTATION)
    orientation = int(_number(turned) or 1) if turned else 1
    exif = exif and clean_exif(exif)
    return Metadata(exif, xmp, iptc, dpi, aspect, tuple(kept), parts.texts, orientation, said)


def metadata_of_tiff(directory: Directory) -> Metadata:
    """What is kept of a TIFF file's directory."""
    found = {
        tag: value.value
        for tag in (XMP, IPTC, PHOTOSHOP)
        if isinstance(value := directory.tags.get(tag), tags.Tag)
    }
    xmp, iptc, block = (((found[tag],) if tag in found else ()) for tag in (XMP, IPTC, PHOTOSHOP))
    return metadata_of(Parts(xmp=xmp, iptc=iptc, resources=block), directory)


def _directories(blocks: Iterable[bytes]) -> list[Directory]:
    found = []
    for block in blocks:
        try:
            found.append(tags.read_directory(block.removeprefix(b"Exif\0\0")))
        except ValueError:  # damaged EXIF, of which there is much, is no reason to lose the picture
            continue
    return found


def _join(directories: Sequence[Directory]) -> tuple[Directory | None, tuple[str, ...]]:
    """One with the tags of all, the first one's where several have one; and remarks on what is not in it."""
    if not directories:
        return None, ()
    first, *others = directories
    joined, lost = dict(first.tags), {tag for one in directories for tag in one.doubled}
    for other in others:
        for tag, value in other.tags.items():
            mine = joined.setdefault(tag, value)
            if isinstance(mine, dict) and isinstance(value, dict):
                lost |= {inner for inner in mine.keys() & value if mine[inner] != value[inner]}
                joined[tag] = {**value, **mine}
            elif mine != value:
                lost.add(tag)
    lost -= {*LAYOUT, COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT, RESOLUTION_UNIT}
    note_at = next((one.note_at for one in directories if one.note_at is not None), None)
    names = ", ".join(_name_of(tag) for tag in sorted(lost))
    remarks = (f"its EXIF says {names} twice, and differently: the first is kept",) if names else ()
    return dataclasses.replace(first, tags=joined, note_at=note_at), remarks


def _name_of(tag: int) -> str:
    return ExifTags.TAGS.get(tag) or f"tag {tag}"


def _density_of(directory: Directory) -> Density | None:
    x, y = (_number(directory.tags.get(tag)) for tag in (X_RESOLUTION, Y_RESOLUTION))
    if not x or not y:
        return None
    unit = directory.tags.get(RESOLUTION_UNIT)
    unit = unit.numbers()[:1] if isinstance(unit, tags.Tag) and unit.type == tags.SHORT else [2]
    factor = {2: 1.0, 3: INCH / 10}.get(*unit) if unit else 1.0  # per inch, per centimetre
    if factor is None:
        return Density(x, y, per_inch=False)
    # libvips writes 1 px/mm where none is given
    unknown = abs(x * factor - INCH) + abs(y * factor - INCH) < 0.01
    return None if unknown else Density(x * factor, y * factor, per_inch=True)


def _number(tag: tags.Tag | dict | None) -> float | None:
    """The first value of a tag of any number's type; None where there is none."""
    if not isinstance(tag, tags.Tag) or tag.type not in tags.FORMS or not tag.count:
        return None
    form = tags.FORMS[tag.type]
    above, *below = struct.unpack_from(form, tag.value)
    below = below[0] if below else 1
    return above / below if below else None


def plausible_dpi(x: float, y: float) -> tuple[float, float] | None:
    """The resolution, unless it is a damaged field's."""
    return (x, y) if min(x, y) >= 1 and max(x, y) <= 100_000 else None


def _plausible_aspect(x: float, y: float) -> tuple[float, float] | None:
    return (x, y) if min(x, y) > 0 and max(x, y) < 2**31 and 0.01 <= x / y <= 100 else None


def clean_exif(directory: Directory) -> Directory | None:
    """Without what describes the old file; None where nothing is left."""
    kept: Tags = {tag: value for tag, value in directory.tags.items() if tag not in LAYOUT}
    inner = {
        tag: value
        for tag, value in tags.inner_of(kept, tags.EXIF).items()
        if tag not in (COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT)
    }
    kept.pop(tags.EXIF, None)
    if inner:
        kept[tags.EXIF] = inner
    return dataclasses.replace(directory, tags=kept, doubled=frozenset()) if kept else None


def turned_upright(metadata: Metadata, orientation: int) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata of the picture turned upright, and remarks on what does not go with it."""
    metadata = dataclasses.replace(metadata, orientation=1)
    if orientation not in range(2, 9):
        return metadata, ()
    if orientation in SWAPPED:
        dpi, aspect = (pair and pair[::-1] for pair in (metadata.dpi, metadata.aspect))
        metadata = dataclasses.replace(metadata, dpi=dpi, aspect=aspect)
    kept = tuple(one for one in metadata.resources if one.number not in resources.PLACED)
    if len(kept) == len(metadata.resources):
        return metadata, ()
    remarks = ("it is turned upright; Photoshop's paths, guides and slices of it are not, and are left out",)
    return dataclasses.replace(metadata, resources=kept), remarks


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
        **tags.inner_of(old.tags, tags.EXIF),
        COLOR_SPACE: tags.numbers(1 if srgb else 0xFFFF),
        PIXEL_WIDTH: tags.numbers(width, kind=tags.LONG),
        PIXEL_HEIGHT: tags.numbers(height, kind=tags.LONG),
    }
    inner.setdefault(0x9000, tags.Tag(tags.UNDEFINED, b"0232"))
    new = {**old.tags, ORIENTATION: tags.numbers(1), tags.EXIF: inner}
    for tag, addition in ((SOFTWARE, software), (IMAGE_HISTORY, history)):
        new[tag] = _with_addition(tags.value_of(old.tags, tag), addition)
    if metadata.dpi:
        new[X_RESOLUTION], new[Y_RESOLUTION] = map(tags.rational, metadata.dpi)
        new[RESOLUTION_UNIT] = tags.numbers(2)
    return dataclasses.replace(old, tags=new)


def _with_addition(old: tags.Tag | None, addition: str) -> tags.Tag:
    before = old.value.rstrip(b"\0 ") if old is not None and old.type == tags.ASCII else b""
    new = addition.encode().replace(b"\0", b"")
    if new in before:
        return tags.Tag(tags.ASCII, before + b"\0")
    return tags.Tag(tags.ASCII, (before + b"; " if before else b"") + new + b"\0")


def _read_tiff(path: Path, at: int | None) -> Directory:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        directory = tags.read_directory(data, at)
        end = len(data)
    for offsets, sizes in ((STRIP_OFFSETS, STRIP_SIZES), (TILE_OFFSETS, TILE_SIZES)):
        starts, lengths = (tags.value_of(directory.tags, tag) for tag in (offsets, sizes))
        if starts and lengths:
            places = zip(starts.numbers(), lengths.numbers(), strict=False)
            # libvips leaves tiles that it cannot read black
            if any(start + length > end for start, length in places):
                raise ValueError("the file is cut short")
    return directory
