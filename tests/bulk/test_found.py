import pytest

pytest.importorskip("apache_beam", reason="bulk colouring needs apache-beam")

from hybridvit.bulk.beam_flags import split
from hybridvit.bulk.command import _build_parser
from hybridvit.bulk.files import fetch, put
from hybridvit.bulk.found import Found, absolute, find, is_there, pattern_of


@pytest.fixture
def scans(tmp_path):
    for name in (
        "a.tif",
        "box/b.png",
        "box/b.hints.json",
        ".hidden/c.png",
        "notes.txt",
        "out/a.tif",
        "d/.e.png",
    ):
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(tmp_path / "scans")


def test_a_folder_gives_its_photographs(scans):
    found = sorted(find(scans, f"{scans}/out"))
    assert [one.relative for one in found] == ["a.tif", "box/b.png"]
    assert {one.root for one in found} == {scans}


def test_results_beside_the_photographs_hide_nothing(scans):
    assert sorted(one.relative for one in find(f"{scans}/", scans)) == ["a.tif", "box/b.png", "out/a.tif"]


def test_a_glob_counts_from_its_fixed_part_and_takes_any_suffix(scans):
    assert sorted(find(f"{scans}/*", "/x")) == [
        Found(f"{scans}/{name}", scans) for name in ("a.tif", "notes.txt")
    ]
    assert list(find(f"{scans}/box/b*", "/x")) == [Found(f"{scans}/box/b.png", f"{scans}/box")]
    assert list(find(f"{scans}/notes.txt", "/x")) == [Found(f"{scans}/notes.txt", scans)]


def test_what_is_there(scans):
    assert is_there(scans)
    assert is_there(f"{scans}/b*/*.png")
    assert not is_there(f"{scans}/none")
    assert not is_there(f"{scans}/*.gif")


def test_remote_names_stay_as_they_are():
    assert absolute("gs://archive/scans/") == "gs://archive/scans"
    assert pattern_of("gs://archive/scans/") == ("gs://archive/scans/**", "gs://archive/scans", True)
    assert pattern_of("gs://archive/a*/b.tif") == ("gs://archive/a*/b.tif", "gs://archive", False)


def test_beams_flags_are_told_from_ours():
    ours = ["scans", "--output", "out", "more", "--size", "64"]
    theirs = ["--runner", "FlinkRunner", "--direct_num_workers=2", "--experiments", "a"]
    words = [*ours[:1], *theirs[:2], *ours[1:3], theirs[2], *ours[3:], *theirs[3:]]
    assert split(words) == (ours, theirs)


def test_no_option_of_ours_is_beams():
    options = [
        name for action in _build_parser()._actions for name in action.option_strings if name[:2] == "--"
    ]
    assert len(options) > 10
    assert split([f"{name}=1" for name in options if name != "--help"])[1] == []


def test_a_file_goes_there_and_back_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert put(tmp_path / "a", str(tmp_path / "new/b.gz")) == 10  # .gz: as it is
    fetch(str(tmp_path / "new/b.gz"), tmp_path / "deep/c")
    assert (tmp_path / "deep/c").read_bytes() == b"x" * 10
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["b.gz"]


def test_a_file_that_cannot_be_put_leaves_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    target = tmp_path / "out" / "b"
    target.mkdir(parents=True)  # a folder of that name
    (target / "c").touch()
    with pytest.raises(OSError):  # noqa: PT011
        put(tmp_path / "a", str(target))
    assert [path.name for path in target.parent.iterdir()] == ["b"]
