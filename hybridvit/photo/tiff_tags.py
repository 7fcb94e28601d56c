"""TIFF's directories of tags, byte by byte: those of TIFF files, and of EXIF blocks, which are small TIFF files.

Values are not decoded, so that nothing is lost on the way: text of any encoding, maker notes, unknown tags.
Layout: Adobe, TIFF 6.0 (1992); BigTIFF of libtiff; CIPA DC-008 (EXIF) for the directories within the directory.
"""

import dataclasses
import mmap
import struct
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # tags that point to a directory of their own
MAKER_NOTE, FILTERS = 0x927C, 0xA302
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8 = 1, 2, 3, 4, 5, 7, 16
# type -> (bytes of a value, bytes of the words that byte order turns round)
_SIZES = {1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2), 9: (4, 4)}
FORMS = {1: "<B", 3: "<H", 4: "<I", 5: "<II", 8: "<h", 9: "<i", 10: "<ii", 11: "<f", 12: "<d"}  # of numbers
_SIZES |= {10: (8, 4), 11: (4, 4), 12: (8, 8), 13: (4, 4), 16: (8, 8), 17: (8, 8), 18: (8, 8)}


@dataclasses.dataclass(frozen=True)
class Tag:
    """One value or several: their TIFF type, and their bytes, little-endian."""

    type: int
    value: bytes

    @property
    def count(self) -> int:
        """How many values."""
        return len(self.value) // _SIZES[self.type][0]

    def numbers(self) -> list[int]:
        """The values, where they are unsigned integers."""
        return np.frombuffer(self.value, f"<u{_SIZES[self.type][0]}").tolist()


Tags = dict[int, Tag | dict]  # inner directories are Tags again


@dataclasses.dataclass(frozen=True)
class Directory:
    """The first directory of a file or block, and the directories within it.

    `note_at` is where the maker's note stands, as many of them hold addresses counted from the block's start.
    `doubled` are tags that stand there again with another value; the first one counts, as for libtiff.
    """

    tags: Tags
    order: str = "<"
    note_at: int | None = None
    doubled: frozenset[int] = frozenset()


def value_of(tags: Tags, tag: int) -> Tag | None:
    """A tag's value; None where there is none, or a directory in its place."""
    value = tags.get(tag)
    return value if isinstance(value, Tag) else None


def inner_of(tags: Tags, tag: int) -> Tags:
    """The directory that a tag points to; empty where there is none."""
    value = tags.get(tag)
    return value if isinstance(value, dict) else {}


def text(value: str) -> Tag:
    """A text: EXIF says ASCII, and all the world writes UTF-8."""
    return Tag(ASCII, value.encode().replace(b"\0", b"") + b"\0")


def numbers(*values: int, kind: int = SHORT) -> Tag:
    """Unsigned integers of 1, 2, 4 or 8 bytes."""
    return Tag(kind, np.array(values, f"<u{_SIZES[kind][0]}").tobytes())


def rational(value: float) -> Tag:
    """A positive number as a fraction, with at most 10,000 below."""
    fraction = Fraction(value).limit_denominator(10_000)
    return Tag(RATIONAL, struct.pack("<II", min(fraction.numerator, 2**32 - 1), fraction.denominator))


def read_directory(data: bytes | mmap.mmap, at: int | None = None) -> Directory:
    """Reads the first directory of `data` (bytes, or a memory map of a file), or that which stands `at` a place.

    Damaged entries are left out.

    Raises:
      ValueError: not TIFF, or its first directory lies outside of it.
    """
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    version = struct.unpack_from(order + "H", data, 2)[0] if order and len(data) >= 16 else None
    if order is None or version not in (42, 43):
        raise ValueError("not a TIFF structure")
    big = version == 43
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    notes: list[int] = []
    doubled: set[int] = set()
    tags = _read(data, start if at is None else at, order, big, notes, doubled, (EXIF, GPS))
    if tags is None:
        raise ValueError("its directory of tags is cut off")
    return Directory(tags, order, notes[0] if notes else None, frozenset(doubled))


