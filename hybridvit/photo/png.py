"""PNG's chunks of metadata, in and out, wherever they stand: EXIF, XMP, raw profiles, texts, density.

W3C, PNG (third edition). Raw profiles, hexadecimal in a text, are ImageMagick's and older than PNG's chunk for EXIF.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BufferedIOBase

from hybridvit.photo.jpeg import EXIF_HEAD, XMP_HEAD, whole_ratio
from hybridvit.photo.parts import Density, Parts, decoded

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INCH = 0.0254  # m
MOST_CHUNKS = 2_000_000
LONGEST = 2**24  # bytes of a text
HELD = 2**26  # bytes of all texts
XMP_KEYWORD, PROFILE = "XML:com.adobe.xmp", "Raw profile type "
WANTED = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"pHYs")
STALE = ("Thumb::", "exif:Orientation", "tiff:Orientation")  # beginnings of keywords


def chunks_of(file: BufferedIOBase) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of those that may hold metadata, also of those behind the pixels."""
    file.seek(len(SIGNATURE))
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if kind in WANTED:
            content = file.read(length)
            if len(content) < length:
                return
            yield kind, content
            file.seek(4, 1)
        elif kind == b"IEND":
            return
        else:
            file.seek(length + 4, 1)


def parts_of(chunks: Iterator[tuple[bytes, bytes]]) -> Parts:
    """What the chunks hold."""
    exif, texts, density, remarks, held = [], [], None, (), 0
    for kind, content in chunks:
        if kind == b"eXIf":
            exif.append(content)
        elif kind == b"pHYs":
            density = _density(content)
        else:
            keyword, text = _text_of(kind, content) if held < HELD else ("", None)
            held += 0 if text is None else len(text)
            if text is None:
                remarks = ("texts of it that are damaged or too long are left out",)
            else:
                texts.append((keyword, text))
    parts = of_texts([(keyword, decoded(text)) for keyword, text in texts])
    return Parts((*exif, *parts.exif), parts.xmp, parts.iptc, parts.resources, parts.texts, density, remarks)


def of_texts(texts: list[tuple[str, str]]) -> Parts:
    """Texts by keyword: XMP, raw profiles and what is left of them, a text."""
    profiles: dict[str, list[bytes]] = {}
    xmp, rest = [], []
    for keyword, text in texts:
        if keyword == XMP_KEYWORD:
            xmp.append(text.encode())
        elif keyword.startswith(PROFILE):
            profiles.setdefault(keyword.removeprefix(PROFILE).lower(), []).append(_unhexed(text))
        elif not keyword.startswith(STALE):
            rest.append((keyword, text))
    app1 = profiles.get("app1", [])
    exif = [*profiles.get("exif", []), *(block for block in app1 if block.startswith(EXIF_HEAD))]
    packets = [block.removeprefix(XMP_HEAD) for block in app1 if block.startswith(XMP_HEAD)]
    xmp += [*profiles.get("xmp", []), *packets]
    eight = [*profiles.get("8bim", []), *profiles.get("iptc", [])]  # either may hold the other
    records = tuple(block for block in eight if block.startswith(b"\x1c"))
    blocks = tuple(block for block in eight if block and not block.startswith(b"\x1c"))
    return Parts(tuple(filter(None, exif)), tuple(filter(None, xmp)), records, blocks, tuple(rest))


def _density(content: bytes) -> Density | None:
    if len(content) != 9:
        return None
    x, y, unit = struct.unpack(">IIB", content)
    scale = INCH if unit == 1 else 1.0
    return None if 0 in (x, y) else Density(x * scale, y * scale, unit == 1)


def _text_of(kind: bytes, content: bytes) -> tuple[str, bytes | None]:
    """Keyword and text, UTF-8; None for one that cannot be had."""
    keyword, _, rest = content.partition(b"\0")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, rest if name == XMP_KEYWORD else rest.decode("latin-1").encode()
    if kind == b"zTXt":
        text = _inflated(rest[1:])
        return name, text if text is None else text.decode("latin-1").encode()
    packed, (_, _, tail) = rest[:1] == b"\1", rest[2:].partition(b"\0")
    text = tail.partition(b"\0")[2]
    return name, _inflated(text) if packed else text


def _inflated(data: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, LONGEST)
    except zlib.error:
        return None
    return text if inflater.eof else None


def _unhexed(text: str) -> bytes:
    """Of the form: a name, the number of bytes, digits; each on lines of its own."""
    found = re.match(r"\s*[^\n]*\n\s*\d+\s(.*)", text, re.DOTALL)
    try:
        return bytes.fromhex("".join(found[1].split())) if found else b""
    except ValueError:
        return b""


def chunks(
    exif: bytes,
    xmp: bytes | None,
    iptc: bytes | None,
    block: bytes,
    texts: tuple[tuple[str, str], ...],
    density: Density | None,
) -> bytes:
    """The chunks that say this, Photoshop's other resources as a block."""
    found = [(b"eXIf", exif)]
    if density is not None:
        across_down = whole_ratio(density, 2**31 - 1)
        if density.per_inch:
            across_down = tuple(max(1, min(round(value / INCH), 2**31 - 1)) for value in density[:2])
        found.append((b"pHYs", struct.pack(">IIB", *across_down, int(density.per_inch))))
    if xmp:
        found.append((b"iTXt", XMP_KEYWORD.encode() + b"\0\0\0\0\0" + xmp))
    for name, data in (("iptc", iptc), ("8bim", block)):
        if data:
            found.append((b"zTXt", f"{PROFILE}{name}\0\0".encode() + zlib.compress(_hexed(name, data))))
    found += [_chunk_of(keyword, text) for keyword, text in texts]
    return b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in found
    )


def _hexed(name: str, data: bytes) -> bytes:
    digits = data.hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return "\n".join(["", name, f"{len(data):8}", *lines, ""]).encode()


def _chunk_of(keyword: str, text: str) -> tuple[bytes, bytes]:
    name = (keyword.encode("latin-1", "replace").replace(b"\0", b" ")[:79] or b"Comment") + b"\0"
    text = text.replace("\0", " ")
    try:
        return b"zTXt" if len(text) > 1000 else b"tEXt", (
            name + b"\0" + zlib.compress(text.encode("latin-1"))
            if len(text) > 1000
            else name + text.encode("latin-1")
        )
    except UnicodeEncodeError:
        return b"iTXt", name + b"\0\0\0\0" + text.encode()


def with_chunks(head: bytes, added: bytes) -> bytes | None:
    """The beginning of an encoded file with these chunks after the first, without its density; None if too short."""
    kept, at = bytearray(head[: len(SIGNATURE)]), len(SIGNATURE)
    while at + 8 <= len(head):
        length, kind = struct.unpack_from(">I4s", head, at)
        if kind == b"IDAT":
            return bytes(kept) + head[at:]
        end = at + 12 + length
        if end > len(head):
            break
        kept += b"" if kind == b"pHYs" else head[at:end]
        kept += added if kind == b"IHDR" else b""
        at = end
    return None
