"""What counts as a photograph, and where hints are kept."""

import errno
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import Sidecar, load_hints, pixels_digest, save_hints
from hybridvit.photo.photo import photo_of, read_photo, write_photo
from hybridvit.studio import sidecar_file
from hybridvit.studio.entry import Entry
from hybridvit.studio.folder import Folder
from hybridvit.studio.library import Library
from hybridvit.studio.sidecar_file import SidecarFile, sidecar_now
from hybridvit.studio.uploads import Uploads

SIZE = 8, 6
RED, BLUE = (Recipe((Point(1, 1, color),)) for color in ("#a02020", "#2020a0"))


def scan(path: pathlib.Path, level: int = 9) -> pathlib.Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.new("L", SIZE, level).save(path)
    return path


def names(folder: Folder) -> list[str]:
    return [entry.name for entry in folder.entries()]


@pytest.fixture
def folder(tmp_path) -> Folder:
    (tmp_path / "scans").mkdir()
    return Folder(tmp_path / "scans", None, tmp_path / "data")


def test_only_photographs_of_the_folder_in_natural_order(folder, tmp_path):
    for name in ("b 10.png", "b 9.png", "B 1.tif", "a/2.png", ".hidden.png", ".git/x.png", "notes.txt"):
        scan(folder.root / name) if not name.endswith("txt") else (folder.root / name).write_text("")
    write_photo(
        folder.root / "b 9-colorized.png", np.zeros((6, 8, 3), np.uint8), photo_of(np.zeros((6, 8))), {}
    )
    os.symlink(scan(tmp_path / "outside.png"), folder.root / "link.png")
    os.symlink(tmp_path, folder.root / "up")
    os.symlink(folder.root / "gone.png", folder.root / "broken.png")
    assert names(folder) == ["a/2.png", "b 1.tif".replace("b", "B"), "b 9.png", "b 10.png", "broken.png"]
    write_photo(folder.root / "b 10.png", np.zeros((6, 8, 3), np.uint8), photo_of(np.zeros((6, 8))), {})
    assert "b 10.png" not in names(folder)  # it has become a result since


def test_an_id_is_of_a_place(folder, tmp_path):
    scan(folder.root / "a.png")
    known = folder.entries()[0].id
    scan(folder.root / "0.png")
    assert folder.entries()[1].id == known
    other = Folder(scan(tmp_path / "other" / "a.png").parent, None, tmp_path / "data")
    assert other.entries()[0].id != known


def test_no_folder_and_an_empty_one(folder, tmp_path):
    assert folder.entries() == []
    folder.root.rmdir()
    assert folder.entries() == []
    library = Library(None, Uploads(tmp_path / "data"))
    assert library.listed() == []
    assert not (tmp_path / "data").exists()  # nothing is made before it is needed


def test_uploads_are_there_again_the_newest_last(tmp_path):
    uploads, digests = Uploads(tmp_path), []
    for name, data in (("z.tif", b"1"), ("a.jpeg", b"2"), ("", b"3"), ("again.tif", b"1")):
        upload = uploads.begin(name)
        upload.write(data)
        digests.append(upload.finish())
        uploads.settle(upload, digests[-1])
    again = Uploads(tmp_path).entries()
    assert [(entry.name, entry.path.name, entry.path.read_bytes()) for entry in again] == [
        ("z.tif", "photo.tif", b"1"),
        ("a.jpeg", "photo.jpeg", b"2"),
        ("photo", "photo", b"3"),
    ]
    assert [entry.id for entry in again] == digests[:3]
    uploads.remove(again[0])
    assert [entry.name for entry in uploads.entries()] == ["a.jpeg", "photo"]
    uploads.begin("b.png").discard()
    assert sorted(path.name for path in (tmp_path / "uploads").iterdir()) == sorted(digests[1:3])


def file_of(entry: Entry, digest: str = "1" * 64) -> SidecarFile:
    return SidecarFile(entry, *SIZE, digest, lambda recipe: None)


def sidecar(recipe: Recipe, digest: str = "1" * 64) -> Sidecar:
    return Sidecar(*SIZE, digest, recipe)


@pytest.fixture
def entry(folder) -> Entry:
    scan(folder.root / "photo.png")
    return folder.entries()[0]


def test_nothing_is_written_before_there_is_something(entry):
    file = file_of(entry)
    assert file.read() is None
    assert file.remarks == ()
    assert sidecar_now(entry) is None
    file.write(sidecar(RED))
    assert sidecar_now(entry) == entry.path.with_name("photo.hints.json")
    assert file_of(entry).read().recipe == RED
    assert not file.changed


@pytest.mark.parametrize(
    "text", ["", "{}", '{"version": 1, "picture": {"width": 8, "height": 5}, "hints": []}']
)
def test_what_cannot_be_used_is_put_aside(entry, text):
    place = entry.sidecar
    for attempt, aside in enumerate((".unread", ".unread1")):
        place.write_text(text)
        file = file_of(entry)
        assert file.read() is None
        assert len(file.remarks) == 1
        assert file.remarks[0].startswith("photo.hints.json: ")
        assert place.read_text() == text
        file.write(sidecar(RED))
        file.write(sidecar(BLUE))
        assert load_hints(place).recipe == BLUE
        assert place.with_name(place.name + aside).read_text() == text
        assert len(list(place.parent.iterdir())) == 3 + attempt


