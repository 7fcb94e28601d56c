"""What is noted of photographs outlives the studio, and nothing that is broken stops it."""

import os

from hybridvit.studio.entry import Entry
from hybridvit.studio.marks import Marks


def entry(tmp_path) -> Entry:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"a")
    return Entry(
        "ab" * 16, "photo.png", "folder", photo, tmp_path / "photo.hints.json", tmp_path / "spare.json"
    )


def test_it_is_saved_as_long_as_the_hints_are_not_newer(tmp_path):
    photo, result = entry(tmp_path), tmp_path / "photo-colorized.png"
    marks = Marks(tmp_path / "data")
    assert marks.of(photo, None) == {"approved": False, "saved": False, "colored": None}
    result.write_bytes(b"b")
    marks.change(photo.id, saved=str(result))
    marks.change(photo.id, approved=True)
    again = Marks(tmp_path / "data")  # after a restart
    assert again.of(photo, None) == {"approved": True, "saved": True, "colored": None}
    photo.sidecar.write_text("{}")
    later = result.stat().st_mtime + 10
    os.utime(photo.sidecar, (later, later))
    assert not again.of(photo, photo.sidecar)["saved"]
    os.utime(result, (later + 1, later + 1))
    assert again.of(photo, photo.sidecar)["saved"]
    result.unlink()
    assert not again.of(photo, photo.sidecar)["saved"]


def test_a_thumbnail_in_colour_is_kept_and_goes_with_its_photograph(tmp_path):
    photo, marks = entry(tmp_path), Marks(tmp_path / "data")
    marks.keep_thumbnail(photo.id, b"jpeg")
    marks.change(photo.id, approved=True)
    name = Marks(tmp_path / "data").of(photo, None)["colored"]
    assert name is not None
    marks.keep_thumbnail(photo.id, b"another")
    assert marks.colored(photo.id) != name
    marks.forget(photo.id)
    assert marks.of(photo, None) == {"approved": False, "saved": False, "colored": None}
    assert Marks(tmp_path / "data").of(photo, None) == marks.of(photo, None)


def test_a_broken_file_counts_as_none(tmp_path):
    photo = entry(tmp_path)
    (tmp_path / "data").mkdir()
    for text in ("", "[]", '{"' + photo.id + '": 3}', "\x00"):
        (tmp_path / "data" / "marks.json").write_text(text)
        assert not Marks(tmp_path / "data").of(photo, None)["approved"]
