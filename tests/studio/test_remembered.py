import os

import pytest

from hybridvit.studio import remembered
from hybridvit.studio.remembered import Remembered


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    return path


def counted(found):
    return lambda path: found.append(path) or {"bytes": path.read_text()}


def test_a_file_is_read_again_only_when_it_changes_and_by_the_next_studio_neither(photo, tmp_path):
    found = []
    for _ in range(2):
        some = Remembered(tmp_path / "data")
        for _ in range(2):
            assert some.of("said", photo, counted(found)) == {"bytes": "1"}
        some.keep()
    assert len(found) == 1
    assert some.of("words", photo, lambda path: "w") == "w"
    photo.write_bytes(b"2")
    os.utime(photo, ns=(1, 1))
    assert some.of("said", photo, counted(found)) == {"bytes": "2"}
    some.keep()
    assert Remembered(tmp_path / "data").of("said", photo, counted(found)) == {"bytes": "2"}
    assert len(found) == 2


def test_what_another_version_found_is_found_anew(photo, tmp_path, monkeypatch):
    found = []
    for version in ("0.1", "0.2"):
        monkeypatch.setattr(remembered, "VERSION", version)
        some = Remembered(tmp_path)
        some.of("said", photo, counted(found))
        some.keep()
    assert len(found) == 2


def test_where_nothing_can_be_kept_it_is_found_anew_and_what_is_raised_is_raised(photo, tmp_path):
    (tmp_path / "review").mkdir()
    (tmp_path / "review" / "found.sqlite").write_bytes(b"no database" * 100)
    some = Remembered(tmp_path)
    assert some.of("said", photo, counted([])) == {"bytes": "1"}
    some.keep()
    photo.unlink()
    with pytest.raises(FileNotFoundError):
        Remembered(tmp_path).of("said", photo, counted([]))
