import pathlib

from hybridvit.studio.entry import Entry
from hybridvit.studio.small_pictures import SmallPictures

ENTRY = Entry("1" * 32, "a.png", "folder", *(pathlib.Path("a.png") for _ in range(3)))


def test_one_is_kept_for_what_it_was_made_of(tmp_path):
    SmallPictures(tmp_path).keep(ENTRY, "result", "1-2", b"\xff\xd8\n1")
    again = SmallPictures(tmp_path)
    assert again.read(ENTRY, "result", "1-2") == b"\xff\xd8\n1"
    assert again.read(ENTRY, "original", "1-2") is again.read(ENTRY, "result", "1-3") is None
    again.keep(ENTRY, "result", "1-3", b"2")
    assert again.read(ENTRY, "result", "1-2") is None
    assert len(list((tmp_path / "review").iterdir())) == 1


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "review").write_text("a file")
    some = SmallPictures(tmp_path)
    some.keep(ENTRY, "result", "1-2", b"1")
    assert some.read(ENTRY, "result", "1-2") is None
