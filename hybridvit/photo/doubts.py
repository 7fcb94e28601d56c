"""What is odd about a photograph that was read without an error: one that a reader has got wrong looks so.

A look at some sixty thousand of its pixels. What was found is said, and the photograph coloured all the same.
"""

import numpy as np
from jaxtyping import Int, UInt8, UInt16

Pixels = UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]
LOOKED_AT = 60_000  # pixels
LEVELS = 4096  # of tone
EMPTY = 0.02  # of the range: all of it in so little
DARK = 1 / 16  # of the range: 12 bits in the lower ones of 16
GROUND, MOST_OF_IT = 1 / 8, 0.3  # a negative's: the most frequent tone is so dark, and so frequent
SMALL, OVERHEAD = 250_000, 10  # pixels at most, in a file of so many times their bytes
NEGLIGIBLE = 50_000  # bytes of a file that need no reason


def doubts_about(
    pixels: Pixels,
    alpha: UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"] | None,
    file_size: int,
) -> tuple[str, ...]:
    """Lines about what looks as if it were not read rightly.

    Args:
      pixels: sRGB or gray.
      alpha: 0 is transparent.
      file_size: bytes of the file that are this picture's, without its metadata.
    """
    return (*_of_tones(_counts(pixels)), *_of_transparency(alpha), *_of_size(pixels, file_size))


def _counts(pixels: np.ndarray) -> Int[np.ndarray, "LEVELS"]:
    """How many of some of its pixels have each tone, from black to white."""
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / LOOKED_AT) ** 0.5))
    few = pixels[::step, ::step]
    tones = few.reshape(-1, few.shape[-1]).sum(1, dtype=np.uint32)
    most = few.shape[-1] * np.iinfo(pixels.dtype).max
    return np.bincount(tones * (LEVELS - 1) // most, minlength=LEVELS)


def _of_tones(counts: np.ndarray) -> list[str]:
    below = np.cumsum(counts) / counts.sum()
    low, high = (int(np.searchsorted(below, share)) / (LEVELS - 1) for share in (0.001, 0.999))
    if high <= EMPTY:
        return ["it is all black, or nearly so"]
    if low >= 1 - EMPTY:
        return ["it is all white, or nearly so"]
    if high <= DARK:
        return ["it is very dark: less than 1/16 of its range is used, as by 12 bits that are stored as 16"]
    if high - low <= EMPTY:
        return ["all of it has one tone"]
    coarse = counts.reshape(32, -1).sum(1)
    mode, share = coarse.argmax() / 32, coarse.max() / coarse.sum()
    if mode < GROUND and share > MOST_OF_IT and high > 0.8:
        return ["most of it is dark, with a little that is light: if it is a negative, invert it first"]
    return []


def _of_transparency(alpha: np.ndarray | None) -> list[str]:
    if alpha is None:
        return []
    most = alpha.max()
    if most == 0:
        return ["all of it is transparent"]
    return (
        ["nowhere is it opaque: its transparency may be another channel"]
        if most < np.iinfo(alpha.dtype).max
        else []
    )


def _of_size(pixels: np.ndarray, file_size: int) -> list[str]:
    height, width = pixels.shape[:2]
    if height * width > SMALL or file_size <= OVERHEAD * pixels.nbytes + NEGLIGIBLE:
        return []
    return [f"only {width} x {height} px were found in {file_size / 1e6:.1f} MB of file: it may be a preview"]
