"""The page in a browser: colours come by themselves, and hints change them."""

import json

import numpy as np
import pytest

COAT = "1 coat.tif"


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def test_a_photograph_is_coloured_by_itself(coat, served):
    assert coat.page.title() == f"{COAT} · hybridvit Studio"
    assert coat.size == (600, 420)
    assert "16 bit · 1 of 3" in coat.get("photo-facts").inner_text()
    assert coat.colorfulness() > 10
    coat.press("4")  # the original
    coat.wait_until(lambda: coat.colorfulness() == 0)
    coat.press("1")
    coat.wait_until(lambda: coat.colorfulness() > 10)
    assert not list(served.folder.glob("*.json"))  # looking changes nothing


def test_a_point_with_a_likely_colour(coat, served):
    before = coat.color(150, 100)
    coat.ask(150, 100)
    swatches = coat.get("suggestion")
    shares = [int(text.split()[0].strip("<")) for text in swatches.all_inner_texts()]
    assert len(shares) == 5
    assert shares[1:] == sorted(shares[1:], reverse=True)  # the first is what the picture shows
    assert 50 <= sum(shares) <= 103
    chosen = swatches.nth(4).get_attribute("data-color")
    with coat.redrawn():
        swatches.nth(4).click()
    (hint,) = served.recipe(COAT)["hints"]
    assert (hint["type"], hint["color"]) == ("point", chosen)
    assert np.hypot(hint["x"] - 150, hint["y"] - 100) < 1
    assert coat.color(150, 100) != before
    saved = json.loads((served.folder / "1 coat.hints.json").read_text())  # before anyone asks for it
    assert saved["hints"] == [hint]
    assert saved["picture"]["width"] == 600


def test_a_hint_is_dragged_recoloured_and_deleted_and_all_of_it_undone(coat, served):
    first = coat.revision
    coat.hint(150, 100)
    with coat.redrawn():
        coat.drag((150, 100), (200, 150), (300, 210))
    (moved,) = served.recipe(COAT)["hints"]
    assert np.hypot(moved["x"] - 300, moved["y"] - 210) < 2
    at_300 = coat.revision

    coat.click(300, 210)
    assert coat.get("popup").get_by_role("heading").inner_text() == "Point 1"
    with coat.redrawn():
        coat.get("hex").fill("2E6B3A")
        coat.press("Enter")
    assert served.recipe(COAT)["hints"][0]["color"] == "#2e6b3a"
    red, green, _ = coat.color(300, 210)
    assert green > red + 20
    coat.get("source").fill("catalogue no. 12")
    coat.wait_until(lambda: served.recipe(COAT)["hints"][0].get("source") == "catalogue no. 12")

    with coat.redrawn():
        coat.get("delete-hint").click()
    assert coat.get("popup").is_hidden()
    assert coat.get("hint-row").count() == 0
    assert served.recipe(COAT)["hints"] == []
    assert coat.revision == first

    undo, redo = (coat.page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    with coat.redrawn():
        undo.click()  # delete
    with coat.redrawn():
        undo.click()  # note
        undo.click()  # recolour
    assert coat.revision == at_300
    with coat.redrawn():
        coat.press("Control+z", "Control+z")  # the whole drag, and the hint
    assert coat.revision == first
    assert undo.is_disabled()
    with coat.redrawn():
        for _ in range(4):
            redo.click()
    coat.wait_until(lambda: served.recipe(COAT)["hints"][0:] != [])
    assert served.recipe(COAT)["hints"][0]["source"] == "catalogue no. 12"
    coat.press("Control+y")
    assert redo.is_disabled()
    coat.wait_until(lambda: served.recipe(COAT)["hints"] == [])


def test_strokes_areas_and_protected_areas(coat, served):
    coat.press("b")
    with coat.redrawn():
        coat.drag((60, 60), (200, 80), (220, 200))
        coat.get("suggestion").first.wait_for()
        coat.press("2", "Escape")
    (stroke,) = served.recipe(COAT)["hints"]
    assert stroke["type"] == "stroke"
    assert stroke["width"] == pytest.approx(420 / 40, abs=0.1)
    assert np.hypot(*np.subtract(stroke["points"][-1], (220, 200))) < 2

    coat.press("k")
    inside, outside = (450, 300), (100, 350)
    kept = coat.color(*inside)
    with coat.redrawn():
        coat.drag((350, 220), (550, 220), (550, 400), (350, 400), (350, 222))
    (area,) = served.recipe(COAT)["protected"]
    assert area["hints"] == [stroke]
    assert coat.get("areas-list").get_by_role("listitem").count() == 1
    assert coat.color(*inside) == kept

    coat.press("l")
    before = coat.color(*outside)
    with coat.redrawn():
        for corner in ((40, 300), (580, 290), (580, 410), (40, 410)):  # by corners, over the protected one
            coat.click(*corner)
        coat.click(40, 300)
        coat.get("hex").fill("#c03020")
        coat.press("Enter")
    region = served.recipe(COAT)["hints"][1]
    assert region["type"] == "region"
    assert len(region["polygon"]) == 4
    assert coat.color(*outside) != before
    assert coat.color(*inside) == kept
