import numpy as np
import pytest

from hybridvit.album.index import Index
from hybridvit.color.bins import NUM_BINS
from hybridvit.inference.places import Described

ABOUT = {"weights": "a"}


@pytest.fixture
def seen():
    rng = np.random.default_rng(0)

    def make(rows, columns):
        shape = (rows, columns)
        return Described(
            rng.normal(size=(*shape, 5)).astype(np.float32),
            rng.normal(size=(*shape, NUM_BINS)).astype(np.float32),
        )

    return make


def test_what_was_added_is_read_after_a_new_start(tmp_path, seen):
    first, second = seen(2, 3), seen(4, 1)
    index = Index(tmp_path, ABOUT)
    index.add("one", first)
    index.close()
    index = Index(tmp_path, ABOUT)
    index.add("two", second)
    for key, made in (("one", first), ("two", second)):
        cells = index.pictures[key]
        assert (cells.rows, cells.columns) == made.places.shape[:2]
        np.testing.assert_allclose(
            index.places(key), made.places.reshape(cells.count, -1), rtol=1e-3, atol=1e-3
        )
        np.testing.assert_allclose(
            index.likely(key), made.likely.reshape(cells.count, -1), rtol=1e-3, atol=1e-3
        )
    index.close()


@pytest.mark.parametrize("left", ["cells without a line", "half a line"])
def test_what_a_killed_process_left_is_cut_off(tmp_path, seen, left):
    first, second = seen(2, 2), seen(1, 3)
    index = Index(tmp_path, ABOUT)
    index.add("one", first)
    index.close()
    with open(tmp_path / "places.f16", "ab") as file:
        file.write(b"\1" * 7)
    if left == "half a line":
        with open(tmp_path / "pictures.jsonl", "ab") as file:
            file.write(b'["two", 4, 1')
    index = Index(tmp_path, ABOUT)
    assert set(index.pictures) == {"one"}
    index.add("two", second)
    np.testing.assert_allclose(index.places("two"), second.places.reshape(3, -1), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(index.places("one"), first.places.reshape(4, -1), rtol=1e-3, atol=1e-3)
    index.close()


def test_of_other_weights_nothing_is_kept(tmp_path, seen):
    index = Index(tmp_path, ABOUT)
    index.add("one", seen(1, 1))
    index.close()
    index = Index(tmp_path, {"weights": "b"})
    assert not index.pictures
    assert (tmp_path / "places.f16").stat().st_size == 0
    index.close()
