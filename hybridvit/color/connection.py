"""Colours of ICC's connection space, relative to the white D50, and sRGB: Lab as files store it, primaries, white.

In numpy and float64, for files; the model's own Lab is `color.lab`. ICC.1:2010, annex D; white is adapted by Bradford's
matrix, ICC.1:2010, annex E.
"""

import numpy as np
from jaxtyping import Float, UInt16

D50 = np.array([0.9642, 1.0, 0.8249])  # XYZ
SRGB_D50 = np.array(  # XYZ of sRGB's primaries, adapted to D50, in the columns
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
SRGB_LUMINANCE = np.array([0.212671, 0.715160, 0.072169])  # relative to its own white, D65; as in `color.lab`
SRGB_XY = ((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))  # white, red, green, blue
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def encoded(light: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """sRGB's code, 0..1, of linear light (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def decoded(code: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Linear light of sRGB's codes, both 0..1."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def adapted(white: Float[np.ndarray, "3"], to: Float[np.ndarray, "3"] = D50) -> Float[np.ndarray, "3 3"]:
    """What takes XYZ relative to one white to XYZ relative to another."""
    scale = (_BRADFORD @ to) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ (scale[:, None] * _BRADFORD)


def xyz_of(x: float, y: float) -> Float[np.ndarray, "3"]:
    """XYZ, of Y = 1, of a chromaticity."""
    return np.array([x / y, 1.0, (1 - x - y) / y])


def primaries_of(
    white: tuple[float, float],
    red: tuple[float, float],
    green: tuple[float, float],
    blue: tuple[float, float],
) -> Float[np.ndarray, "3 3"]:
    """XYZ of primaries given by their chromaticities, adapted to D50, in the columns.

    Raises:
      ValueError: chromaticities that no light has, or that lie on a line.
    """
    places = (white, red, green, blue)
    if not all(0 <= x <= 1 and 0 < y <= 1 for x, y in places):
        raise ValueError("chromaticities that no light has")
    columns = np.stack([xyz_of(*place) for place in (red, green, blue)], -1)
    if abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError("primaries on a line")
    of_white = xyz_of(*white)
    return adapted(of_white) @ (columns * np.linalg.solve(columns, of_white))


def lab_to_srgb(
    lab: Float[np.ndarray, "*shape 3"], white: tuple[float, float] | None = None
) -> UInt16[np.ndarray, "*shape 3"]:
    """sRGB, 16 bit, of CIE Lab relative to the white of this chromaticity, or D50; cut off where out of the gamut."""
    L, a, b = (lab[..., i] for i in range(3))
    y = (L + 16) / 116
    responses = np.stack([y + a / 500, y, y - b / 200], -1)
    relative = np.where(responses > 6 / 29, responses**3, (responses - 4 / 29) * 3 * (6 / 29) ** 2)
    of_white = D50 if white is None else xyz_of(*white)
    # D50 as its chromaticity is written in files is not to tint what is gray
    matrix = np.linalg.inv(SRGB_D50) @ np.diag(SRGB_D50.sum(1) / D50) @ adapted(of_white) @ np.diag(of_white)
    light = np.clip(relative @ matrix.T, 0, 1)
    return (encoded(light) * 65535 + 0.5).astype(np.uint16)
