"""Numbers without a declared range, as floats and 32-bit integers are in files, to 16 bits: which of them is white.

Floats come from 0 to 1, 255 or 65535, and a few of them a little outside: resampling, sharpening and a scanner's
calibration overshoot. So the bulk of them decides what white is, not the greatest; what lies outside is cut off.
"""

import numpy as np
from jaxtyping import Float, Integer, UInt16

WHITES = (1.0, 255.0, 65535.0)
BULK = 0.99  # of the values decide
OVERSHOOT = (
    2.0  # times white the bulk of floats may reach; counted to the next white, such a picture would be black
)
FEW = 0.01  # of the values may be negative
NO_NUMBERS = (
    0.5  # of the values may be no numbers, as outside of a stitched or turned picture: they become black
)
BELOW = 0.05  # of white: so little below 0 more of them may lie
_SAMPLE = 4_000_000  # values of larger pictures that are looked at
_STRIP = 1 << 20
_UNUSABLE = "its values are negative or not a number: scale them to 0..1"


def to_16_bits(
    values: Float[np.ndarray, "*shape"] | Integer[np.ndarray, "*shape"], bits: int | None = None
) -> tuple[UInt16[np.ndarray, "*shape"], tuple[str, ...]]:
    """The values from 0 to white as 0..65535, and remarks.

    Args:
      values: `[h, ...]`.
      bits: of the integers in their file, where that is less than their type holds.

    Raises:
      ValueError: much of it is negative or not a number.
    """
    white = _white_of_floats(values) if values.dtype.kind == "f" else _white_of_integers(values, bits)
    out = np.empty(values.shape, np.uint16)
    cut = False
    step = max(1, _STRIP // max(1, values[:1].size))
    for row in range(0, len(values), step):  # a whole picture of float64 would be four times its size
        strip = values[row : row + step].astype(np.float64)
        inside = (strip >= 0) & (strip <= white)
        if not inside.all():
            cut = True
            strip = np.clip(np.nan_to_num(strip, nan=0.0), 0, white)
        out[row : row + step] = strip * (65535 / white) + 0.5
    remark = f"a few of its values lie outside of 0..{white:g}, within which it is read: they are cut off"
    return out, (remark,) if cut else ()


def _white_of_floats(values: Float[np.ndarray, "*shape"]) -> float:
    sample = values.ravel()[:: max(1, values.size // _SAMPLE)]
    finite = sample[np.isfinite(sample)]
    if len(finite) < (1 - NO_NUMBERS) * len(sample):
        raise ValueError(_UNUSABLE)
    low, bulk = (float(value) for value in np.quantile(finite.astype(np.float64), (FEW, BULK)))
    white = next((white for white in WHITES if bulk <= OVERSHOOT * white), bulk)
    if low < -BELOW * white:
        raise ValueError(_UNUSABLE)
    return white


def _white_of_integers(values: Integer[np.ndarray, "*shape"], bits: int | None) -> float:
    bits = bits or 8 * values.dtype.itemsize
    held = 2.0 ** (bits - (values.dtype.kind == "i")) - 1
    if (values < 0).mean() > FEW:
        raise ValueError(_UNUSABLE)
    top = float(values.max())
    return next(white for white in (*WHITES, held, top) if top <= white <= max(held, top))
