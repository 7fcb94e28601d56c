"""Which pictures are labeled, unlabeled, held out; and what stands in for a picture that cannot be read."""

import logging

import numpy as np
import pytest

from hybridvit.data.splits import build_eval_stream, build_training_streams


def names(stream) -> list[str]:
    located = [stream.locate(i) for i in range(len(stream))]
    return [reader.source.name(chosen) for reader, chosen in located]


@pytest.fixture
def many(folder_config, color_dir, photo):
    """A hundred colour pictures; nothing held out."""
    for i in range(12, 100):
        photo(i, 16, 16).save(color_dir / f"p{i}.png")
    folder_config.eval_fraction = 0.0
    return folder_config


def test_labeled_fractions_are_nested_and_seeded(many):
    chosen = {}
    for fraction in (0.001, 0.05, 0.1, 0.5, 1.0):
        many.labeled_fraction = fraction
        chosen[fraction] = set(names(build_training_streams(many, 0, "")[0]))
    assert [len(c) for c in chosen.values()] == [1, 5, 10, 50, 100]
    assert chosen[0.001] < chosen[0.05] < chosen[0.1] < chosen[0.5] < chosen[1.0]
    many.labeled_fraction = 0.1
    assert set(names(build_training_streams(many, 0, "")[0])) == chosen[0.1]
    assert set(names(build_training_streams(many, 1, "")[0])) != chosen[0.1]


def test_unlabeled_is_the_rest_with_or_without_the_labeled(many):
    many.labeled_fraction = 0.1
    labeled, unlabeled = build_training_streams(many, 0, "")
    assert set(names(labeled)) < set(names(unlabeled))
    assert len(unlabeled) == 100
    many.labeled_as_unlabeled = False
    labeled, unlabeled = build_training_streams(many, 0, "")
    assert not set(names(labeled)) & set(names(unlabeled))
    assert len(labeled) + len(unlabeled) == 100


def test_held_out_pictures_are_disjoint_and_stay_when_files_are_added(many, color_dir, photo):
    many.eval_fraction = 0.2
    held_out = set(names(build_eval_stream(many, "")))
    assert 10 <= len(held_out) <= 30
    labeled, unlabeled = build_training_streams(many, 0, "")
    assert len(labeled) == 100 - len(held_out)
    assert not held_out & (set(names(labeled)) | set(names(unlabeled)))
    for i in range(50):
        photo(i, 16, 16).save(color_dir / f"new{i}.png")
    assert {name for name in names(build_eval_stream(many, "")) if "new" not in name} == held_out


def test_one_picture_is_held_out_of_few_and_none_of_one(folder_config, color_dir):
    folder_config.eval_fraction = 0.01
    assert len(build_eval_stream(folder_config, "")) == 1
    for file in sorted(color_dir.rglob("*.png"))[1:]:
        file.unlink()
    assert len(build_eval_stream(folder_config, "")) == 0
    assert len(build_training_streams(folder_config, 0, "")[0]) == 1


def test_eval_limit_spreads_evenly(many, color_dir):
    many.eval_dir = str(color_dir)
    many.eval_limit = 10
    stream = build_eval_stream(many, "")
    assert [stream.locate(i)[1] for i in range(len(stream))] == list(range(0, 100, 10))
    many.eval_limit = 0
    assert len(build_eval_stream(many, "")) == 100


def test_gray_pictures_join_the_unlabeled(folder_config, color_dir, tmp_path, photo, caplog):
    photo(50).convert("L").save(color_dir / "scan.png")
    (tmp_path / "gray").mkdir()
    photo(51).convert("L").save(tmp_path / "gray" / "old.png")
    folder_config.gray_dir = str(tmp_path / "gray")
    folder_config.labeled_as_unlabeled = False
    folder_config.eval_fraction = 0.0
    with caplog.at_level(logging.INFO, "absl"):
        labeled, unlabeled = build_training_streams(folder_config, 0, "")
    assert len(labeled) == 12
    assert names(unlabeled) == ["color/scan.png", "gray/old.png"]
    assert "1 of 13 pictures in color/ are grayscale: used as unlabeled" in caplog.messages


def test_bundled(config):
    labeled, unlabeled = build_training_streams(config, 0)
    assert (len(labeled), len(unlabeled), len(build_eval_stream(config))) == (5, 11, 11)
    config.unlabeled_batch_size = 0
    assert build_training_streams(config, 0)[1] is None


def test_errors_name_the_flag(folder_config, color_dir, tmp_path, photo):
    def fails(message, error=ValueError, **fields):
        config = folder_config.copy_and_resolve_references()
        config.update(fields)
        with pytest.raises(error, match=message) as caught:
            build_training_streams(config, 0, "")
        assert "\n" not in str(caught.value)

    fails("--config.data.kind 'foldr' is none of bundled, folder, pairs, tfds, array_record", kind="foldr")
    fails("--config.data.labeled_fraction 0.0 is not", labeled_fraction=0.0)
    fails("--config.data.color_dir: no such folder", FileNotFoundError, color_dir="nowhere")
    fails("--config.data.color_dir is empty", color_dir="")
    fails("--config.data.gray_dir: no such folder", FileNotFoundError, gray_dir="nowhere")
    fails("--config.data.unlabeled_batch_size is 8, but there is no unlabeled", labeled_as_unlabeled=False)
    fails(
        "--config.data.color_records: no file matches",
        FileNotFoundError,
        kind="array_record",
        color_records="x-*",
    )
    only_gray = tmp_path / "only_gray"
    only_gray.mkdir()
    photo(0).convert("L").save(only_gray / "a.png")
    (only_gray / "b.png").write_text("junk")
    message = (
        r"--config.data.color_dir: none of the 2 pictures in only_gray/ is a readable colour picture \(1 gray"
    )
    fails(message, color_dir=str(only_gray))
    folder_config.eval_dir = "nowhere"
    with pytest.raises(FileNotFoundError, match=r"--config.data.eval_dir: no such folder"):
        build_eval_stream(folder_config, "")


def test_the_next_picture_stands_in_for_an_unreadable_one(folder_config, color_dir, caplog):
    folder_config.eval_fraction = 0.0
    labeled, unlabeled = build_training_streams(folder_config, 0, "")
    before = [np.asarray(labeled[i]) for i in range(12)]
    # Damaged after the look through: only reading can find it
    (color_dir / "p03.png").write_bytes(b"")
    (color_dir / "p04.png").write_bytes((color_dir / "p05.png").read_bytes()[:200])
    (color_dir / "sub" / "p11.png").unlink()
    for _ in range(3):
        for stream in (labeled, unlabeled):
            for i, good in {3: 5, 4: 5, 11: 0, 2: 2, 6: 6}.items():
                np.testing.assert_array_equal(np.asarray(stream[i]), before[good])
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 3
    assert "unreadable picture color/p03.png (an empty file): passed over, 1 so far" in warned


def test_nothing_readable_is_one_clear_error(folder_config, color_dir):
    labeled, _ = build_training_streams(folder_config, 0, "")
    for file in color_dir.rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"none of \d+ pictures is a readable colour picture; color/.*an empty file"
    ):
        labeled[0]
