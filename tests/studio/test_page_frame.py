"""Cropping and turning on the page: by pointer, by keyboard; hints stay where they are in the whole picture."""

import numpy as np
import pytest

from hybridvit.photo.photo import read_photo

COAT = "1 coat.tif"  # 600 x 420 px


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def frame(desk) -> dict:
    """As the server has it."""
    return desk.served.recipe(COAT).get("frame", {})


def test_turned_the_picture_its_places_and_its_hints_go_with_it(coat, served):
    before = coat.color(100, 50)
    with coat.redrawn():
        coat.press("r")
    assert coat.size == (420, 600)
    np.testing.assert_allclose(coat.color(420 - 50, 100), before, atol=8)
    coat.hint(420 - 300, 150, 2)
    (hint,) = served.recipe(COAT)["hints"]
    assert hint["x"] == pytest.approx(150, abs=1)
    assert hint["y"] == pytest.approx(300, abs=1)
    marker = coat.page.locator(".markers > *").first.bounding_box()
    x, y = coat.place(420 - 300, 150)
    assert (marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2) == pytest.approx(
        (x, y), abs=4
    )
    with coat.redrawn():
        coat.press("Shift+R")
    assert coat.size == (600, 420)
    assert frame(coat) == {}


def test_an_edge_and_a_corner_are_dragged_undone_and_saved(coat, served):
    coat.press("x")
    coat.get("crop").wait_for()
    with coat.redrawn():
        coat.drag((600, 210), (400, 210))
    assert frame(coat)["crop"] == pytest.approx({"x": 0, "y": 0, "width": 400, "height": 420}, abs=2)
    with coat.redrawn():
        coat.drag((0, 0), (100, 60))
    with coat.redrawn():
        coat.drag((250, 200), (270, 220))  # the rectangle
    crop = frame(coat)["crop"]
    assert crop == pytest.approx({"x": 120, "y": 80, "width": 300, "height": 340}, abs=3)
    coat.get("crop-done").click()
    coat.get("crop").wait_for(state="hidden")
    assert coat.size == (crop["width"], crop["height"])
    coat.get("save").click()
    coat.get("saved").filter(has_text="Saved in").wait_for()
    assert read_photo(served.folder / "1 coat-colorized.tif").pixels.shape[:2] == (
        crop["height"],
        crop["width"],
    )
    assert (
        coat.get("history-list").inner_text().count("Crop") == 3
        if coat.get("history-list").is_visible()
        else True
    )
    for _ in range(3):
        with coat.redrawn():
            coat.press("Control+z")
    assert coat.size == (600, 420)
    assert frame(coat) == {}


def test_cropped_and_turned_by_keyboard_alone(coat):
    coat.press("x")
    coat.page.wait_for_function("document.activeElement.getAttribute('aria-label') === 'Left edge'")
    with coat.redrawn():
        coat.press("Shift+ArrowRight")
    left = frame(coat)["crop"]["x"]
    assert left > 9
    assert coat.page.evaluate("document.activeElement.getAttribute('aria-valuenow')") == str(left)
    coat.press("Tab")
    assert coat.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Top edge"
    with coat.redrawn():
        coat.press("End")  # as far as it goes
    assert frame(coat)["crop"]["height"] == 16
    with coat.redrawn():
        coat.press("Shift+R")
    assert frame(coat)["turns"] == 3
    coat.press("Enter")
    coat.get("crop").wait_for(state="hidden")
    assert coat.size == (16, 600 - left)
    coat.press("x")
    with coat.redrawn():
        coat.get("crop-all").click()
    assert frame(coat) == {}


def test_what_is_cut_off_takes_no_hint_and_the_crosshair_stays_inside(coat, served):
    coat.press("x")
    with coat.redrawn():
        coat.drag((0, 210), (300, 210))
    coat.press("Escape")
    coat.page.locator("#viewport").focus()
    coat.press("ArrowRight", *["Shift+ArrowLeft"] * 20)
    x, _ = coat.page.evaluate(
        "(() => { const g = document.querySelector('[class^=cross-]').closest('g');"
        "return g.getAttribute('transform').match(/[-\\d.]+/g).map(Number); })()"
    )
    box = coat.page.locator("#viewport").bounding_box()
    assert box["x"] + x == pytest.approx(coat.place(0, 0)[0], abs=2)
    left, top = coat.place(0, 210)
    coat.page.mouse.click(left - 30, top)
    assert coat.page.locator(".popup").is_hidden()
    with coat.redrawn():
        coat.press("r")
    assert coat.size[0] == 420
    assert served.recipe(COAT)["hints"] == []
