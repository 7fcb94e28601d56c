"""The work folder that a run holds."""

import pytest

from hybridvit.runtime.lock import NAME, lock_folder


def test_it_stays_after_a_run(tmp_path):
    with lock_folder(tmp_path / "runs" / "x"):
        assert (tmp_path / "runs" / "x" / NAME).is_file()
    assert (tmp_path / "runs" / "x").is_dir()


def fail_in(folder, file=None):
    def start():
        with lock_folder(folder):
            (folder / "checkpoints").mkdir()
            if file:
                (folder / file).touch()
            raise ValueError("of a start")

    with pytest.raises(ValueError, match="of a start"):
        start()


def test_a_failed_start_leaves_no_folder(tmp_path):
    fail_in(tmp_path / "runs" / "x")
    assert not list(tmp_path.iterdir())


def test_nor_takes_what_was_there_before(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "other").touch()
    fail_in(tmp_path / "runs" / "x")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["other"]
    fail_in(tmp_path)
    assert tmp_path.is_dir()


def test_nor_what_the_run_has_written(tmp_path):
    fail_in(tmp_path / "x", "metrics.jsonl")
    assert {path.name for path in (tmp_path / "x").iterdir()} == {NAME, "checkpoints", "metrics.jsonl"}
