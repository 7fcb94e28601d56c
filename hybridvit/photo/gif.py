"""GIF's extensions of metadata: XMP and comments.

CompuServe, GIF 89a (1990). ISO 16684-3: XMP stands there as it is, before a trailer for readers of blocks.
"""

from io import BufferedIOBase

from hybridvit.photo.parts import Parts, decoded

LONGEST = 2**24  # bytes of a packet or comment
MOST_BLOCKS, MOST_PACKETS = 2_000_000, 8
TRAILER = bytes([1, *range(255, -1, -1), 0])
IMAGE, EXTENSION, COMMENT, APPLICATION = 0x2C, 0x21, 0xFE, 0xFF


def parts_of_gif(file: BufferedIOBase) -> Parts:
    """What the extensions hold, as far as the file is sound."""
    xmp: list[bytes] = []
    texts: list[tuple[str, str]] = []
    file.seek(6)
    _skip_colors(file, file.read(7)[4:5])
    while kind := file.read(1):
        if kind[0] == IMAGE:
            _skip_colors(file, file.read(9)[8:9])
            file.seek(1, 1)
            _blocks(file, 0)
        elif kind[0] != EXTENSION:
            break
        else:
            label = file.read(1)
            place = file.tell()
            if label == bytes([APPLICATION]) and file.read(12) == b"\x0bXMP DataXMP":
                packet, found, _ = file.read(LONGEST).partition(TRAILER)
                if not found or len(xmp) == MOST_PACKETS:
                    break
                xmp.append(packet)
                file.seek(place + 12 + len(packet) + len(TRAILER))
            else:
                file.seek(place)
                text = _blocks(file, LONGEST if label == bytes([COMMENT]) else 0)
                texts += [("Comment", decoded(text))] if text else []
    return Parts(xmp=tuple(xmp), texts=tuple(texts))


def _skip_colors(file: BufferedIOBase, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 * 2 ** ((flags[0] & 7) + 1), 1)


def _blocks(file: BufferedIOBase, most: int) -> bytes:
    """Goes behind a chain of blocks; its content, up to `most` bytes."""
    content = bytearray()
    for _ in range(MOST_BLOCKS):
        size = file.read(1)
        if not size or size == b"\0":
            break
        if len(content) < most:
            content += file.read(size[0])
        else:
            file.seek(size[0], 1)
    return bytes(content[:most])
