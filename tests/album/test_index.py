import numpy as np

from hybridvit.album.index import Index

ABOUT = {"weights": "a"}


def test_what_was_put_is_there_after_a_new_start_each_array_by_itself(tmp_path):
    places = np.random.default_rng(0).normal(size=(3, 2, 5)).astype(np.float16)
    Index(tmp_path, ABOUT).put("one", places=places, counts=np.array([7, 8]))
    index = Index(tmp_path, ABOUT)
    assert "one" in index
    assert "two" not in index
    np.testing.assert_array_equal(index.get("one", "places"), places)
    np.testing.assert_array_equal(index.get("one", "counts"), [7, 8])


def test_what_a_killed_process_left_half_written_is_not_there(tmp_path):
    index = Index(tmp_path, ABOUT)
    (index.folder / "one.part").write_bytes(b"PK half")
    assert "one" not in Index(tmp_path, ABOUT)
    index.put("one", x=np.arange(3))
    np.testing.assert_array_equal(Index(tmp_path, ABOUT).get("one", "x"), np.arange(3))
    assert [path.name for path in index.folder.iterdir()] == ["one.safetensors"]


def test_of_other_weights_nothing_is_kept(tmp_path):
    Index(tmp_path, ABOUT).put("one", x=np.arange(3))
    other = Index(tmp_path, {"weights": "b"})
    assert "one" not in other
    assert list(tmp_path.iterdir()) == [other.folder]
