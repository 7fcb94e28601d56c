"""Which of a TIFF file's pictures are photographs: pages, not previews, levels of a pyramid or masks.

A file holds a chain of directories, one a picture, each of which may have further ones below it (SubIFDs: Adobe, TIFF
Technical Note 1, 1995). NewSubfileType says of each whether it is a reduced copy of another or a mask. Only the few
tags that decide this are read; what is damaged is left out, and the decoders have their say on it.
"""

import dataclasses
import io
import struct
from typing import Any

NEW_SUBFILE_TYPE, SUBFILE_TYPE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_IFDS = 254, 255, 256, 257, 262, 330
REDUCED, MASK = 1, 4  # bits of NewSubfileType
OF_A_MASK = 4  # PhotometricInterpretation
OLD_REDUCED = 2  # SubfileType
SMALLER = 1.5  # times: a copy is so much smaller, at least
MOST = 10_000  # directories of a file
LARGEST_ENTRY = 2**16  # entries of a directory, and values of an entry

File = Any  # binary, open for reading; of any kind, as Pillow takes them
_WORDS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # types of unsigned integers


@dataclasses.dataclass(frozen=True)
class TiffEntry:
    """A directory: where it stands, its place in the chain, and below that (-1: it is in the chain itself)."""

    offset: int
    number: int
    below: int
    width: int
    height: int
    reduced: bool
    mask: bool


def tiff_entries(file: File) -> tuple[TiffEntry, ...]:
    """All pictures of a TIFF file, in its order; none if it is no such file, or its first directory is lost."""
    try:
        file.seek(0)
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}[head[:2]]
        version = struct.unpack_from(order + "H", head, 2)[0]
        big = {42: False, 43: True}[version]
        (offset,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    except (KeyError, struct.error):
        return ()
    found: list[TiffEntry] = []
    seen: set[int] = set()
    number = 0
    while offset and offset not in seen and len(seen) < MOST:
        seen.add(offset)
        directory = _read(file, offset, order, big)
        if directory is None:
            break
        tags, following = directory
        found.append(_picture(offset, number, -1, tags))
        for below, inner in enumerate(tags.get(SUB_IFDS, ())):
            if inner in seen or len(seen) >= MOST:
                continue
            seen.add(inner)
            directory = _read(file, inner, order, big)
            if directory is not None:
                found.append(_picture(inner, number, below, directory[0]))
        offset, number = following, number + 1
    return tuple(found)


def photographs(pictures: tuple[TiffEntry, ...]) -> tuple[TiffEntry, ...]:
    """The pages; where a preview stands for one in the chain, the photograph below it.

    A preview says that it is one, or is smaller than what lies below it. Where all are said to be reduced copies, the
    largest one: it is all that there is.
    """
    whole = [picture for picture in pictures if not picture.reduced and not picture.mask]
    above = {picture.number: _area(picture) for picture in whole if picture.below < 0}
    # What lies below a photograph and is no larger is a copy of it, said or not
    below = [one for one in whole if one.below >= 0 and _area(one) > above.get(one.number, -1)]
    replaced = {picture.number for picture in below}
    pages = tuple(one for one in whole if one in below or (one.below < 0 and one.number not in replaced))
    if pages or not pictures:
        return pages
    return (max(pictures, key=lambda picture: (not picture.mask, _area(picture))),)


def may_be_copy(small: TiffEntry, large: TiffEntry) -> bool:
    """Whether one has the shape of the other made smaller, to the rounding of its size."""
    if min(small.width, small.height) < 1 or small.width * SMALLER > large.width:
        return False
    scale = large.width / small.width
    return abs(large.height / scale - small.height) <= 1 + large.height / scale / small.width


def starting_at(data: bytes, picture: TiffEntry) -> bytes:
    """The file with this picture as its first, for readers that know no others."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    at, form = (8, "Q") if big else (4, "I")
    return data[:at] + struct.pack(order + form, picture.offset) + data[at + struct.calcsize(form) :]


def photograph_file(file: File) -> io.BytesIO | None:
    """A file whose first picture is a photograph, where that of `file`, a TIFF, is or may be a preview; else None.

    Of a page and a larger one of its shape it is the larger one, whatever they show: to learn from, it is as good.
    """
    entries = tiff_entries(file)
    pages = photographs(entries)
    if not pages:
        return None
    larger = [page for page in pages if may_be_copy(pages[0], page)]
    page = max(larger, key=_area) if larger else pages[0]
    if page == entries[0]:
        return None
    file.seek(0)
    return io.BytesIO(starting_at(file.read(), page))


def _area(picture: TiffEntry) -> int:
    return picture.width * picture.height


def _picture(offset: int, number: int, below: int, tags: dict[int, list[int]]) -> TiffEntry:
    def value(tag: int) -> int:
        return next(iter(tags.get(tag, ())), 0)

    kind = value(NEW_SUBFILE_TYPE)
    reduced = bool(kind & REDUCED) or value(SUBFILE_TYPE) == OLD_REDUCED
    mask = bool(kind & MASK) or value(PHOTOMETRIC) == OF_A_MASK
    return TiffEntry(offset, number, below, value(WIDTH), value(HEIGHT), reduced, mask)


def _read(file: File, offset: int, order: str, big: bool) -> tuple[dict[int, list[int]], int] | None:
    """Of a directory: the integers of the tags that are looked at, and where the next one stands (0: nowhere)."""
    word = "Q" if big else "I"
    count_form, entry_form = ("Q", "HHQ") if big else ("H", "HHI")
    size = struct.calcsize(order + entry_form + word)
    try:
        file.seek(offset)
        (count,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
        if count > LARGEST_ENTRY:
            return None
        entries = file.read(count * size)
        following = file.read(struct.calcsize(word))
        tags = {}
        for at in range(0, len(entries) - size + 1, size):
            tag, kind, number = struct.unpack_from(order + entry_form, entries, at)
            if tag not in (NEW_SUBFILE_TYPE, SUBFILE_TYPE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_IFDS):
                continue
            if kind not in _WORDS or not 0 < number <= LARGEST_ENTRY:
                continue
            form = f"{order}{number}{_WORDS[kind]}"
            value = entries[at + size - struct.calcsize(word) : at + size]
            if struct.calcsize(form) > len(value):
                file.seek(struct.unpack(order + word, value)[0])
                value = file.read(struct.calcsize(form))
            tags[tag] = list(struct.unpack_from(form, value))
        end = struct.unpack(order + word, following)[0] if len(following) == struct.calcsize(word) else 0
        return tags, end
    except (struct.error, OSError, OverflowError, ValueError):
        return None
