"""Results in another folder: below the user's home, and nowhere else."""

import os

import pytest

from hybridvit.studio.elsewhere import folder_below_home


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's, with a folder, a file, a hidden folder, and links that lead out and to the hidden one."""
    home = tmp_path / "home"
    (home / "Pictures").mkdir(parents=True)
    (home / ".ssh").mkdir()
    (home / "letter.txt").write_text("")
    os.symlink(tmp_path, home / "out")
    os.symlink(home / ".ssh", home / "keys")
    monkeypatch.setenv("HOME", str(home))
    return home


def test_names_of_folders(home):
    wanted = home / "Pictures" / "a b"
    for name in (
        "Pictures/a b",
        "~/Pictures/a b",
        f"{wanted}",
        "Pictures/../Pictures/./a b/",
        " Pictures/a b ",
    ):
        assert folder_below_home(name) == wanted
    assert not wanted.exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..", "is not below your home folder"),
        ("Pictures/../..", "is not below your home folder"),
        ("/etc", "is not below your home folder"),
        ("~/", "is not below your home folder"),
        (".", "is not below your home folder"),
        ("out", "is not below your home folder"),
        ("out/deeper", "is not below your home folder"),
        (".ssh", "is hidden"),
        ("Pictures/.hidden/deep", "is hidden"),
        ("keys", "is hidden"),
        ("letter.txt", "letter.txt is a file"),
        ("letter.txt/below", "letter.txt is a file"),
        ("", "is not the name of a folder"),
        ("a\0b", "is not the name of a folder"),
        ("x" * 1001, "is not the name of a folder"),
        (5, "is not the name of a folder"),
        (None, "is not the name of a folder"),
    ],
)
def test_what_is_refused(home, name, reason):
    with pytest.raises(ValueError, match=f"^folder: .*{reason}"):
        folder_below_home(name)


def test_saved_there_and_nothing_of_others_is_replaced(home, client, ids, scans):
    photo = f"/api/photos/{ids['photo 2.png']}"
    there = home / "Pictures" / "x"
    assert client.get("/api/").json()["home"] == str(home)
    assert client.post("/api/folder", json={"folder": "Pictures/x"}).json() == {"folder": str(there)}
    assert client.post("/api/folder", json={}).status_code == 400
    assert not there.exists()
    saved = client.post(f"{photo}/save", json={"folder": "Pictures/x"}).json()
    assert saved["file"] == str(there / "photo 2.png")
    deep = client.post(f"/api/photos/{ids['box/deep.tif']}/save", json={"folder": "Pictures/x"}).json()
    assert deep["file"] == str(there / "box" / "deep.tif")
    assert not list(scans.glob("*-colorized*"))
    (home / "Pictures" / "photo 2.png").write_bytes(b"mine")
    refused = client.post(f"{photo}/save", json={"folder": "Pictures"})
    assert refused.status_code == 409
    assert (home / "Pictures" / "photo 2.png").read_bytes() == b"mine"
    assert client.post(f"{photo}/save", json={"folder": "../x"}).status_code == 400
    listed = client.get("/api/photos").json()["photos"]
    assert [one["saved"] for one in listed if one["name"] == "photo 2.png"] == [True]
