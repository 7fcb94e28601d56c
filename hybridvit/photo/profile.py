"""ICC profiles: pixels to sRGB and back.

Profiles of matrix and tone curves (nearly all of RGB, and gray ones) are computed here, in float32 by strips of rows:
lcms interpolates 16-bit pixels in a table of 33 steps, which changes L* by up to 0.6. Profiles that are tables
themselves (CMYK, scanners) go through libvips and lcms. Intent: relative colorimetric. ICC.1:2010, sections 8 and 10.
"""

import dataclasses
import functools
import itertools
import struct
from typing import Any

import numpy as np
import pyvips
from jaxtyping import Float, Float32, UInt8, UInt16

from hybridvit.color.connection import SRGB_D50, SRGB_LUMINANCE, decoded, encoded
from hybridvit.photo.vips import set_block

Pixels = UInt8[np.ndarray, "h w c"] | UInt16[np.ndarray, "h w c"]
STRIP = 1 << 20  # pixels that are held as float at a time
FINE = 1 << 20  # steps of linear light in tables: one of them is 0.001 L* at black
SAME = 0.75 / 255  # two profiles are one if no colour differs by more
CLIPPED = 3 / 255  # rounded primaries cut off so much of the purest colours


@dataclasses.dataclass(frozen=True, eq=False)
class MatrixProfile:
    """Tone curves `[c, 65536]` from encoded 0..1 to linear 0..1, and the primaries `[3, 3]` (gray: none)."""

    curves: Float32[np.ndarray, "c 65536"]
    primaries: Float[np.ndarray, "3 3"] | None

    @functools.cached_property
    def codes(self) -> list[UInt16[np.ndarray, "_"]]:
        """From linear light in `FINE` steps to each channel's code, 16 bit."""
        light, code = np.linspace(0, 1, FINE + 1), np.linspace(0, 1, 65536)
        return [_rounded(np.interp(light, np.maximum.accumulate(curve), code)) for curve in self.curves]


def space_of(icc: bytes) -> str:
    """'RGB', 'GRAY', 'CMYK', ...; empty for what is no profile."""
    return icc[16:20].decode("latin-1").strip() if len(icc) > 132 and icc[36:40] == b"acsp" else ""


@functools.lru_cache(maxsize=8)
def matrix_profile(icc: bytes) -> MatrixProfile | None:
    """The profile as curves and a matrix; None where it is another kind, or broken."""
    try:
        (count,) = struct.unpack_from(">I", icc, 128)
        table = [struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(min(count, 100))]
        tags = {name: icc[at : at + size] for name, at, size in table}
        if icc[20:24] != b"XYZ " or b"A2B0" in tags:
            return None
        if space_of(icc) == "GRAY":
            return MatrixProfile(_curve(tags[b"kTRC"])[None], None)
        columns = [
            [v / 65536 for v in struct.unpack_from(">3i", tags[n], 8)] for n in (b"rXYZ", b"gXYZ", b"bXYZ")
        ]
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
        primaries = np.array(columns).T
        np.linalg.inv(primaries)
        return MatrixProfile(curves, primaries)
    except (KeyError, IndexError, struct.error, ValueError, np.linalg.LinAlgError):
        return None


def _curve(tag: bytes) -> Float32[np.ndarray, "65536"]:
    """A curveType or parametricCurveType, sampled."""
    x = np.linspace(0, 1, 65536)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count < 2:
            y = x ** (struct.unpack_from(">H", tag, 12)[0] / 256 if count else 1.0)
        else:
            y = np.interp(x, np.linspace(0, 1, count), np.frombuffer(tag, ">u2", count, 12) / 65535)
    elif tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        names = ("g", "gab", "gabc", "gabcd", "gabcdef")[kind]
        values = struct.unpack_from(f">{len(names)}i", tag, 12)
        p = dict.fromkeys("gabcdef", 0.0) | {"a": 1.0}
        p |= {name: v / 65536 for name, v in zip(names, values, strict=True)}
        if kind in (1, 2):  # below -b/a: the constant that kind 2 calls c
            p |= {"d": -p["b"] / p["a"], "c": 0.0, "e": p["c"], "f": p["c"]}
        curved = np.maximum(p["a"] * x + p["b"], 0) ** p["g"] + p["e"]
        y = np.where(x >= p["d"], curved, p["c"] * x + p["f"])
    else:
        raise ValueError("no curve")
    return np.clip(y, 0, 1).astype(np.float32)


