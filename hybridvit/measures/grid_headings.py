"""What stands over the columns of a picture grid."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 14  # px; less than a picture's side, so that what is over a whole number of pictures is the heading
HEADINGS = ("given", "predicted", "truth", "sure: white")
PAPER, INK = 255, 30


def draw_headings(columns: int, side: int) -> UInt8[np.ndarray, "14 width 3"]:
    """The line over `columns` pictures of `side` px, smaller where they are small."""
    line = Image.new("L", (columns * side, HEIGHT), PAPER)
    draw = ImageDraw.Draw(line)
    fonts = [ImageFont.load_default(size) for size in range(11, 2, -1)]
    fitting = [font for font in fonts if max(map(font.getlength, HEADINGS)) < side]
    font = (fitting or fonts[-1:])[0]
    for i, heading in enumerate(HEADINGS[:columns]):
        draw.text((i * side + side / 2, HEIGHT / 2), heading, INK, font, anchor="mm")
    return np.repeat(np.asarray(line)[..., None], 3, -1)