def _read(
    data: bytes | mmap.mmap,
    start: int,
    order: str,
    big: bool,
    notes: list[int],
    doubled: set[int],
    within: tuple[int, ...],
) -> Tags | None:
    count_form, entry_form, word = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    head, size = struct.calcsize(order + count_form), struct.calcsize(order + entry_form) + word
    if start + head > len(data):
        return None
    (count,) = struct.unpack_from(order + count_form, data, start)
    tags: Tags = {}
    for at in range(start + head, min(start + head + count * size, len(data) - size + 1), size):
        tag, kind, number = struct.unpack_from(order + entry_form, data, at)
        if kind not in _SIZES:
            continue
        length, turned = _SIZES[kind]
        place, length = at + size - word, length * number
        if length > word:
            (place,) = struct.unpack_from(order + "IQ"[big], data, place)
        value = bytes(data[place : place + length])
        if len(value) != length:
            continue
        if tag in within:
            target = int.from_bytes(
                value[: 8 if big and length == 8 else 4], "little" if order == "<" else "big"
            )
            inner = (INTEROPERABILITY,) if tag == EXIF else ()
            found = None if tag in tags else _read(data, target, order, big, notes, doubled, inner)
            if found:
                tags[tag] = found
            continue
        if tag in tags:
            if tags[tag] != Tag(kind, _turned_sizes(tag, _turned(value, turned, order), order)):
                doubled.add(tag)
            continue
        if tag == MAKER_NOTE:
            notes.append(place)
        tags[tag] = Tag(kind, _turned_sizes(tag, _turned(value, turned, order), order))
    return tags


def _turned(value: bytes, word: int, order: str) -> bytes:
    """Between little-endian and `order`, in either direction."""
    return value if order == "<" or word == 1 else np.frombuffer(value, f"u{word}").byteswap().tobytes()


def _turned_sizes(tag: int, value: bytes, order: str) -> bytes:
    """Of the tag for a sensor's colour filters, which is bytes for TIFF, but has two numbers in the file's order."""
    return value if tag != FILTERS or order == "<" else value[:4][1::-1] + value[:4][:1:-1] + value[4:]


def pack_directory(
    tags: Tags, start: int, order: str = "<", big: bool = False, placed: Mapping[int, int] | None = None
) -> bytes:
    """The bytes of a directory that will stand at `start` of a file, its values and inner directories after it.

    Args:
      tags: what it holds.
      start: bytes from the file's start, even.
      order: byte order, "<" or ">".
      big: in BigTIFF's form.
      placed: tag -> where its value stands already.
    """
    placed = placed or {}
    count_form, entry_form, word = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    out = bytearray(struct.pack(order + count_form, len(tags)))
    size = struct.calcsize(order + entry_form) + word
    room = bytearray(-(len(out) + len(tags) * size + word) % 2)
    behind = start + len(out) + len(tags) * size + word + len(room)
    values = bytearray()
    for tag, value in sorted(tags.items()):
        here = behind + len(values)
        if isinstance(value, dict):
            values += pack_directory(value, here, order, big, placed)
            value = numbers(here, kind=LONG8 if big else LONG)
            field = _turned(value.value, word, order)
        else:
            field = _turned_sizes(tag, _turned(value.value, _SIZES[value.type][1], order), order)
            if len(field) > word:
                if tag in placed:
                    here = placed[tag]
                else:
                    values += field + b"\0" * (len(field) % 2)
                field = struct.pack(order + "IQ"[big], here)
        out += struct.pack(order + entry_form, tag, value.type, value.count) + field.ljust(word, b"\0")
    return bytes(out + b"\0" * word + room + values)


def pack_block(directory: Directory) -> bytes:
    """A whole EXIF block, the maker's note where it stood."""
    order, note_at = directory.order, directory.note_at
    note = value_of(inner_of(directory.tags, EXIF), MAKER_NOTE)
    head = (b"II*\0" if order == "<" else b"MM\0*") + b"\0\0\0\0"
    placed = {}
    if note is not None and note_at is not None and note_at >= len(head) and len(note.value) > 4:
        head = head.ljust(note_at, b"\0") + note.value
        head += b"\0" * (len(head) % 2)
        placed = {MAKER_NOTE: note_at}
    head = head[:4] + struct.pack(order + "I", len(head)) + head[8:]
    return head + pack_directory(directory.tags, len(head), order, placed=placed)
