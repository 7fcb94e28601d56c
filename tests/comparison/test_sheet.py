"""The picture sheet."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from hybridvit.comparison.sheet import GAP, TILE, break_label, draw_sheet, read_grid
from hybridvit.evaluate import grid_row


def flat(color: tuple[int, int, int], count: int = 2, size: int = 32) -> np.ndarray:
    return np.full((count, size, size, 3), color, np.uint8)


def test_columns_and_rows_are_where_they_belong():
    colors = [(90, 90, 90), (200, 0, 0), (0, 200, 0), (0, 0, 200)]
    tiles = [flat(color) for color in colors]
    tiles[1][1] = 255  # of the second column, the lower photograph
    sheet = np.asarray(draw_sheet([(name, x) for name, x in zip("abcd", tiles, strict=True)]))
    step = TILE + GAP
    head = len(sheet) - 2 * step
    assert sheet.shape == (head + 2 * step, GAP + 4 * step, 3)
    for column, color in enumerate(colors):
        middle = GAP + column * step + TILE // 2
        assert tuple(sheet[head + TILE // 2, middle]) == color
        assert tuple(sheet[head + step + TILE // 2, middle]) == ((255, 255, 255) if column == 1 else color)
        left = GAP + column * step
        assert (sheet[:head, left : left + TILE] < 128).any()  # its label


def test_pictures_are_enlarged_by_whole_numbers():
    assert draw_sheet([("a", flat((0, 0, 0), 1, 48))]).width == GAP + 144 + GAP
    assert draw_sheet([("a", flat((0, 0, 0), 1, 256))]).width == GAP + 256 + GAP


@pytest.mark.parametrize("label", ["gray", "semi_supervised_vit", "a-long-name with everything", "x" * 60])
def test_labels_fit_their_columns_and_lose_nothing(label):
    font = ImageFont.load_default(14)
    lines = break_label(label, font, 100).split("\n")
    assert max(font.getlength(line) for line in lines) <= 100
    assert "".join(lines).replace(" ", "") == label.replace(" ", "")


@pytest.mark.parametrize("sure", [None, np.ones((4, 4), np.float32)])
def test_a_grid_of_the_evaluation_is_read(tmp_path, sure):
    panels = np.random.default_rng(0).integers(0, 256, (3, 2, 32, 32, 3), np.uint8)
    rows = [grid_row(*(panels[:, i] / np.float32(255)), sure) for i in range(2)]
    Image.fromarray(np.concatenate(rows)).save(tmp_path / "grid.png")
    for found, expected in zip(read_grid(tmp_path / "grid.png", 32), panels, strict=True):
        np.testing.assert_array_equal(found, expected)
