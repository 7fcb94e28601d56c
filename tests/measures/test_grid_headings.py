"""The headings of a picture grid are within their columns, and there is one for each."""

import numpy as np
import pytest

from hybridvit.measures.grid_headings import HEIGHT, PAPER, draw_headings


@pytest.mark.parametrize("side", [32, 128, 256])
@pytest.mark.parametrize("columns", [3, 4])
def test_each_column_has_one(side, columns):
    line = draw_headings(columns, side)
    assert (line.shape, line.dtype) == ((HEIGHT, columns * side, 3), np.uint8)
    inked = (line[..., 0] < PAPER - 50).any(0).reshape(columns, side)
    assert inked.any(1).all()
    assert not inked[:, [0, -1]].any()  # none reaches into the next
