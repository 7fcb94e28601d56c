"""Photoshop's image resources: blocks by number, in JPEG's APP13 segments, TIFF's tag 34377, a raw profile of PNG's.

Adobe, Photoshop File Formats Specification, "Image Resource Blocks".
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

HEAD = b"Photoshop 3.0\0"
SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")
RESOLUTION, IPTC, EXIF, EXIF_MORE, XMP = 0x03ED, 0x0404, 0x0422, 0x0423, 0x0424
PLACED = {*range(0x07D0, 0x0BB7), 0x0408, 0x041A}  # paths, guides, slices: by their places in the picture
# Of the old file's pixels alone: thumbnails, its profile, layers, channels, screens and curves of gray, its compression
STALE = {
    0x0409,
    0x040C,
    0x040F,
    0x0411,
    0x0402,
    0x0400,
    0x0410,
    0x03EE,
    0x03EF,
    0x0415,
    0x041D,
    0x0435,
    0x03F4,
}
STALE |= {0x03F7, 0x03FA, 0x03FB, 0x0406, 0x03FD, 0x0430, 0x043D}


class Resource(NamedTuple):
    """One block."""

    signature: bytes
    number: int
    name: bytes
    data: bytes


def parse(block: bytes) -> list[Resource]:
    """The resources in a block, as far as it is sound."""
    found, at = [], 0
    block = block.removeprefix(HEAD)
    while block[at : at + 4] in SIGNATURES and at + 12 <= len(block):
        signature = block[at : at + 4]
        number, name = struct.unpack_from(">HB", block, at + 4)
        name = block[at + 7 : at + 7 + name]
        at += 6 + (len(name) + 2) // 2 * 2  # of even length, its length byte included
        if at + 4 > len(block):
            break
        (length,) = struct.unpack_from(">I", block, at)
        data = block[at + 4 : at + 4 + length]
        if len(data) < length:
            break
        found.append(Resource(signature, number, name, data))
        at += 4 + length + length % 2
    return found


def pack(resources: Sequence[Resource]) -> bytes:
    """The block of these resources."""
    out = bytearray()
    for signature, number, name, data in resources:
        named = bytes([len(name)]) + name
        named += b"\0" * (len(named) % 2)
        out += signature + struct.pack(">H", number) + named + struct.pack(">I", len(data))
        out += data + b"\0" * (len(data) % 2)
    return bytes(out)


def first(resources: Sequence[Resource], number: int) -> bytes | None:
    """The data of the first one of a number that has any."""
    return next((one.data for one in resources if one.number == number and one.data), None)


def resolution_of(resources: Sequence[Resource]) -> tuple[float, float] | None:
    """Pixels per inch across and down."""
    data = first(resources, RESOLUTION)
    if data is None or len(data) < 16:
        return None
    x, _, _, y = struct.unpack_from(">IHHI", data)
    return x / 65536, y / 65536


def with_resolution(data: bytes, dpi: tuple[float, float]) -> bytes:
    """The resource's data with another resolution, in the units that it is shown in."""
    x, y = (struct.pack(">I", min(round(value * 65536), 2**32 - 1)) for value in dpi)
    return x + data[4:8] + y + data[12:16]
