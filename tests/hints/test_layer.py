import numpy as np
import pytest

from hybridvit.hints.layer import hints_of_layer


def test_each_patch_is_a_region_of_its_colour():
    rgb, opaque = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30))
    for rows, columns, color in (
        (slice(2, 5), slice(3, 9), (200, 10, 10)),
        (slice(10, 12), slice(20, 29), (200, 10, 10)),
        (slice(5, 7), slice(3, 9), (10, 200, 10)),
    ):
        rgb[rows, columns], opaque[rows, columns] = color, 1
    opaque[2, 3] = 0.4  # a soft edge
    rgb[0, 0] = (1, 2, 3)  # what is under transparency counts for nothing
    hints = hints_of_layer(rgb, opaque, "painted")
    assert [(hint.color, hint.area.left, hint.area.top) for hint in hints] == [
        ("#0ac80a", 3, 5),
        ("#c80a0a", 3, 2),
        ("#c80a0a", 20, 10),
    ]
    assert sum(sum(hint.area.runs[1::2]) for hint in hints) == (opaque >= 0.5).sum()
    assert {hint.source for hint in hints} == {"painted"}
    assert hints_of_layer(rgb, np.zeros_like(opaque)) == []


def test_a_picture_is_no_layer_of_hints():
    rgb = np.arange(900, dtype=np.uint32).view(np.uint8).reshape(30, 30, 4)[..., :3]
    with pytest.raises(ValueError, match="has 900 colours, more than 200: paint patches"):
        hints_of_layer(rgb, np.ones((30, 30)))
