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


def pull(desk, selector: str, dx: float, dy: float) -> None:
    """Drags what cropping offers, by px of the photograph, which is seen as a whole then."""
    scale = desk.get("crop").bounding_box()["width"] / 600
    box = desk.page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.page.mouse.move(x, y)
    desk.page.mouse.down()
    desk.page.mouse.move(x + dx * scale, y + dy * scale, steps=3)
    desk.page.mouse.up()


def test_turned_the_picture_its_places_and_its_hints_go_with_it(coat, served):
    places = [(110, 60), (310, 60), (510, 300), (110, 400)]
    before = coat.colors(*places)
    with coat.redrawn():
        coat.press("r")
    assert coat.size == (420, 600)
    after = coat.colors(*((420 - y, x) for x, y in places))
    assert np.abs(np.subtract(after, before)).mean() < 8
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


def test_edges_are_dragged_saved_and_undone(coat, served):
    coat.press("x")
    coat.get("crop").wait_for()
    with coat.redrawn():
        pull(coat, "[data-testid=crop-right]", -200, 0)
    assert frame(coat)["crop"] == pytest.approx({"x": 0, "y": 0, "width": 400, "height": 420}, abs=2)
    with coat.redrawn():
        pull(coat, ".crop-corner >> nth=0", 100, 60)
    with coat.redrawn():
        pull(coat, ".crop-inside", 20, -20)
    crop = frame(coat)["crop"]
    assert crop == pytest.approx({"x": 120, "y": 40, "width": 300, "height": 360}, abs=3)
    coat.get("crop-done").click()
    coat.get("crop").wait_for(state="hidden")
    assert coat.size == (crop["width"], crop["height"])
    coat.get("save").click()
    coat.get("saved").filter(has_text="Saved in").wait_for()
    assert read_photo(served.folder / "1 coat-colorized.tif").pixels.shape[:2] == (
        crop["height"],
        crop["width"],
    )
    coat.get("panel-history").locator("summary").click()
    steps = coat.get("panel-history").get_by_text("Crop", exact=True)
    steps.nth(2).wait_for()
    assert steps.count() == 3
    # what is cut off takes no hint, and the crosshair stays inside
    coat.page.locator("#viewport").focus()
    coat.press("ArrowRight", *["Shift+ArrowLeft"] * 20)
    x, _ = coat.page.evaluate(
        "document.querySelector('[class^=cross-]').closest('g').getAttribute('transform')"
        ".match(/[-\\d.]+/g).map(Number)"
    )
    box = coat.page.locator("#viewport").bounding_box()
    assert box["x"] + x == pytest.approx(coat.place(0, 0)[0], abs=2)
    left, top = coat.place(0, 210)
    coat.page.mouse.click(left - 30, top)
    assert coat.page.locator(".popup").is_hidden()
    assert served.recipe(COAT)["hints"] == []
    for _ in range(3):
        with coat.redrawn():
            coat.press("Control+z")
    assert coat.size == (600, 420)
    assert frame(coat) == {}


def test_cropped_and_turned_by_keyboard_alone(coat):
    coat.press("x")
    focused = "document.activeElement.getAttribute('aria-label')"
    coat.wait_until(lambda: coat.page.evaluate(focused) == "Left edge")
    with coat.redrawn():
        coat.press("Shift+ArrowRight")
    left = frame(coat)["crop"]["x"]
    assert left > 9
    assert coat.page.evaluate("document.activeElement.getAttribute('aria-valuenow')") == str(left)
    coat.press("Tab")
    assert coat.page.evaluate(focused) == "Top edge"
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
