"""Boxes of ISO's media files (ISO/IEC 14496-12): the metadata of JPEG 2000, and the EXIF item of AVIF."""

import struct
from collections.abc import Iterator
from io import BufferedIOBase

from hybridvit.photo.parts import Parts

JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
MOST_BOXES = 10_000
LONGEST = 2**26  # bytes of a box that is read
UUIDS = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
    b"JpgTiffExif->JP2": "exif",
}


def boxes_of(file: BufferedIOBase, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and where the content starts and ends, of the boxes between two places of a file."""
    for _ in range(MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        length, kind = struct.unpack_from(">I4s", head)
        body = start + 8
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
            body += 8
        stop = end if length == 0 else start + length
        if stop > end or stop < body:
            return
        yield kind, body, stop
        start = stop


def parts_of_jp2(file: BufferedIOBase) -> Parts:
    """What JPEG 2000's boxes with a UUID hold."""
    found: dict[str, list[bytes]] = {"exif": [], "xmp": [], "iptc": []}
    for kind, start, stop in boxes_of(file, 0, file.seek(0, 2)):
        if kind == b"uuid" and 16 < stop - start <= LONGEST:
            file.seek(start)
            what = UUIDS.get(file.read(16))
            if what is not None:
                found[what].append(file.read(stop - start - 16))
    return Parts(exif=tuple(found["exif"]), xmp=tuple(found["xmp"]), iptc=tuple(found["iptc"]))


def replace_exif(file: BufferedIOBase, exif: bytes) -> None:
    """Gives an AVIF file that has an EXIF item this block, at its end.

    Raises:
      ValueError: it has none, or its items lie elsewhere than in the file.
    """
    size = file.seek(0, 2)
    meta = next((start + 4, stop) for kind, start, stop in boxes_of(file, 0, size) if kind == b"meta")
    inner = {kind: (start, stop) for kind, start, stop in boxes_of(file, *meta)}
    fields = _place_of(file, inner[b"iloc"][0], _exif_item(file, *inner[b"iinf"]))
    content = struct.pack(">I", 6) + b"Exif\0\0" + exif
    file.seek(0, 2)
    file.write(struct.pack(">I4s", 8 + len(content), b"mdat") + content)
    # Its place as the base, as others write it: c2pa-python moves offsets from a base of 0 twice
    base = size + 8 if fields[0][1] >= 4 else 0
    for (at, width), value in zip(fields, (base, size + 8 - base, len(content)), strict=True):
        file.seek(at)
        file.write(value.to_bytes(width))


def _exif_item(file: BufferedIOBase, start: int, stop: int) -> int:
    file.seek(start)
    version = file.read(4)[0]
    for kind, body, _ in boxes_of(file, start + (6 if version == 0 else 8), stop):
        file.seek(body)
        entry = file.read(12)
        if kind == b"infe" and entry[0] == 2 and entry[8:12] == b"Exif":
            return struct.unpack_from(">H", entry, 4)[0]
    raise ValueError("it has no EXIF item")


def _place_of(file: BufferedIOBase, start: int, wanted: int) -> list[tuple[int, int]]:
    """Where the base, offset and length of an item stand, and in how many bytes each."""
    file.seek(start)
    version, sizes, bases = struct.unpack(">B3xBB", file.read(6))
    widths = bases >> 4, sizes >> 4, sizes & 15
    (count,) = struct.unpack(">H", file.read(2))
    for _ in range(count):
        (item,) = struct.unpack(">H", file.read(2))
        method = file.read(2)[1] & 15 if version == 1 else 0
        file.seek(2, 1)
        places = [file.tell()]
        file.seek(widths[0], 1)
        (extents,) = struct.unpack(">H", file.read(2))
        places += [file.tell(), file.tell() + widths[1]]
        if item == wanted:
            if version > 1 or method or extents != 1 or min(widths[1:]) < 4 or (version == 1 and bases & 15):
                raise ValueError("its EXIF item is placed in an unknown way")
            return list(zip(places, widths, strict=True))
        file.seek(extents * sum(widths[1:]), 1)
    raise ValueError("its EXIF item has no place")
