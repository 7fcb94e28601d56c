"""Whose a sidecar is, where pictures share a name."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from hybridvit.colorize.namesakes import Neighbours, find_sidecar
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import Sidecar, pixels_digest, save_hints
from hybridvit.photo.photo import read_photo

SIZE = 20, 10  # width, height
RECIPE = Recipe((Point(3, 4, "#2e6b3a"),))


@pytest.fixture
def scans(tmp_path) -> pathlib.Path:
    """scan.tif, and scan.jpg of other pixels."""
    ramp = np.tile(np.linspace(0, 255, SIZE[0]).astype(np.uint8), (SIZE[1], 1))
    Image.fromarray(ramp).save(tmp_path / "scan.tif")
    Image.fromarray(255 - ramp).save(tmp_path / "scan.jpg", quality=92)
    return tmp_path


def hint(path: pathlib.Path, of: pathlib.Path | None) -> pathlib.Path:
    digest = None if of is None else pixels_digest(read_photo(of).pixels)
    save_hints(path, Sidecar(*SIZE, digest, RECIPE))
    return path


def found(folder: pathlib.Path, *names: str) -> list[str | None]:
    neighbours = Neighbours()
    sidecars = [find_sidecar(folder / name, neighbours) for name in names]
    return [path and path.name for path in sidecars]


def test_an_older_sidecar_is_of_the_one_it_was_made_for(scans):
    assert found(scans, "scan.tif", "scan.jpg") == [None, None]
    hint(scans / "scan.hints.json", scans / "scan.tif")
    assert found(scans, "scan.tif", "scan.jpg") == ["scan.hints.json", None]
    hint(scans / "scan.jpg.hints.json", scans / "scan.jpg")
    assert found(scans, "scan.tif", "scan.jpg") == ["scan.hints.json", "scan.jpg.hints.json"]
    hint(scans / "scan.tif.hints.json", scans / "scan.tif")
    assert found(scans, "scan.tif") == ["scan.tif.hints.json"]


def test_one_for_any_picture_is_for_those_of_its_size(scans):
    hint(scans / "scan.hints.json", None)
    Image.new("L", (30, 30)).save(scans / "Scan.png")
    assert found(scans, "scan.tif", "scan.jpg") == ["scan.hints.json"] * 2
    assert found(scans, "Scan.png") == [None]


def test_one_that_is_of_none_of_them_is_said(scans):
    hint(scans / "scan.hints.json", scans / "scan.tif")
    Image.new("L", SIZE, 77).save(scans / "scan.tif")
    for name in ("scan.tif", "scan.jpg"):
        with pytest.raises(
            ValueError, match=r"scan.hints.json: its hints are for none of scan.jpg, scan.tif"
        ):
            found(scans, name)
    (scans / "scan.png").write_bytes(b"unreadable")  # it may be the one
    assert found(scans, "scan.tif", "scan.jpg") == [None, None]
    with pytest.raises(ValueError, match=r"scan.png: no picture"):
        found(scans, "scan.png")


def test_a_picture_alone_has_the_short_name_whatever_is_in_it(scans):
    (scans / "scan.jpg").unlink()
    hint(scans / "scan.hints.json", None).write_text("{}")
    assert found(scans, "scan.tif") == ["scan.hints.json"]
    assert Neighbours().places(scans / "scan.tif") == (scans / "scan.hints.json", ())
    hint(scans / "scan.tif.hints.json", None)  # its namesake is gone
    assert found(scans, "scan.tif") == ["scan.tif.hints.json"]
    assert Neighbours().places(scans / "scan.tif") == (scans / "scan.tif.hints.json", ())


def test_places_of_namesakes_differ_also_where_a_name_ends_in_two_suffixes(scans):
    """scan.tif.hints.json would be the short name of scan.tif.png, too."""
    Image.new("L", SIZE, 77).save(scans / "scan.tif.png")
    neighbours = Neighbours()
    names = ("scan.tif", "scan.jpg", "scan.tif.png")
    places = [neighbours.places(scans / name) for name in names]
    assert [place.own.name for place in places] == [f"{name}.hints.json" for name in names]
    hint(scans / "scan.tif.hints.json", scans / "scan.tif.png")  # from before there was a scan.tif
    assert found(scans, *names) == [None, None, "scan.tif.hints.json"]


def test_files_that_are_no_pictures_of_ours_are_no_namesakes(scans):
    (scans / "scan.jpg").unlink()
    for name in ("scan.txt", "scan.cr2", ".scan.jpg", "scanner.jpg"):
        (scans / name).touch()
    hint(scans / "scan.hints.json", None)
    assert Neighbours().places(scans / "scan.tif") == (scans / "scan.hints.json", ())
