"""JPEG's segments of metadata, in and out: EXIF, XMP with its extension, Photoshop's resources, comments, density.

CIPA DC-008 (EXIF), ISO 16684-3 (XMP and its extension), ITU-T T.871 (JFIF).
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from io import BufferedIOBase

from hybridvit.photo import resources
from hybridvit.photo.packets import split_packet
from hybridvit.photo.parts import Density, Parts, decoded

SEGMENT = 65_533  # bytes that a segment holds
HELD = 2**26  # bytes of segments that are looked at
INCH = 2.54  # cm
EXIF_HEAD, XMP_HEAD = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION_HEAD = b"http://ns.adobe.com/xmp/extension/\0"
JFIF, APP1, APP13, COMMENT = 0xE0, 0xE1, 0xED, 0xFE
RESTING = (0xD8, 0x01, *range(0xD0, 0xD8))  # markers without a length
_PIECE = SEGMENT - len(EXTENSION_HEAD) - 40


def segments_of(file: BufferedIOBase) -> Iterator[tuple[int, bytes]]:
    """Marker and content of those before the pixels that may hold metadata."""
    file.seek(2)
    held = 0
    while held < HELD and (head := file.read(2)):
        if len(head) < 2 or head[0] != 0xFF:
            return
        marker = head[1]
        if marker == 0xFF:  # fill bytes
            file.seek(-1, 1)
            continue
        if marker in RESTING:
            continue
        size = file.read(2)
        if marker in (0xDA, 0xD9) or len(size) < 2:
            return
        content = file.read(struct.unpack(">H", size)[0] - 2) if size > b"\0\1" else b""
        if marker in (JFIF, APP1, APP13, COMMENT):
            held += len(content)
            yield marker, content


def parts_of(segments: Iterable[tuple[int, bytes]]) -> Parts:
    """What the segments hold."""
    exif: list[bytearray] = []
    xmp: list[bytes] = []
    texts: list[tuple[str, str]] = []
    extensions: dict[bytes, list[tuple[int, bytes]]] = {}
    block, density = bytearray(), None
    for marker, content in segments:
        if marker == JFIF and content.startswith(b"JFIF\0") and len(content) >= 12 and density is None:
            density = _density(content)
        elif marker == COMMENT:
            texts.append(("Comment", decoded(content.rstrip(b"\0"))))
        elif marker == APP13 and content.startswith(resources.HEAD):
            block += content.removeprefix(resources.HEAD)
        elif marker == APP1 and content.startswith(EXIF_HEAD):
            content = content.removeprefix(EXIF_HEAD)
            if exif and content[:4] not in (b"II*\0", b"MM\0*"):
                exif[-1] += content  # too long for one segment
            else:
                exif.append(bytearray(content))
        elif marker == APP1 and content.startswith(XMP_HEAD):
            xmp.append(content.removeprefix(XMP_HEAD))
        elif marker == APP1 and content.startswith(EXTENSION_HEAD):
            piece = content.removeprefix(EXTENSION_HEAD)
            if len(piece) > 40:
                place = struct.unpack_from(">I", piece, 36)[0]
                extensions.setdefault(piece[:32], []).append((place, piece[40:]))
    remarks = []
    if xmp:
        for key, pieces in extensions.items():
            whole = b"".join(data for _, data in sorted(pieces))
            if key not in xmp[0]:
                continue
            if hashlib.md5(whole).hexdigest().upper().encode() == key.upper():
                xmp.append(whole)
            else:
                remarks.append("the extension of its XMP packet is damaged and is left out")
    blocks = (bytes(block),) if block else ()
    return Parts(tuple(map(bytes, exif)), tuple(xmp), (), blocks, tuple(texts), density, tuple(remarks))


def _density(jfif: bytes) -> Density | None:
    unit, x, y = struct.unpack_from(">BHH", jfif, 7)
    if 0 in (x, y) or (unit == 0 and x == y == 1):
        return None
    scale = INCH if unit == 2 else 1.0
    return Density(x * scale, y * scale, unit in (1, 2))


def segments(
    exif: bytes,
    xmp: bytes | None,
    block: bytes,
    texts: Sequence[tuple[str, str]],
    density: Density | None,
) -> bytes:
    """The segments that say this, Photoshop's resources as a block; JFIF's first."""
    whole: Iterable[int] = (0, 1, 1)
    if density is not None and density.per_inch:
        whole = 1, *(max(1, min(round(value), 65535)) for value in density[:2])
    elif density is not None:
        whole = 0, *whole_ratio(density, 65535)
    found = [(JFIF, b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, *whole, 0, 0)), (APP1, EXIF_HEAD + exif)]
    if xmp:
        main, extension = split_packet(xmp, SEGMENT - len(XMP_HEAD))
        found.append((APP1, XMP_HEAD + main))
        key = hashlib.md5(extension).hexdigest().upper().encode() if extension else b""
        for at in range(0, len(extension), _PIECE):
            head = EXTENSION_HEAD + key + struct.pack(">II", len(extension), at)
            found.append((APP1, head + extension[at : at + _PIECE]))
    room = SEGMENT - len(resources.HEAD)
    found += [(APP13, resources.HEAD + block[at : at + room]) for at in range(0, len(block), room)]
    found += [(COMMENT, text.encode()[:SEGMENT]) for keyword, text in texts if keyword == "Comment"]
    return b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in found)


def with_segments(head: bytes, added: bytes) -> bytes | None:
    """The beginning of an encoded file with these segments in place of its JFIF; None as long as it is too short."""
    if len(head) < 4:
        return None
    size = 2 + struct.unpack_from(">H", head + b"\0\0", 4)[0] if head[2:4] == b"\xff\xe0" else 0
    return None if len(head) < 2 + size else head[:2] + added + head[2 + size :]


def whole_ratio(density: Density, most: int) -> tuple[int, int]:
    """Two whole numbers, at most `most`, that stand to one another as the density's do."""
    x, y = density[:2]
    if x == round(x) and y == round(y) and max(x, y) <= most:
        return round(x), round(y)
    ratio = Fraction(x / y).limit_denominator(1000)
    return max(1, min(ratio.numerator, most)), ratio.denominator
