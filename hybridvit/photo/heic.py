"""HEIC files, by pillow-heif where it is installed: libvips' wheels come without HEVC, for its licences."""

from pathlib import Path
from typing import Any

import numpy as np

QUALITY = 95
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def read_heic(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    """Pixels `[h, w, 1 | 3 | 4]`, upright, uint8 or full-range uint16, and what Pillow calls their `info`.

    Raises:
      ValueError: pillow-heif is missing, or cannot read it.
    """
    heif = _library()
    try:
        image = heif.open_heif(path, convert_hdr_to_8bit=False)
        pixels = np.asarray(image)
    except (OSError, ValueError, RuntimeError, SyntaxError) as error:
        raise ValueError(f"damaged or cut short ({error})") from error
    depth = image.info["bit_depth"]
    if depth > 8:  # the codec leaves the lowest bits empty
        top = 2**depth - 1
        pixels = ((pixels.astype(np.uint32) >> (16 - depth)) * 65535 + top // 2) // top
        pixels = pixels.astype(np.uint16)
    return pixels.reshape(*pixels.shape[:2], -1), image.info


def write_heic(path: Path, pixels: np.ndarray, exif: bytes, xmp: bytes | None, icc: bytes | None) -> None:
    """Writes uint8 or uint16 `[h, w, 3 | 4]` over `path`; 16 bits become 10 or 12, whatever the codec holds.

    Raises:
      ValueError: pillow-heif is missing.
    """
    heif = _library()
    height, width, channels = pixels.shape
    mode = MODES[channels] + (";16" if pixels.dtype == np.uint16 else "")
    more = {"exif": exif, "xmp": xmp} | ({"icc_profile": icc} if icc else {})
    with path.open("wb") as file:
        heif.encode(mode, (width, height), pixels.tobytes(), file, quality=QUALITY, chroma=444, **more)


def _library() -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise ValueError("HEIC needs pillow-heif: pip install 'hybridvit[heic]'") from error
    return pillow_heif
