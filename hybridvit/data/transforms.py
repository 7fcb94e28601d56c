"""What the host does to a decoded picture: crop, flip, resize, take the gray. uint8 in, uint8 out.

Pictures come as Pillow images of mode "RGB" or "L" (`decode.read_picture`), or of four bands (`pairs`); randomness
comes as numbers drawn elsewhere (`pipeline`), so everything here is a pure function. Nothing else is done on the host:
views, hints and colour spaces are the device's.
"""

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

LUMINANCE = (0.2126729, 0.7151522, 0.0721750)  # CIE Y of linear sRGB primaries, IEC 61966-2-1, D65
CHROMA_SIDE = 64  # px; chroma is judged on the picture reduced to this


def random_square(
    image: Image.Image, draws: Float[np.ndarray, "4"], size: int, crop_scale: tuple[float, float]
) -> UInt8[np.ndarray, "size size c"]:
    """A random square of the picture, resized to `size`; c is 3 for mode "RGB", 1 for "L", 4 for a pair.

    Args:
      image: any size; one smaller than `size` is enlarged.
      draws: four numbers in 0..1: side of the square within `crop_scale`, its place in x and in y, flip if >= 0.5.
      size: px, side of the result.
      crop_scale: range of the square's side, as a share of the shorter side.
    """
    width, height = image.size
    low, high = crop_scale
    side = min(1.0, low + (high - low) * draws[0]) * min(width, height)
    left, top = draws[1] * (width - side), draws[2] * (height - side)
    # Pillow's bicubic widens its kernel with the scale: no aliasing. reducing_gap only speeds up reductions over 6x
    box = (left, top, min(left + side, width), min(top + side, height))
    image = image.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    if draws[3] >= 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _pixels(image)


def center_square(image: Image.Image, size: int) -> UInt8[np.ndarray, "size size c"]:
    """The evaluation view: shorter side to `size` (bicubic, antialiased), then the central square.

    The rounding is that of iColoriT's evaluation: the longer side is rounded, offsets are floored.
    """
    width, height = image.size
    scale = size / min(width, height)
    width, height = max(size, round(width * scale)), max(size, round(height * scale))
    left, top = (width - size) // 2, (height - size) // 2
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    return _pixels(image.crop((left, top, left + size, top + size)))


def cropped_square(image: Image.Image, size: int) -> UInt8[np.ndarray, "size size c"]:
    """The central square, then `size` (bilinear, antialiased): CT2's and DDColor's view of ImageNet val5k."""
    width, height = image.size
    side = min(width, height)
    left, top = round((width - side) / 2), round((height - side) / 2)
    box = (left, top, left + side, top + side)
    # Not resize(box=...): that looks at pixels beyond the box
    return _pixels(image.crop(box).resize((size, size), Image.Resampling.BILINEAR))


def squashed(image: Image.Image, size: int) -> UInt8[np.ndarray, "size size c"]:
    """The whole picture as a square (bilinear, antialiased, as torchvision resizes): Zhang et al. 2017, iColoriT."""
    return _pixels(image.resize((size, size), Image.Resampling.BILINEAR))


def squashed_aliased(image: Image.Image, size: int) -> UInt8[np.ndarray, "size size c"]:
    """The whole picture as a square, between the nearest four pixels only, as OpenCV resizes: DDColor's, ColorFormer's.

    OpenCV's own arithmetic on bytes has 11 bits for a weight: one level apart from this in some pixels.
    """
    pixels = _pixels(image).astype(np.float32)
    for axis in (0, 1):
        last = pixels.shape[axis] - 1
        place = np.clip((np.arange(size) + 0.5) * ((last + 1) / size) - 0.5, 0, last)
        before = place.astype(int)
        share = np.expand_dims((place - before).astype(np.float32), (1 - axis, 2))
        after = pixels.take(np.minimum(before + 1, last), axis)
        pixels = pixels.take(before, axis) * (1 - share) + after * share
    return np.rint(pixels).astype(np.uint8)


EVAL_VIEWS = {  # config.eval.view
    "center": center_square,
    "crop": cropped_square,
    "squash": squashed,
    "squash_aliased": squashed_aliased,
}


def to_gray(pixels: UInt8[np.ndarray, "*b h w c"]) -> UInt8[np.ndarray, "*b h w 1"]:
    """The gray picture of the same CIE luminance, hence of the same L; one that is gray already passes unchanged.

    Of a pair it is the given one.
    Luminance is summed in integers, so every machine gives the same bytes.
    """
    if pixels.shape[-1] == 1:
        return pixels
    if pixels.shape[-1] == 4:
        return pixels[..., 3:]
    red, green, blue = (table[pixels[..., c]] for c, table in enumerate(_LUMINANCE_TABLES))
    return _ENCODE_TABLE[(red + green + blue) >> 8][..., None]


def chroma_percentile(image: Image.Image, percent: float = 99.0) -> float:
    """How colourful the most colourful pixels are: a percentile of CIE ab chroma, 0 for mode "L"; of a pair's colours.

    Judged on the picture reduced to 64 px, so that noise and JPEG's chroma blocks average out.
    """
    from skimage.color import rgb2lab  # here: SciPy's import is not every reader's cost

    if image.mode == "L":
        return 0.0
    scale = min(1.0, CHROMA_SIDE / min(image.size))
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BOX)
    lab = rgb2lab(np.asarray(image, np.float32)[..., :3] / 255)
    return float(np.percentile(np.hypot(lab[..., 1], lab[..., 2]), percent))


def _pixels(image: Image.Image) -> UInt8[np.ndarray, "h w c"]:
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _linear(encoded: np.ndarray) -> np.ndarray:
    """The sRGB decoding, 0..1 to 0..1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


# Luminance in units of 2^-24: a table for each channel, uint8 -> uint32; and the way back from its upper 16 bits.
_LUMINANCE_TABLES = tuple(
    np.round(weight / sum(LUMINANCE) * _linear(np.arange(256) / 255) * (2**24 - 256)).astype(np.uint32)
    for weight in LUMINANCE
)
_ENCODE_TABLE = np.round(_encoded(np.arange(2**16) / (2**16 - 1)) * 255).astype(np.uint8)
