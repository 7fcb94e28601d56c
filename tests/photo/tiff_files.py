"""TIFF files of kinds that no library at hand writes: packed samples, predictors, any tag, any compression."""

import struct
from collections.abc import Sequence

import numpy as np

FORMS = {1: "B", 3: "H", 4: "I", 5: "I", 12: "d"}  # TIFF's types -> of struct
LONGS = (256, 257, 273, 278, 279, 322, 323, 324, 325)


def tiff_of(
    blocks: Sequence[bytes], width: int, height: int, order: str = "<", **tags: int | Sequence[int]
) -> bytes:
    """A file with these strips, or tiles, and tags by number as `t262=1`; rows of a strip are `t278` (all of them)."""
    known = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1}
    known |= {int(name[1:]): value for name, value in tags.items()}
    if 322 not in known:
        known.setdefault(278, height)
    places = (324, 325) if 322 in known else (273, 279)
    known[places[0]], known[places[1]] = [0] * len(blocks), [len(block) for block in blocks]
    values = {}
    for tag, value in known.items():
        kind = 5 if tag in (282, 283, 318) else 4 if tag in LONGS else 3
        if isinstance(value, bytes):
            values[tag] = (7, value)
        else:
            numbers = [int(one) for one in np.atleast_1d(value)]
            values[tag] = (kind, struct.pack(f"{order}{len(numbers)}{FORMS[kind]}", *numbers))
    after = 8 + 2 + 12 * len(values) + 4
    begin = after + sum(len(data) + len(data) % 2 for _, data in values.values() if len(data) > 4)
    offsets = [begin + sum(len(block) for block in blocks[:i]) for i in range(len(blocks))]
    values[places[0]] = (4, struct.pack(f"{order}{len(offsets)}I", *offsets))
    directory, room = struct.pack(f"{order}H", len(values)), b""
    for tag, (kind, data) in sorted(values.items()):
        count = len(data) // {1: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind]
        field = data.ljust(4, b"\0")
        if len(data) > 4:
            field = struct.pack(f"{order}I", after + len(room))
            room += data + b"\0" * (len(data) % 2)
        directory += struct.pack(f"{order}HHI", tag, kind, count) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + directory + b"\0" * 4 + room + b"".join(blocks)


def packed(codes: np.ndarray, bits: int) -> bytes:
    """Rows of numbers of so many bits, each row filled up to a whole byte."""
    places = np.arange(bits - 1, -1, -1)
    rows = codes.reshape(len(codes), -1)
    digits = (rows[..., None].astype(np.int64) >> places & 1).astype(np.uint8).reshape(len(rows), -1)
    return np.packbits(digits, axis=1).tobytes()


def differences(pixels: np.ndarray) -> bytes:
    """Rows `[h, w, c]` as the predictor 2 has them."""
    left = np.concatenate([np.zeros_like(pixels[:, :1]), pixels[:, :-1]], 1)
    return (pixels - left).tobytes()


def float_differences(pixels: np.ndarray) -> bytes:
    """Rows `[h, w, c]` of float32 as the predictor 3 has them (Adobe, TIFF Technical Note 3)."""
    height, width, samples = pixels.shape
    split = pixels.astype(">f4").view(np.uint8).reshape(height, width * samples, 4).swapaxes(1, 2)
    rows = np.ascontiguousarray(split).reshape(height, -1, samples)
    return differences(rows)
