"""What Pillow does to JPEG 2000 of more than 8 bits: gray keeps 16, colours are reduced to 8, and white ones to 0.

Pillow 12.3.0 adds a half before it cuts off the lower bits, and the sum does not fit into 8 bits: 65408 and more of
65535 become 0. Where there is no 0 there was no such white, and the picture is right but for its depth.
"""

from io import BufferedIOBase

import numpy as np
from jaxtyping import UInt8

HEAD = b"\xff\x4f\xff\x51"  # SOC and SIZ, ITU-T T.800, A.4 and A.5.1
_DEPTH_AT = 42  # bytes from there: of the first component, less one
_LOOKED_AT = 2**24  # bytes: metadata may stand before the codestream
REMARK = "its 16 bits are read as 8, as JPEG 2000 is: convert it to TIFF to keep them"


def depth_of(file: BufferedIOBase | bytes) -> int:
    """Bits of a file's or codestream's first component; 8 where it says none. The file's place is kept.

    Raises:
      ValueError: its numbers have a sign, which Pillow takes for brightness.
    """
    if isinstance(file, bytes):
        content = file[:_LOOKED_AT]
    else:
        place = file.tell()
        file.seek(0)
        content = file.read(_LOOKED_AT)
        file.seek(place)
    at = content.find(HEAD)
    if not 0 <= at < len(content) - _DEPTH_AT:
        return 8
    said = content[at + _DEPTH_AT]
    if said & 0x80:
        raise ValueError("JPEG 2000 of numbers with a sign, which is not read: convert it to TIFF first")
    return (said & 0x7F) + 1


def check_reduced(colors: UInt8[np.ndarray, "h w k"], depth: int) -> None:
    """Raises ValueError if white may have become black in colours that Pillow reduced."""
    if depth > 8 and (colors == 0).any():
        raise ValueError(
            f"JPEG 2000 of {depth} bits in colour, whose white Pillow reads as black: convert it to TIFF"
        )
