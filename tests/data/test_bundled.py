"""The photographs of the scikit-image wheel, and that the held-out third stays held out."""

import numpy as np
import pytest
import skimage

from hybridvit.data.bundled import BundledColor, BundledGray, BundledTiles
from hybridvit.data.decode import decode_image
from hybridvit.data.transforms import chroma_percentile


@pytest.fixture(scope="module")
def photographs() -> dict[str, np.ndarray]:
    return {name: decode_image(f"{skimage.data_dir}/{name}") for name in map(BundledColor().key, range(5))}


def test_training_and_evaluation_share_no_column(photographs):
    color, tiles = BundledColor(), BundledTiles()
    assert {color.key(i) for i in range(len(color))} == {
        *("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
    }
    evaluated = {}
    for i in range(len(tiles)):
        stem, row = tiles.key(i).split("/")
        evaluated.setdefault(stem, {})[int(row)] = np.asarray(tiles.read(i, 0))
    for i in range(len(color)):
        whole, trained = photographs[color.key(i)], np.asarray(color.read(i, 0))
        rows = evaluated[color.key(i).split(".")[0]]
        assert sorted(rows) == list(range(len(rows)))
        column = np.concatenate([rows[row] for row in sorted(rows)])
        height, side, _ = column.shape
        assert side == whole.shape[1] // 3
        assert 0 <= whole.shape[0] - height < side  # as many whole squares as fit
        np.testing.assert_array_equal(np.concatenate([trained[:height], column], axis=1), whole[:height])


def test_names():
    tiles = BundledTiles()
    names = [tiles.name(i) for i in range(len(tiles))]
    assert len(names) == len(set(names)) == 11
    assert names[2] == "bundled/astronaut/2"
    assert BundledGray().name(0) == "bundled/brick.png"


def test_gray_ones_are_gray_and_large():
    gray = BundledGray()
    for i in range(len(gray)):
        image = gray.read(i, 0)
        assert image.mode == "L"
        assert min(image.size) >= 300
    assert all(chroma_percentile(BundledColor().read(i, 0)) > 30 for i in range(5))
