"""One picture file, whatever it holds, to an 8-bit sRGB picture: the door through which every pixel enters.

In: a path or the bytes of a JPEG, PNG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM/PGM or AVIF file. Out: a Pillow image of
mode "RGB" or "L" (`read_picture`), or uint8 `[h, w, 3]` / `[h, w, 1]` (`decode_image`): upright, in sRGB, on white.

Pillow is the only decoder, but for TIFF: some of them it reads wrongly, many not, and `tiff_pixels` reads all that are
not JPEG, fax or a palette. OpenCV decodes a 192 px JPEG 1.3 times faster (5,000 against 3,900 a second), but knows no
ICC profile and rounds otherwise, and a batch must not depend on what else is installed.
"""

import functools
import io
import os
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from absl import logging
from jaxtyping import UInt8, UInt16
from PIL import Image, ImageCms, UnidentifiedImageError

from hybridvit.photo import jpeg_2000
from hybridvit.photo.number_range import to_16_bits
from hybridvit.photo.other_formats import LOOKED_AT, refusal_of
from hybridvit.photo.said_colors import profile_of_png
from hybridvit.photo.tiff_layout import HEADS, read_layout
from hybridvit.photo.tiff_pages import photograph_file
from hybridvit.photo.tiff_pixels import read_tiff

MIN_SIDE = 16  # px; a picture thinner than this has nothing to learn from
ORIENTATION_TAG = 0x0112
# EXIF orientation -> what makes the picture upright
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImageError(ValueError):
    """A picture that cannot be used; the message is one line that says why (the caller adds which)."""


def decode_image(source: str | os.PathLike | bytes, min_side: int = 0) -> UInt8[np.ndarray, "h w c"]:
    """Decodes a picture to uint8 `[h, w, 3]`, or `[h, w, 1]` where the file itself is grayscale.

    Args:
      source: path of a file, or its bytes.
      min_side: px; if positive, a JPEG may come reduced by 2, 4 or 8, its sides never below this: several times
        faster for large photographs, as the decoder skips the finer frequencies.

    Raises:
      UnreadableImageError: corrupt, truncated, no picture, thinner than 16 px, or too large to decode safely.
    """
    pixels = np.asarray(read_picture(source, min_side))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def read_picture(source: str | os.PathLike | bytes, min_side: int = 0) -> Image.Image:
    """As `decode_image`, but a loaded Pillow image of mode "RGB" or "L"."""
    try:
        with open_source(source) as named:
            if refusal := refusal_of(named.read(LOOKED_AT)):
                raise UnreadableImageError(refusal)
            file = photograph_file(named) or named
            file.seek(0)
            image, profile, orientation = _of_tiff(file) or _by_pillow(file, min_side)
            return _upright(_to_srgb(_without_alpha(image), profile), orientation)
    except UnreadableImageError:
        raise
    # Damaged files make decoders raise nearly anything: OSError, SyntaxError, struct.error, KeyError, MemoryError, ...
    except Exception as error:
        raise UnreadableImageError(_reason(source, error)) from error


def open_source(source: str | os.PathLike | bytes) -> BufferedIOBase:
    """The source as a file. By its name Pillow would map some TIFF into memory, and scramble them."""
    return io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


def _of_tiff(file: BufferedIOBase) -> tuple[Image.Image, bytes | None, int] | None:
    """The image of 8 bits, its profile and its orientation; None of what Pillow is to read."""
    head = file.read(4)
    file.seek(0)
    if head not in HEADS:
        return None
    data = file.read()
    file.seek(0)
    try:
        layout = read_layout(data)
    except ValueError:  # Pillow says what is wrong
        return None
    if layout.refusal:
        raise UnreadableImageError(layout.refusal)
    if not layout.is_own:
        if not layout.is_plain:
            raise UnreadableImageError(layout.not_read)
        return None
    _check_size(layout.width, layout.height)
    picture = read_tiff(data, layout)
    pixels = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = _reduced(pixels)
    if picture.colors == 4:  # Pillow has no CMYK with transparency
        pixels = pixels[..., :4]
    mode = "CMYK" if picture.colors == 4 else ("L", "LA", "RGB", "RGBA")[pixels.shape[-1] - 1]
    image = Image.frombytes(mode, (layout.width, layout.height), np.ascontiguousarray(pixels).tobytes())
    return image, None if picture.standard else layout.icc, layout.orientation


def _by_pillow(file: BufferedIOBase, min_side: int) -> tuple[Image.Image, bytes | None, int]:
    with Image.open(file, formats=_formats()) as image:
        _check_size(*image.size)
        if min_side:
            image.draft(None, (min_side, min_side))
        profile = image.info.get("icc_profile")
        if image.format == "PNG" and not profile:
            profile, _ = profile_of_png(file, image.mode in ("1", "L", "LA", "I", "I;16"))
        depth = jpeg_2000.depth_of(file) if image.format == "JPEG2000" else 8
        image.load()
        if depth > 8 and image.mode in ("RGB", "RGBA"):
            jpeg_2000.check_reduced(np.asarray(image)[..., :3], depth)
        return _to_8_bit(image), profile, _orientation(image)


def _check_size(width: int, height: int) -> None:
    if min(width, height) < MIN_SIDE:
        raise UnreadableImageError(f"{width} x {height} px is too small to learn from")
    if width * height > 2 * (Image.MAX_IMAGE_PIXELS or width * height):
        raise Image.DecompressionBombError


@functools.cache
def _formats() -> tuple[str, ...]:
    """Formats of photographs that this Pillow knows: others (EPS starts Ghostscript) stay closed."""
    Image.init()
    wanted = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM", "AVIF")
    return tuple(name for name in wanted if name in Image.OPEN)


def _reason(source: str | os.PathLike | bytes, error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6} megapixels: reduce it first"
    if isinstance(error, UnidentifiedImageError):
        size = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        return "no picture of a known format" if size else "an empty file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit, 32-bit and float grayscale to "L" by its range; other modes pass."""
    if image.mode == "1":
        return image.convert("L")
    if not (image.mode.startswith("I;16") or image.mode in ("I", "F")):
        return image
    values = np.asarray(image)
    deep = image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM"))
    values = values.astype(np.uint16) if deep else to_16_bits(values)[0]
    return Image.fromarray(_reduced(values))


def _reduced(values: UInt16[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _without_alpha(image: Image.Image) -> Image.Image:
    """Resolves palettes, and lays transparent pictures on white."""
    if image.has_transparency_data:
        gray = image.mode in ("L", "LA", "La")
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("L" if gray else "RGB")
    return image.convert("RGB") if image.mode == "P" else image


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Applies the embedded ICC profile, if there is a sound one, and goes to mode "RGB" or "L"."""
    gray = image.mode == "L"
    transform = _srgb_transform(profile, image.mode) if profile else None
    if transform is not None:
        image = ImageCms.applyTransform(image, transform)
    return image.convert("L" if gray else "RGB")


@functools.lru_cache(maxsize=64)
def _srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The colour transform from an embedded profile; None for sRGB itself and for a broken profile."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return None
        # Of gray, LittleCMS makes a table of 33 steps, which is coarse near black
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        logging.debug("an embedded ICC profile of mode %s was ignored: %s", mode, error)
        return None


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # damaged EXIF, of which there is much, is no reason to lose the picture
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image
