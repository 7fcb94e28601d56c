"""From a TIFF file's samples to a picture: positive, gray, RGB or CMYK, and transparency, of 8 or 16 bits.

Lab and YCbCr become sRGB, which then needs no profile. What is no colour and no transparency by the tag ExtraSamples
is left out: scanners put infrared there, image editors masks and spot colours.
"""

import dataclasses
import mmap

import numpy as np
from jaxtyping import Shaped, UInt8, UInt16

from hybridvit.color.connection import lab_to_srgb
from hybridvit.photo import jpeg_2000
from hybridvit.photo.number_range import to_16_bits
from hybridvit.photo.tiff_layout import CIELAB, ICCLAB, JPEG_2000, WHITE_IS_ZERO, YCBCR, Layout
from hybridvit.photo.tiff_samples import read_samples

_STRIP = 1 << 19  # pixels that are held as float at a time
_YCBCR = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])  # ITU-T T.871, full range


@dataclasses.dataclass(frozen=True, eq=False)
class TiffPicture:
    """Pixels `[h, w, c]`, not yet upright: gray (1), sRGB or the profile's RGB (3), CMYK (4), and transparency behind.

    `standard`: whether colours are sRGB already, whatever profile there is; `remarks`: what a user should know.
    """

    pixels: UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]
    colors: int
    standard: bool
    remarks: tuple[str, ...]


def read_tiff(data: bytes | mmap.mmap, layout: Layout) -> TiffPicture:
    """A picture that `layout.is_own`. Raises ValueError for a damaged one, or numbers that are no picture."""
    return picture_of(read_samples(data, layout), layout, positive=False)


def picture_of(samples: Shaped[np.ndarray, "h w k"], layout: Layout, positive: bool) -> TiffPicture:
    """The picture of samples that are colours and, where `layout.alpha` is one, transparency.

    Args:
      samples: numbers of any type.
      layout: of the file.
      positive: by libvips: they are so already, and not multiplied by transparency, whatever the layout says.

    Raises:
      ValueError: numbers that are no picture.
    """
    colors, remarks = layout.colors, ()
    alpha = samples[..., colors:] if samples.shape[-1] > colors else None
    pixels = samples[..., :colors]
    standard = layout.photometric in (YCBCR, CIELAB, ICCLAB) and not positive
    if standard:
        pixels = _converted(pixels, layout)
    elif pixels.dtype not in (np.uint8, np.uint16):
        pixels, remarks = to_16_bits(pixels)
    if layout.photometric == WHITE_IS_ZERO and not positive:
        pixels = np.iinfo(pixels.dtype).max - pixels
    if alpha is not None:
        if alpha.dtype not in (np.uint8, np.uint16):
            alpha, _ = to_16_bits(alpha)
        alpha = _of_type(alpha, pixels.dtype)
        pixels = np.concatenate(
            [_apart(pixels, alpha) if layout.associated and not positive else pixels, alpha], -1
        )
    remarks += said_of_dropped(layout.dropped)
    if layout.compression == JPEG_2000 and layout.depth > 8 and layout.samples > 2 and not layout.separate:
        remarks = (*remarks, jpeg_2000.REMARK)
    return TiffPicture(np.ascontiguousarray(pixels), colors, standard, remarks)


def said_of_dropped(channels: int) -> tuple[str, ...]:
    """The remark on channels that are neither colour nor transparency, if there are any."""
    what = "a channel of it is" if channels == 1 else f"{channels} channels of it are"
    return (
        (f"{what} no transparency (but infrared, a mask, a spot colour) and left out",)
        if channels > 0
        else ()
    )


def _converted(samples: np.ndarray, layout: Layout) -> np.ndarray:
    """Lab to sRGB of 16 bits, YCbCr to RGB of its own depth."""
    depth = np.dtype(np.uint8 if layout.photometric == YCBCR and samples.dtype == np.uint8 else np.uint16)
    out = np.empty(samples.shape, depth)
    step = max(1, _STRIP // samples.shape[1])
    for row in range(0, len(samples), step):
        strip = samples[row : row + step]
        if layout.photometric == YCBCR:
            top, middle = np.iinfo(samples.dtype).max, (np.iinfo(samples.dtype).max + 1) // 2
            rgb = (strip.astype(np.float64) - np.array([0, middle, middle])) @ _YCBCR.T / top
            out[row : row + step] = np.clip(rgb, 0, 1) * np.iinfo(depth).max + 0.5
        else:
            out[row : row + step] = lab_to_srgb(_lab(strip, layout.photometric), layout.white)
    return out


def _lab(samples: np.ndarray, photometric: int) -> np.ndarray:
    """CIE units. TIFF 6.0, section 23; Adobe Photoshop TIFF Technical Notes, ICCLAB."""
    if samples.dtype.kind == "f":
        return np.nan_to_num(samples.astype(np.float64), posinf=0, neginf=0)
    bits = 8 * samples.dtype.itemsize
    fine = 1 << (bits - 8)  # of a unit of a or b
    L, ab = samples[..., :1].astype(np.float64), samples[..., 1:]
    if photometric == ICCLAB:
        white, ab = 255 * fine, ab.astype(np.float64) - 128 * fine
    else:
        white, ab = 2**bits - 1, ab.view(f"i{samples.dtype.itemsize}").astype(np.float64)
    return np.concatenate([L * (100 / white), ab / fine], -1)


def _apart(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours that were multiplied by transparency, as they were before."""
    top = np.iinfo(pixels.dtype).max
    out = np.empty_like(pixels)
    step = max(1, _STRIP // pixels.shape[1])
    for row in range(0, len(pixels), step):
        strip, share = pixels[row : row + step].astype(np.float32), alpha[row : row + step]
        out[row : row + step] = np.minimum(strip * (np.float32(top) / np.maximum(share, 1)) + 0.5, top)
    return out


def _of_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if values.dtype == dtype:
        return values
    wide = values.astype(np.uint32)
    return (wide * 257 if dtype == np.uint16 else (wide * 255 + 32895) >> 16).astype(dtype)
