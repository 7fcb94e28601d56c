"""Every tag that ExifTool writes into twelve kinds of files, through the colorizer and back: what is kept, what not.

    python -m tests.metadata_table        # writes the table of docs/files-metadata.md

Needs exiftool (Debian: libimage-exiftool-perl). Each file is filled with all tags of EXIF, XMP, IPTC, Photoshop's
resources, PNG's texts and comments that its container takes, read as `hybridvit colorize` does, and written.
"""

import functools
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import tifffile
from PIL import Image

from hybridvit.photo.photo import read_photo, write_photo

DOCS = pathlib.Path(__file__).parent.parent / "docs" / "files-metadata.md"
BEGIN, END = "<!-- round trip: begin -->", "<!-- round trip: end -->"
VALUES = {"digits": "20010203", "date": "2001:02:03 04:05:06", "boolean": "True", "?": "1", "undef": "0123"}
VALUES |= dict.fromkeys(("string", "lang-alt"), "Żółty 1912")
VALUES |= dict.fromkeys(("float", "double", "real", "rational", "rational64u", "rational64s"), "1.5")
GROUPS = ("EXIF", "XMP", "IPTC", "Photoshop", "PNG", "GIF", "JPEG")
# Group and name -> why it is not as it was: the first that fits
REASONS = (
    (r"(IFD0|XMP-xmp):Software", "hybridvit adds itself"),
    (
        r"XMP-iptcExt:DigitalSourceType",
        "says what the colours are; the old value is kept as `original_source_type`",
    ),
    (r"IFD1:.*|XMP-xmp:Thumbnail.*", "thumbnails, which show the gray picture"),
    (r"XMP-GCamera:.*", "films and maps behind the gray picture"),
    (r"XMP-xmpNote:HasExtendedXMP", "of JPEG's extension of XMP, which is put together and written anew"),
    (
        r".*:([XY]Resolution|ResolutionUnit|PixelUnits|PixelsPerUnit[XY])",
        "the same resolution in another unit",
    ),
    (r"File:Comment", "GIF's comment or JPEG's, which becomes a text of PNG's or XMP's UserComment"),
    (
        r"(IFD0|XMP-tiff):.*|(ExifIFD|XMP-exif):(ColorSpace|ExifImage.*)|XMP-photoshop:.*",
        "the old pixels' layout",
    ),
    (r"(JFIF|Adobe|GIF|PNG|Jpeg2000|QuickTime):.*", "the old file's container"),
)


class Kind(NamedTuple):
    """A kind of file: its name in the table, its suffix, and that of the result."""

    name: str
    suffix: str
    result: str


KINDS = (
    Kind("JPEG", ".jpg", ".jpg"),
    Kind("JPEG, CMYK, on its side", ".jpeg", ".jpeg"),
    Kind("TIFF, little-endian", ".tif", ".tif"),
    Kind("TIFF, big-endian, 16 bit", ".tiff", ".tiff"),
    Kind("JPEG, to PNG", ".to.jpg", ".to.png"),
    Kind("PNG", ".png", ".png"),
    Kind("PNG, EXIF as a raw profile", ".raw.png", ".raw.png"),
    Kind("WebP", ".webp", ".webp"),
    Kind("AVIF", ".avif", ".avif"),
    Kind("JPEG 2000, to PNG", ".jp2", ".jp2.png"),
    Kind("GIF, to PNG", ".gif", ".gif.png"),
    Kind("TIFF, to JPEG", ".to.tif", ".tif.jpg"),
)


