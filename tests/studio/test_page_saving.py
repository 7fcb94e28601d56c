"""What the page saves: the same bytes whenever, whoever makes them; hints that outlive whatever happens."""

import json
import shutil

import numpy as np
import pytest
import tifffile

from hybridvit.colorize import command as colorize

COAT = "1 coat.tif"


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def save(desk) -> None:
    """Presses Save, and waits until it is done."""
    desk.get("save").click()
    desk.get("saved").filter(has_text="Saved in").wait_for()


def test_saved_and_opened_again_it_is_the_same_to_the_byte(
    coat, served, tiny_colorizer, tmp_path, monkeypatch
):
    coat.hint(150, 100, 4)
    coat.hint(400, 300, 2)
    save(coat)
    result, sidecar = served.folder / "1 coat-colorized.tif", served.folder / "1 coat.hints.json"
    assert str(result) in coat.get("saved").inner_text()
    first, hints, colors = result.read_bytes(), sidecar.read_bytes(), coat.colors((100, 90), (420, 310))
    pixels = tifffile.imread(result)
    assert (pixels.shape, pixels.dtype) == ((420, 600, 3), np.uint16)

    result.unlink()
    coat.restart()
    assert coat.get("hint-row").count() == 2
    assert coat.colors((100, 90), (420, 310)) == colors
    save(coat)
    assert result.read_bytes() == first
    assert sidecar.read_bytes() == hints

    with coat.page.expect_download() as download:
        coat.get("download").click()
    assert download.value.suggested_filename == "1 coat-colorized.tif"
    assert download.value.path().read_bytes() == first

    apart = tmp_path / "apart"
    apart.mkdir()
    for path in (served.folder / COAT, sidecar):
        shutil.copy(path, apart)
    monkeypatch.setattr("hybridvit.inference.colorizer.load", lambda *_: tiny_colorizer)
    assert colorize.main([str(apart / COAT), "--output", str(apart)]) == 0
    assert (apart / "1 coat-colorized.tif").read_bytes() == first


def test_hints_are_downloaded_and_opened_elsewhere(coat, served, tmp_path):
    coat.hint(150, 100, 4)
    with coat.page.expect_download() as download:
        coat.get("download-sidecar").click()
    assert download.value.suggested_filename == "1 coat.hints.json"
    with coat.redrawn():
        coat.press("Control+z")
    path = tmp_path / "from elsewhere.json"
    shutil.copy(download.value.path(), path)
    with coat.redrawn():
        coat.get("sidecar-file").set_input_files(path)
    assert served.recipe(COAT)["hints"] == json.loads(path.read_text())["hints"] != []
    with coat.redrawn():
        coat.press("Control+z")
    assert served.recipe(COAT)["hints"] == []


def test_a_photograph_that_is_dropped_is_there_again(coat, served, tmp_path):
    picture = tmp_path / "dropped.tif"
    tifffile.imwrite(picture, np.tile(np.linspace(3000, 60000, 70).astype(np.uint16), (50, 1)))
    with coat.redrawn():
        coat.get("file").set_input_files(picture)
    assert coat.get("photo-name").inner_text() == "dropped.tif"
    assert coat.size == (70, 50)
    coat.hint(35, 25, 2)
    coat.restart()
    assert coat.get("photo-name").inner_text() == "dropped.tif"
    assert coat.get("hint-row").count() == 1
