"""The page with many photographs: the strip, the grid, marks, what is prepared, a folder that cannot be written."""

import threading

import pytest

from hybridvit.studio import saving
from hybridvit.studio.colored import Colored
from tests.studio.browsing import SECONDS

COAT = "1 coat.tif"


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def test_the_strip_is_one_stop_for_tab_and_arrow_keys_go_through_it(coat):
    stops = "document.querySelectorAll('#strip .thumb[tabindex=\"0\"]').length"
    assert coat.page.evaluate(stops) == 1
    coat.page.locator("#strip .thumb").first.focus()
    coat.press("ArrowRight", "ArrowRight")
    assert "3 small.jpg" in coat.page.evaluate("document.activeElement.textContent")
    assert coat.page.evaluate(stops) == 1
    with coat.redrawn():
        coat.press("Enter")
    assert coat.get("photo-name").inner_text() == "3 small.jpg"


def test_the_wheel_moves_the_strip(coat):
    coat.page.set_viewport_size({"width": 760, "height": 700})
    coat.page.locator(".strip-list").evaluate("list => (list.style.maxWidth = '120px')")
    coat.page.locator(".strip-list").hover()
    coat.page.mouse.wheel(0, 90)
    coat.wait_until(lambda: coat.page.locator(".strip-list").evaluate("list => list.scrollLeft") > 50)


def test_the_grid_searches_filters_approves_and_saves(coat, served):
    coat.hint(150, 100, 2)
    coat.press("g")
    grid = coat.get("grid-list").get_by_role("listitem")
    assert grid.count() == 3
    coat.get("grid-search").fill("again")
    assert grid.count() == 1
    coat.get("grid-search").fill("")
    coat.get("grid-filter").select_option("hinted")
    assert grid.count() == 1
    coat.page.get_by_role("button", name=f"Approve {COAT}").click()
    coat.page.get_by_role("button", name=f"Approve {COAT}", pressed=True).wait_for()
    assert served.get("api/photos").json()["photos"][0]["approved"]
    coat.get("grid-filter").select_option("approved")
    assert grid.count() == 1
    coat.get("grid-save").click()
    coat.get("grid-count").filter(has_text="1 of 1 saved").wait_for()
    assert (served.folder / "1 coat-colorized.tif").exists()
    first, second, _ = served.get("api/photos").json()["photos"]
    assert (first["saved"], second["saved"]) == (True, False)
    coat.get("grid-filter").select_option("all")
    coat.get("grid-list").get_by_role("button", name="2 again.png", exact=True).click()
    coat.wait_until(lambda: coat.get("photo-name").inner_text() == "2 again.png")


def test_a_small_picture_gets_the_colours(coat, served):
    coat.wait_until(lambda: served.get("api/photos").json()["photos"][0]["colored"] is not None)
    data = served.get(f"api/photos/{served.ids()[COAT]}/thumbnail").content
    import io

    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        assert np.ptp(np.asarray(picture.convert("RGB")).astype(int), -1).mean() > 10


def test_the_next_photograph_is_there_at_once(desk, served, monkeypatch):
    with desk.page.expect_response(lambda answer: answer.url.endswith("/prepare")) as answer:
        desk.open(COAT)
    assert answer.value.status == 204
    painted = []
    paint = Colored.tile

    def noted(self, levels, *where):
        painted.append(levels[0].shape[:2])
        return paint(self, levels, *where)

    monkeypatch.setattr(Colored, "tile", noted)
    revision = served.get(f"api/photos/{served.ids()['2 again.png']}").json()["revision"]
    for tile in ("1/0/0", "0/0/0", "0/0/1"):
        served.get(f"api/photos/{served.ids()['2 again.png']}/tiles/{revision}/{tile}")
    assert (410, 580) not in painted  # how long it takes is timed in tests/benchmarks
    with desk.redrawn():
        desk.press("PageDown")


def test_a_folder_that_cannot_be_written(coat, served, monkeypatch):
    folder = served.folder
    monkeypatch.setattr(saving, "_is_writable", lambda path: path != folder)
    coat.get("save").click()
    coat.get("message-error").filter(has_text="cannot be written").wait_for()
    coat.page.get_by_role("button", name="Save in the studio's folder").click()
    coat.get("saved").filter(has_text="Saved in").wait_for()
    coat.expect_problems("status of 403")
    assert list((served.data / "results").rglob("*.tif"))
    with coat.page.expect_download() as download:
        coat.get("download").click()
    assert download.value.suggested_filename == "1 coat-colorized.tif"
    assert not list(folder.glob("*-colorized*"))


def test_its_small_picture_stands_in_for_one_that_opens_slowly(coat, monkeypatch):
    from hybridvit.studio import open_photo

    decode = open_photo.decode_photo
    seen = threading.Event()

    def slow(*arguments):
        seen.wait(SECONDS)
        return decode(*arguments)

    monkeypatch.setattr(open_photo, "decode_photo", slow)
    coat.page.locator("#strip .thumb").nth(2).click()
    coat.get("opening").wait_for(state="visible")
    seen.set()
    coat.get("opening").wait_for(state="hidden")
    assert coat.get("photo-name").inner_text() == "3 small.jpg"