def assignments() -> list[str]:
    """An ExifTool argument for each tag, by the tables of the exiftool that is there."""
    # It says of some groups that they have no tags, and exits with 1
    listed = subprocess.run(["exiftool", "-listx", "-s", "-f"], capture_output=True, check=False)
    found = {}
    for table in ElementTree.fromstring(listed.stdout):
        for tag in table:
            said = {**table.attrib, **tag.attrib}
            flags = set(said.get("flags", "").split(","))
            if (
                said["g0"] not in GROUPS
                or said["writable"] != "true"
                or flags & {"Unsafe", "Binary", "Permanent"}
            ):
                continue
            value = VALUES.get(said["type"], "3")
            if said["type"] in ("string", "undef", "digits") and said.get("count", "0").isdigit():
                value = value[: int(said.get("count", 0)) or None]
            found.setdefault(f"-{said['g1']}:{said['name']}", value)
    return [f"{name}={value}" for name, value in found.items()] + ["-Comment=Żółty 1912"]


def draw(kind: Kind, folder: pathlib.Path) -> pathlib.Path:
    """A small gray picture of that kind, without metadata."""
    path = folder / f"photo{kind.suffix}"
    pixels = np.tile(np.arange(48, dtype=np.uint8) * 5, (32, 1))
    image = Image.fromarray(pixels)
    if "CMYK" in kind.name:
        image = image.convert("RGB").convert("CMYK")
    if "TIFF" not in kind.name:
        image.save(path, format={".jpeg": "JPEG", ".jp2": "JPEG2000"}.get(path.suffix))
    else:
        deep = pixels.astype(np.uint16) * 257 if "16" in kind.name else pixels
        order = ">" if "big-endian" in kind.name else "<"
        tifffile.imwrite(path, deep, photometric="minisblack", byteorder=order, metadata=None)
    return path


def fill(paths: list[pathlib.Path]) -> None:
    """Writes all tags into the files; what a file cannot hold is left out by ExifTool."""
    packet = paths[0].with_name("all.xmp")
    xmp, others = [], []
    for said in assignments():
        (xmp if said.startswith("-XMP") else others).append(said)
    jpegs = [path for path in paths if path.suffix.startswith(".jp") and path.suffix != ".jp2"]
    # XMP tag by tag takes seconds a file; as a block it is too long for a JPEG's segment, so that one has several
    _write(xmp, [packet, jpegs[0]])
    _write([f"-XMP<={packet}"], [path for path in paths if path not in jpegs])
    segments = xmp_segments(jpegs[0].read_bytes())
    for path in jpegs[1:]:
        data = path.read_bytes()
        path.write_bytes(data[:2] + segments + data[2:])
    _write(others, paths)


def _write(arguments: list[str], paths: list[pathlib.Path]) -> None:
    options = ["-q", "-q", "-m", "-n", "-overwrite_original", "-charset", "iptc=UTF8"]
    with tempfile.NamedTemporaryFile("w", suffix=".args", encoding="utf-8") as file:
        print(*arguments, sep="\n", file=file, flush=True)
        # Of values that a tag does not take it warns, and exits with 1
        subprocess.run(["exiftool", *options, "-@", file.name, *paths], check=False, capture_output=True)


def xmp_segments(data: bytes) -> bytes:
    """Those of a JPEG that hold XMP and its extension."""
    at, out = 2, b""
    while data[at + 1] != 0xDA:  # the scan begins
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 4 :].startswith((b"http://ns.adobe.com/xap/", b"http://ns.adobe.com/xmp/extension/")):
            out += data[at : at + length]
        at += length
    return out


def turn(path: pathlib.Path) -> None:
    """Lays a picture on its side by its EXIF."""
    subprocess.run(["exiftool", "-q", "-n", "-overwrite_original", "-IFD0:Orientation=6", path], check=True)


def exif_to_raw_profile(path: pathlib.Path) -> None:
    """PNG's chunk of EXIF into a text, as ImageMagick has it."""
    data, at, out = path.read_bytes(), 8, b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk, at = data[at : at + 12 + length], at + 12 + length
        if kind == b"eXIf":
            block = b"Exif\0\0" + chunk[8:-4]
            digits = block.hex()
            lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
            text = f"\nexif\n{len(block):8}\n{lines}\n".encode()
            body = b"zTXtRaw profile type exif\0\0" + zlib.compress(text)
            chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        out += chunk
    path.write_bytes(out)


