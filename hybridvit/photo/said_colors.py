"""Colours that a file states without an ICC profile, as one: PNG's chunks gAMA, cHRM, sRGB and cICP.

W3C, PNG (third edition), 11.3.2 and 4.3 (which of them counts); ITU-T H.273 for cICP's numbers; ICC.1:2010.
"""

import struct
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

import numpy as np

from hybridvit.color.connection import D50, SRGB_XY, primaries_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SRGB_GAMMA = 0.45455  # customary for sRGB, whose curve is no power
SAME_GAMMA, SAME_XY = 0.006, 0.002
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
D65 = SRGB_XY[0]
PRIMARIES = {  # H.273 -> white, red, green, blue
    1: SRGB_XY,
    9: (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # BT.2020
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # DCI-P3
    12: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}
POWERS = {4: 2.2, 5: 2.8, 8: 1.0}  # H.273's transfer -> the exponent from code to light
HDR = {16: "PQ", 18: "HLG"}
MOST_CHUNKS = 1000
LONGEST = 64  # bytes of those that are read


def profile_of_png(file: BufferedIOBase, gray: bool) -> tuple[bytes | None, tuple[str, ...]]:
    """An ICC profile of the colours that a PNG's chunks state, None for sRGB or where it has its own; and remarks.

    Args:
      file: at any place, which is kept.
      gray: whether the pixels are.
    """
    place = file.tell()
    try:
        file.seek(0)
        chunks = dict(_chunks(file)) if file.read(8) == SIGNATURE else {}
    finally:
        file.seek(place)
    code = chunks.get(b"cICP", b"")
    if len(code) == 4:
        return _profile_of_code(code[0], code[1], gray)
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None, ()
    gamma, places = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    numbers = [value / 100_000 for value in struct.unpack(">8I", places)] if len(places) == 32 else None
    return _profile(struct.unpack(">I", gamma)[0] / 100_000 if len(gamma) == 4 else None, numbers, gray), ()


def profile_of_info(info: Mapping[Any, Any], gray: bool) -> bytes | None:
    """The same by what Pillow keeps of such chunks: "gamma", "chromaticity", "srgb"."""
    if "srgb" in info or info.get("icc_profile"):
        return None
    gamma, numbers = info.get("gamma"), info.get("chromaticity")
    return _profile(float(gamma) if gamma else None, list(numbers) if numbers else None, gray)


def _chunks(file: BufferedIOBase) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"IDAT", b"IEND"):
            return
        held = file.read(min(length, LONGEST))
        yield kind, held
        file.seek(length - len(held) + 4, 1)


def _profile_of_code(primaries: int, transfer: int, gray: bool) -> tuple[bytes | None, tuple[str, ...]]:
    if transfer in HDR:
        said = (
            f"it is of high dynamic range ({HDR[transfer]}) and is read as if it were not: convert it first"
        )
        return None, (said,)
    places = PRIMARIES.get(primaries, SRGB_XY)
    curve = (POWERS[transfer],) if transfer in POWERS else SRGB_CURVE
    standard = curve == SRGB_CURVE and (gray or places == SRGB_XY)
    return None if standard else _built(curve, None if gray else primaries_of(*places)), ()


def _profile(gamma: float | None, numbers: list[float] | None, gray: bool) -> bytes | None:
    places = SRGB_XY
    if numbers is not None and not gray:
        places = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    by_srgb = np.abs(np.array(places) - np.array(SRGB_XY)).max() < SAME_XY
    if by_srgb and (gamma is None or abs(gamma - SRGB_GAMMA) < SAME_GAMMA):
        return None
    if gamma is not None and not 0.05 < gamma < 20:  # damaged
        return None
    try:
        return _built(SRGB_CURVE if gamma is None else (1 / gamma,), None if gray else primaries_of(*places))
    except ValueError:  # chromaticities that are none
        return None


def _built(curve: tuple[float, ...], primaries: np.ndarray | None) -> bytes:
    """A display's profile with one parametric curve, and primaries where it is not gray."""
    kind = 0 if len(curve) == 1 else 3
    tone = b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(*curve)
    text = "as its file states".encode("utf-16-be")
    said = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    tags = {b"desc": said, b"cprt": said, b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50)}
    if primaries is None:
        tags[b"kTRC"] = tone
    else:
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True):
            tags[name] = b"XYZ \0\0\0\0" + _fixed(*column)
    table, values, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(values), len(value))
        values += value + b"\0" * (-len(value) % 4)
    space = b"GRAY" if primaries is None else b"RGB "
    head = struct.pack(
        ">I4sI4s4s4s12s4s28x",
        start + len(values),
        b"\0" * 4,
        0x04200000,
        b"mntr",
        space,
        b"XYZ ",
        b"\0" * 12,
        b"acsp",
    )
    return (head + _fixed(*D50)).ljust(128, b"\0") + table + values


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)
