import os
import pathlib

import pytest

from hybridvit.colorize.inputs import describe, find_sources


@pytest.fixture
def tree(tmp_path, monkeypatch) -> pathlib.Path:
    """Files below the working directory; what they hold does not matter here."""
    monkeypatch.chdir(tmp_path)
    names = (
        *(
            "scans/b.TIF",
            "scans/a.jpg",
            "scans/a.hints.json",
            "scans/notes.pdf",
            "scans/README",
            "scans/.c.jpg",
        ),
        *(
            "scans/box 1/d.png",
            "scans/box 1/deep/e.webp",
            "scans/.hidden/f.jpg",
            "scans/out/g.jpg",
            "[x].jpg",
        ),
    )
    for name in names:
        pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(name).write_bytes(name.encode())
    return tmp_path


def found(*arguments: str, output: str = "scans/out") -> list[tuple[str, str]]:
    return [(str(s.path), str(s.relative)) for s in find_sources(arguments, output).sources]


def test_a_folder_to_its_depths(tree):
    names = ["a.jpg", "b.TIF", "box 1/d.png", "box 1/deep/e.webp"]
    assert found("scans") == [(f"scans/{name}", name) for name in names]
    assert found("scans/") == found("scans")
    others = find_sources(["scans"], "scans/out").passed_over
    assert describe(others) == "1 .pdf, 1 without suffix"


@pytest.mark.parametrize(
    ("pattern", "relative"),
    [
        ("scans/*.jpg", ["a.jpg"]),
        ("scans/*/*.png", ["box 1/d.png"]),
        ("scans/**/*.[jw]*", ["a.jpg", "box 1/deep/e.webp"]),
        ("sc*/box*", ["scans/box 1/d.png", "scans/box 1/deep/e.webp"]),
    ],
)
def test_a_glob_keeps_the_structure_below_its_fixed_part(tree, pattern, relative):
    assert [r for _, r in found(pattern)] == relative


def test_a_file_is_taken_whatever_its_name_and_may_look_like_a_glob(tree):
    assert found("scans/README", "[x].jpg") == [("scans/README", "README"), ("[x].jpg", "[x].jpg")]


def test_a_picture_is_taken_once_and_sidecars_are_none(tree):
    os.symlink("a.jpg", "scans/link.jpg")
    assert found("scans/a.jpg", "scans/*.j*", "scans/link.jpg", str(tree / "scans/a.jpg")) == [
        ("scans/a.jpg", "a.jpg")
    ]


def test_linked_folders_are_not_entered(tree):
    os.symlink("..", "scans/box 1/up")
    assert found("scans/box 1") == [
        ("scans/box 1/d.png", "d.png"),
        ("scans/box 1/deep/e.webp", "deep/e.webp"),
    ]


def test_the_output_folder_may_be_an_input_by_name(tree):
    assert found("scans/out") == [("scans/out/g.jpg", "g.jpg")]
    assert ("scans/out/g.jpg", "out/g.jpg") in found("scans", output="scans")


def test_results_in_the_output_folder_are_no_inputs_of_a_glob(tree):
    assert "out/g.jpg" not in [r for _, r in found("scans/**/*.jpg")]
    assert [r for _, r in found("scans/*")] == [
        "README",
        "a.jpg",
        "b.TIF",
        "box 1/d.png",
        "box 1/deep/e.webp",
        "notes.pdf",
    ]


def test_home(tree, monkeypatch):
    monkeypatch.setenv("HOME", str(tree))
    assert found("~/scans/*.jpg") == [(str(tree / "scans/a.jpg"), "a.jpg")]


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("nowhere", "nowhere: no such file or folder"),
        ("scans/*.gif", "scans/*.gif: nothing matches this pattern"),
    ],
)
def test_what_is_not_there_is_named(tree, argument, line):
    with pytest.raises(FileNotFoundError, match=f"^{line.replace('*', '[*]')}$"):
        find_sources(["scans", argument], "out")


def test_no_picture_at_all(tree):
    pathlib.Path("papers").mkdir()
    pathlib.Path("papers/a.pdf").touch()
    with pytest.raises(ValueError, match=r"^no picture in papers: other files are there \(1 \.pdf\)$"):
        find_sources(["papers"], "out")


def test_a_folder_that_cannot_be_read_does_not_stop_the_others(tree, monkeypatch):
    scandir = os.scandir

    def refuse(path: str):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything
    result = find_sources(["scans"], "scans/out")
    assert [str(s.relative) for s in result.sources] == ["a.jpg", "b.TIF", "box 1/d.png"]
    assert result.unreadable == {"scans/box 1/deep": "the folder cannot be read (Permission denied)"}