def is_srgb(icc: bytes) -> bool:
    """Whether it is sRGB, or gray with sRGB's curve, under whatever name; differences below 0.75 of 255 apart."""
    profile = matrix_profile(icc)
    if profile is None:
        return False
    cube = _cube(1 if profile.primaries is None else 3)
    return _difference(to_srgb(cube, profile), cube) <= SAME


@functools.lru_cache(maxsize=8)
def holds_srgb(icc: bytes) -> bool:
    """Whether every sRGB colour can be written in this profile and be read back."""
    if space_of(icc) != "RGB":
        return False
    cube = _cube(3)
    try:
        there = from_srgb(cube, icc, np.dtype(np.uint16))
        profile = matrix_profile(icc)
        back = to_srgb(there, profile) if profile else by_table(there, icc)
    except pyvips.Error:
        return False
    return _difference(back, cube) <= CLIPPED


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, to embed."""
    return bytes(pyvips.Image.profile_load("srgb"))


def to_srgb(pixels: Pixels, profile: MatrixProfile) -> UInt16[np.ndarray, "h w c"]:
    """Pixels of that profile in sRGB; gray ones (one channel) stay gray. Raises ValueError: it is a profile of gray."""
    steps = 256 if pixels.dtype == np.uint8 else 65536
    curves = profile.curves[:, :: 65535 // (steps - 1)]
    if pixels.shape[-1] == 1:
        light = curves[0] if profile.primaries is None else profile.primaries[1] @ curves
        return _rounded(encoded(np.clip(light, 0, 1)))[pixels]
    matrix = np.linalg.inv(SRGB_D50) @ _primaries(profile)
    return _through(pixels, curves, matrix, [_srgb_codes()] * 3)


def from_srgb(rgb: Pixels, icc: bytes, dtype: np.dtype) -> Pixels:
    """sRGB pixels in an RGB profile, as uint8 or uint16.

    Raises:
      pyvips.Error: lcms cannot go from sRGB to this profile.
      ValueError: it is a gray one.
    """
    profile = matrix_profile(icc)
    if profile is None:
        image = as_image(rgb).icc_import(input_profile="srgb", intent="relative").copy()
        set_block(image, "icc-profile-data", icc)
        return image.icc_export(depth=8 * dtype.itemsize, intent="relative").numpy()
    steps = 256 if rgb.dtype == np.uint8 else 65536
    curves = np.broadcast_to(decoded(np.linspace(0, 1, steps)).astype(np.float32), (3, steps))
    matrix = np.linalg.inv(_primaries(profile)) @ SRGB_D50
    return to_depth(_through(rgb, curves, matrix, profile.codes), dtype)


def _primaries(profile: MatrixProfile) -> Float[np.ndarray, "3 3"]:
    if profile.primaries is None:
        raise ValueError("a profile of gray holds no colours")
    return profile.primaries


def with_lightness_of_d50(rgb: Pixels) -> UInt16[np.ndarray, "h w 3"]:
    """sRGB whose lightness by its profile is what it was by sRGB's own definition.

    Profiles speak of colours adapted to D50, where blue is darker and red lighter than relative to sRGB's D65: L* of
    the same pixel differs by up to 3, and not at all where it is gray.
    """
    steps = 256 if rgb.dtype == np.uint8 else 65536
    curve = decoded(np.linspace(0, 1, steps)).astype(np.float32)
    before = SRGB_LUMINANCE.astype(np.float32)
    after = (SRGB_D50[1] / SRGB_D50[1].sum()).astype(np.float32)
    codes = _srgb_codes()
    out = np.empty(rgb.shape, np.uint16)
    for rows in _strips(rgb):
        light = curve[rgb[rows]]
        wanted = light @ before
        light *= (wanted / np.maximum(light @ after, 1e-9))[..., None]
        most = light.max(-1)
        # What has become too light for one of its channels goes towards the gray of its lightness
        share = np.where(most > 1, (1 - wanted) / np.maximum(most - wanted, 1e-9), 1)
        light = wanted[..., None] + share[..., None] * (light - wanted[..., None])
        out[rows] = codes[np.clip(light * FINE + 0.5, 0, FINE).astype(np.int32)]
    return out


def by_table(pixels: Pixels, icc: bytes | None) -> UInt16[np.ndarray, "h w k"]:
    """Pixels to sRGB by lcms; gray ones stay gray.

    Args:
      pixels: gray, RGB or CMYK.
      icc: their profile; None: libvips' own one for CMYK.

    Raises:
      pyvips.Error: a broken profile, or one of another colour space.
    """
    cmyk = pixels.shape[-1] == 4
    image = as_image(pixels, "cmyk" if cmyk else None)
    source: dict[str, Any] = {"input_profile": "cmyk"}
    if icc is not None:
        set_block(image, "icc-profile-data", icc)
        source = {"embedded": True}
    # The ink's black is the screen's black, as viewers show it
    result = image.icc_transform("srgb", depth=16, intent="relative", black_point_compensation=cmyk, **source)
    return result[: 1 if pixels.shape[-1] == 1 else 3].numpy().reshape(*pixels.shape[:2], -1)


def as_image(pixels: Pixels, kind: str | None = None) -> pyvips.Image:
    """The array as libvips' image, without a copy where it is contiguous."""
    height, width, channels = pixels.shape
    form = {1: "uchar", 2: "ushort"}[pixels.dtype.itemsize]
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(pixels).data, width, height, channels, form)
    names = {"uchar": ("b-w", "srgb"), "ushort": ("grey16", "rgb16")}[form]
    return image.copy(interpretation=kind or names[channels > 2])