def tags_of(paths: list[pathlib.Path]) -> list[dict[str, str]]:
    """Group and name -> value, as ExifTool sees them, without what it says of the file and its pixels."""
    said = subprocess.run(
        ["exiftool", "-j", "-a", "-G1", "-n", *paths], capture_output=True, check=True
    ).stdout
    groups = ("System", "ExifTool", "Composite", "ICC")
    return [
        {
            name: str(value)
            for name, value in one.items()
            if ":" in name
            and not name.startswith(groups)
            and (name.partition(":")[0] != "File" or "Comment" in name)
        }
        for one in json.loads(said)
    ]


class Found(NamedTuple):
    """Of one kind: how many tags there were, how many are as they were, and the others, by name."""

    kind: Kind
    tags: int
    kept: int
    changed: dict[str, tuple[str, str | None]]


@functools.cache
def round_trip() -> tuple[Found, ...]:
    """Makes, fills, reads, writes and compares a file of each kind."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = [draw(kind, folder) for kind in KINDS]
        fill(paths)
        for kind, path in zip(KINDS, paths, strict=True):
            if "side" in kind.name:
                turn(path)
            if "raw profile" in kind.name:
                exif_to_raw_profile(path)
        results = [folder / f"result{kind.result}" for kind in KINDS]
        for path, result in zip(paths, results, strict=True):
            photo = read_photo(path)
            deep = photo.pixels.dtype.type
            rgb = np.zeros((*photo.pixels.shape[:2], 3), deep)
            write_photo(result, rgb, photo, {"software": "hybridvit"})
        pairs = zip(KINDS, tags_of(paths), tags_of(results), strict=True)
        return tuple(_compared(kind, before, after) for kind, before, after in pairs)


def _compared(kind: Kind, before: dict[str, str], after: dict[str, str]) -> Found:
    changed = {name: (value, after.get(name)) for name, value in before.items() if after.get(name) != value}
    return Found(kind, len(before), len(before) - len(changed), changed)


def reason_of(name: str) -> str | None:
    """Why a tag is not as it was; None: it should be."""
    return next((reason for pattern, reason in REASONS if re.fullmatch(pattern, name)), None)


def version() -> str | None:
    """Of the exiftool that is there; None: there is none."""
    if shutil.which("exiftool") is None:
        return None
    return subprocess.run(["exiftool", "-ver"], capture_output=True, text=True, check=True).stdout.strip()


def rendered() -> str:
    """The table and the list, as they stand between the marks in the docs."""
    lines = [
        f"With ExifTool {version()}, by `python -m tests.metadata_table`:",
        "",
        "| file | tags | as they were | on purpose otherwise | lost |",
        "|---|--:|--:|--:|--:|",
    ]
    names: dict[str, set[str]] = {}
    for found in round_trip():
        lost = [name for name in found.changed if reason_of(name) is None]
        meant = len(found.changed) - len(lost)
        lines.append(f"| {found.kind.name} | {found.tags} | {found.kept} | {meant} | {len(lost)} |")
        for name in found.changed:
            names.setdefault(reason_of(name) or "lost", set()).add(name)
    lines += ["", "| not as they were | why |", "|---|---|"]
    order = [reason for _, reason in REASONS] + ["lost"]
    for reason in sorted(names, key=order.index):
        groups: dict[str, list[str]] = {}
        for name in sorted(names[reason]):
            group, _, tag = name.partition(":")
            groups.setdefault(group, []).append(tag)
        said = "; ".join(f"{group}: {', '.join(tags)}" for group, tags in groups.items())
        lines.append(f"| {said} | {reason} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """The page with what is between its marks as it is now."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n{rendered()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    if version() is None:
        sys.exit("exiftool is missing: apt-get install libimage-exiftool-perl")
    DOCS.write_text(written(DOCS.read_text(encoding="utf-8")), encoding="utf-8")
