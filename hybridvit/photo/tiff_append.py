"""One TIFF file's picture after those of another: how pages of different sizes, tags and depths come into one file."""

import mmap
import struct
from pathlib import Path
from typing import BinaryIO

from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.metadata import STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES

NEW_SUBFILE_TYPE, PAGE = 254, 2


def append_page(file: BinaryIO, other: Path) -> None:
    """Adds the first picture of `other` to a TIFF file as its last page.

    Args:
      file: open for reading and writing; of the byte order of `other`, and BigTIFF if that is.
      other: a file written by `encode`.
    """
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        order, big, last = _end_of_chain(data)
    with other.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = dict(tags.read_directory(data).tags)
        file.seek(0, 2)
        for offsets, sizes in ((STRIP_OFFSETS, STRIP_SIZES), (TILE_OFFSETS, TILE_SIZES)):
            starts, lengths = (tags.value_of(found, tag) for tag in (offsets, sizes))
            if starts is None or lengths is None:
                continue
            places = []
            for at, size in zip(starts.numbers(), lengths.numbers(), strict=True):
                places.append(file.tell())
                file.write(data[at : at + size])
            found[offsets] = tags.numbers(*places, kind=tags.LONG8 if big else tags.LONG)
    found[NEW_SUBFILE_TYPE] = tags.numbers(PAGE, kind=tags.LONG)
    start = file.tell()
    file.write(b"\0" * (start % 2))
    start += start % 2
    file.write(tags.pack_directory(found, start, order, big))
    file.seek(last)
    file.write(struct.pack(order + ("Q" if big else "I"), start))
    file.seek(0, 2)


def _end_of_chain(data: mmap.mmap) -> tuple[str, bool, int]:
    """Byte order, whether it is BigTIFF, and where the address of the next page belongs."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    count_form, entry, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    at = 8 if big else 4
    while (directory := struct.unpack_from(order + word, data, at)[0]) != 0:
        (count,) = struct.unpack_from(order + count_form, data, directory)
        at = directory + struct.calcsize(order + count_form) + count * entry
    return order, big, at
