"""The picture sheet: a row a photograph, a column a system, the gray picture first and the truth last."""

import pathlib
import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

Tiles = UInt8[np.ndarray, "n s s 3"]

TILE = 128  # px, least side of a tile: smaller pictures are enlarged by a whole number
GAP = 4
FONT_SIZE = 18
PAPER, INK = (255, 255, 255), (30, 30, 30)


def read_grid(path: pathlib.Path, size: int) -> tuple[Tiles, Tiles, Tiles]:
    """What was given, what was predicted and the truth, from a `grid.png` of `hybridvit.evaluate`."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    pixels = pixels[len(pixels) % size :]  # below the headings
    rows = pixels.reshape(len(pixels) // size, size, -1, size, 3).swapaxes(1, 2)  # [n, panels, s, s, 3]
    return rows[:, 0], rows[:, 1], rows[:, 2]


def draw_sheet(columns: Sequence[tuple[str, Tiles]]) -> Image.Image:
    """The sheet of some columns, each with its label over it. All have the same number of tiles of one size."""
    count, size = columns[0][1].shape[:2]
    side = size * max(1, -(-TILE // size))
    font = ImageFont.load_default(FONT_SIZE)
    labels = [break_label(label, font, side) for label, _ in columns]
    line = FONT_SIZE + 3
    head = line * max(label.count("\n") + 1 for label in labels) + 2 * GAP
    step = side + GAP
    sheet = Image.new("RGB", (GAP + step * len(columns), head + step * count), PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, (label, (_, tiles)) in enumerate(zip(labels, columns, strict=True)):
        left = GAP + column * step
        draw.multiline_text(
            (left + side / 2, head - GAP), label, INK, font, anchor="md", align="center", spacing=3
        )
        for row, tile in enumerate(tiles):
            image = Image.fromarray(tile).resize((side, side), Image.Resampling.BICUBIC)
            sheet.paste(image, (left, head + row * step))
    return sheet


def break_label(label: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The label in lines that fit the width, broken after spaces, underscores and hyphens, else anywhere."""
    lines = [""]
    for part in re.findall(r"[^ _-]+[ _-]*", label):
        if lines[-1] and font.getlength((lines[-1] + part).rstrip()) > width:
            lines.append("")
        for letter in part:
            if lines[-1] and font.getlength((lines[-1] + letter).rstrip()) > width:
                lines.append("")
            lines[-1] += letter
    return "\n".join(line.rstrip() for line in lines)
