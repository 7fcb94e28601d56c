"""The page's window, panels and history: where they are, and that nothing is lost of what was done."""

import json

import pytest

COAT = "1 coat.tif"


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def test_a_panel_below_the_fold_comes_into_sight(coat):
    coat.resize(1280, 620)

    def is_in_sight(name: str) -> bool:
        panel = coat.get(f"panel-{name}").bounding_box()
        frame = coat.page.locator("#panels-scroll").bounding_box()
        bottom = panel["y"] + min(panel["height"], frame["height"])
        return panel["y"] >= frame["y"] - 1 and bottom <= frame["y"] + frame["height"] + 1

    for name in ("variants", "reference", "carry"):
        coat.get(f"panel-{name}").locator("summary").click()
        coat.get(f"panel-{name}").and_(coat.page.locator("[open]")).wait_for()
        coat.wait_until(lambda name=name: is_in_sight(name))


@pytest.mark.parametrize("size", [(1280, 800), (2560, 1440), (800, 600)])
def test_the_colour_window_leaves_its_place_in_sight(coat, size):
    coat.resize(*size)
    for x, y in ((20, 20), (580, 400), (300, 210), (20, 400), (580, 20)):
        coat.ask(x, y)
        box = coat.get("popup").bounding_box()
        at_x, at_y = coat.place(x, y)
        inside = box["x"] < at_x < box["x"] + box["width"] and box["y"] < at_y < box["y"] + box["height"]
        assert not inside, (size, x, y)
        coat.press("Escape")


def test_the_colour_window_is_moved_and_stays(coat):
    coat.ask(150, 100)
    before = coat.get("popup").bounding_box()
    coat.page.mouse.move(before["x"] + 150, before["y"] + 24)
    coat.page.mouse.down()
    coat.page.mouse.move(before["x"] + 250, before["y"] + 84, steps=4)
    coat.page.mouse.up()
    moved = coat.get("popup").bounding_box()
    assert moved["x"] == pytest.approx(before["x"] + 100, abs=2)
    assert moved["y"] != before["y"]
    with coat.redrawn():
        coat.press("2")
    assert coat.get("popup").bounding_box()["x"] == moved["x"]


def test_undo_survives_loading_the_page_again_and_the_list_goes_back(coat, served):
    coat.hint(150, 100, 2)
    coat.hint(400, 300, 3)
    coat.page.reload()
    coat.page.wait_for_selector("#viewport[data-revision]")
    with coat.redrawn():
        coat.press("Control+z")
    assert len(served.recipe(COAT)["hints"]) == 1
    coat.get("panel-history").locator("summary").click()
    steps = coat.get("steps").get_by_role("button")
    coat.wait_until(lambda: steps.all_inner_texts() == ["As opened", "Add point", "Add point"])
    with coat.redrawn():
        steps.nth(2).click()
    assert len(served.recipe(COAT)["hints"]) == 2
    with coat.redrawn():
        steps.nth(0).click()
    assert served.recipe(COAT)["hints"] == []


def test_choosing_a_possibility_changes_no_hints(coat):
    coat.get("panel-variants").locator("summary").click()
    coat.get("variants").click()
    with coat.redrawn():
        coat.get("variant").nth(1).click()
    stale = coat.page.get_by_text("The hints have changed since.")
    assert not stale.is_visible()
    coat.hint(150, 100, 2)
    assert stale.is_visible()


def test_the_map_of_doubt_is_as_opaque_as_one_wants(coat):
    plain = coat.colors((100, 100), (300, 200))
    coat.get("uncertainty").check()
    coat.page.get_by_role("img", name="Scale").wait_for()
    coat.wait_until(lambda: coat.colors((100, 100), (300, 200)) != plain)
    at_80 = coat.colors((100, 100), (300, 200))
    coat.get("doubt-opacity").fill("20")
    coat.wait_until(lambda: coat.colors((100, 100), (300, 200)) != at_80)


def test_an_area_is_called_an_area(coat, served):
    coat.press("l")
    coat.drag((100, 100), (200, 100), (200, 200), (100, 200), (100, 104))
    coat.get("suggestion").first.wait_for()
    assert "New area" in coat.get("popup").get_by_role("heading").inner_text()
    with coat.redrawn():
        coat.press("2")
    assert coat.get("popup").get_by_role("heading").inner_text() == "Area 1"
    assert served.recipe(COAT)["hints"][0]["type"] == "region"


def test_reach_and_strength_of_a_hint(coat, served):
    outline = [[[100, 50], [220, 50], [220, 180], [100, 180]]]
    answer = json.dumps({"share": 0.07, "outline": outline})
    coat.page.route("**/reach?*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    coat.ask(150, 100)
    with coat.redrawn():
        coat.press("2")
    coat.get("reach-1").hover()
    coat.get("reach-share").filter(has_text="7 % of the picture").wait_for()
    coat.get("reach-0").click()
    coat.wait_until(lambda: served.recipe(COAT)["hints"][0].get("reach") == 0)
    coat.get("hint-strength").fill("0.5")
    coat.wait_until(lambda: served.recipe(COAT)["hints"][0].get("strength") == 0.5)
    coat.press("Escape")
    assert coat.page.locator(".hints-layer .dashed").count() == 0