def to_depth(pixels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Full range to full range, 8 to 16 bits or back, rounded; the array itself where it is so already."""
    if pixels.dtype == dtype:
        return pixels
    out = np.empty(pixels.shape, dtype)
    for rows in _strips(pixels):
        strip = pixels[rows].astype(np.uint32)
        out[rows] = strip * 257 if dtype == np.uint16 else (strip * 255 + 32895) >> 16
    return out


@functools.cache
def _srgb_codes() -> UInt16[np.ndarray, "_"]:
    """From linear light in `FINE` steps to sRGB, 16 bit."""
    return _rounded(encoded(np.linspace(0, 1, FINE + 1)))


def _through(
    pixels: Pixels,
    curves: Float32[np.ndarray, "3 _"],
    matrix: Float[np.ndarray, "3 3"],
    codes: list[UInt16[np.ndarray, "_"]],
) -> UInt16[np.ndarray, "h w 3"]:
    """Curves, matrix, and the inverse curves as tables over linear light."""
    out = np.empty(pixels.shape, np.uint16)
    matrix = (matrix.T * FINE).astype(np.float32)
    for rows in _strips(pixels):
        light = np.stack([curves[c][pixels[rows, :, c]] for c in range(3)], -1) @ matrix
        place = np.clip(light + 0.5, 0, FINE).astype(np.int32)
        for c in range(3):
            out[rows, :, c] = codes[c][place[..., c]]
    return out


def _strips(pixels: np.ndarray) -> list[slice]:
    step = max(1, STRIP // max(1, pixels.shape[1]))
    return [slice(row, row + step) for row in range(0, len(pixels), step)]


def _cube(channels: int) -> UInt16[np.ndarray, "h 1 c"]:
    steps = np.linspace(0, 65535, 9 if channels == 3 else 257).astype(np.uint16)
    return np.array(list(itertools.product(steps, repeat=channels)), np.uint16)[:, None]


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.float64) - b).max()) / 65535


def _rounded(values: Float[np.ndarray, "_"]) -> UInt16[np.ndarray, "_"]:
    return (values * 65535 + 0.5).astype(np.uint16)