def test_a_recipe_that_cannot_be_used_is_put_aside_too(entry):
    def refuse(recipe: Recipe) -> None:
        raise ValueError("settings.size: too large")

    file_of(entry).write(sidecar(RED))
    file = SidecarFile(entry, *SIZE, "1" * 64, refuse)
    assert file.read() is None
    assert file.remarks[0].startswith("photo.hints.json: settings.size: too large")
    file.write(sidecar(BLUE))
    assert load_hints(entry.sidecar.with_name("photo.hints.json.unread")).recipe == RED


def test_what_another_program_wrote_is_put_aside(entry):
    file, other = file_of(entry), file_of(entry)
    file.write(sidecar(RED))
    other.read()
    other.write(sidecar(BLUE))
    assert file.changed
    assert not other.changed
    file.write(sidecar(RED))
    assert load_hints(entry.sidecar.with_name("photo.hints.json.unread")).recipe == BLUE


def namesakes(folder: Folder) -> tuple[Entry, Entry]:
    scan(folder.root / "photo.png", 9)
    scan(folder.root / "photo.tif", 99)
    return tuple(folder.entries())


def digest_of(entry: Entry) -> str:
    return pixels_digest(read_photo(entry.path).pixels)


def test_two_photographs_of_one_name_have_a_sidecar_each_where_the_command_finds_it(folder):
    entries, recipes = namesakes(folder), (RED, BLUE)
    for entry, recipe in zip(entries, recipes, strict=True):
        file = file_of(entry, digest_of(entry))
        assert file.read() is None
        file.write(sidecar(recipe, digest_of(entry)))
    for entry, recipe in zip(entries, recipes, strict=True):
        assert sidecar_now(entry) == entry.path.with_name(f"{entry.path.name}.hints.json")
        assert find_sidecar(entry.path, Neighbours()) == sidecar_now(entry)
        assert load_hints(sidecar_now(entry)).recipe == recipe
        assert file_of(entry, digest_of(entry)).read().recipe == recipe


def test_an_older_sidecar_is_found_by_the_one_it_was_made_for_and_moves_when_it_changes(folder):
    png, tif = namesakes(folder)
    old = folder.root / "photo.hints.json"
    save_hints(old, sidecar(RED, digest_of(tif)))
    first, second = file_of(png, digest_of(png)), file_of(tif, digest_of(tif))
    assert (first.read(), second.read().recipe) == (None, RED)
    assert not first.changed
    first.write(sidecar(BLUE, digest_of(png)))
    assert load_hints(old).recipe == RED
    second.write(sidecar(BLUE, digest_of(tif)))
    assert not old.exists()  # nothing but what was read and changed here was in it
    assert sorted(path.name for path in folder.root.glob("*.hints.json*")) == [
        "photo.png.hints.json",
        "photo.tif.hints.json",
    ]


def test_an_older_sidecar_for_any_picture_stays_for_the_others(folder):
    png, tif = namesakes(folder)
    old = folder.root / "photo.hints.json"
    save_hints(old, Sidecar(*SIZE, None, RED))
    file = file_of(png, digest_of(png))
    assert file.read().recipe == RED
    file.write(sidecar(BLUE, digest_of(png)))
    assert load_hints(old).recipe == RED
    assert file_of(tif, digest_of(tif)).read().recipe == RED


def test_what_an_older_studio_kept_in_the_data_folder_comes_home(folder):
    _, tif = namesakes(folder)
    tif.spare.parent.mkdir(parents=True)
    save_hints(tif.spare, sidecar(BLUE, digest_of(tif)))
    assert file_of(tif, digest_of(tif)).read().recipe == BLUE
    assert not tif.spare.exists()
    assert find_sidecar(tif.path, Neighbours()) == tif.sidecar
    assert load_hints(tif.sidecar).recipe == BLUE


def test_a_folder_that_cannot_be_written(entry, monkeypatch):
    save = sidecar_file.save_hints

    def refuse(path, what):
        if path == entry.sidecar:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        save(path, what)

    monkeypatch.setattr(sidecar_file, "save_hints", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    file = file_of(entry)
    file.read()
    assert "cannot be written" in file.remarks[0]
    file.write(sidecar(RED))
    assert load_hints(entry.spare).recipe == RED
    assert file_of(entry).read().recipe == RED
    monkeypatch.undo()
    file.write(sidecar(BLUE))  # now it can
    assert not entry.spare.exists()
    assert load_hints(entry.sidecar).recipe == BLUE


def test_no_room_is_said(entry, monkeypatch):
    def refuse(path, what):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(sidecar_file, "save_hints", refuse)
    with pytest.raises(OSError, match="No space left"):
        file_of(entry).write(sidecar(RED))
