"""What the page offers in a browser: settings, how sure it is, possibilities, references, other photographs."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from hybridvit.hints.shapes import Point
from hybridvit.inference.carry_over import Preview
from hybridvit.studio import advice_routes

COAT = "1 coat.tif"


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def unfold(desk, name: str) -> None:
    """Opens a panel at the side."""
    desk.get(f"panel-{name}").locator("summary").click()


def test_strength_and_the_kind_of_colours(coat, served):
    vivid = coat.revision
    with coat.redrawn():
        coat.get("strength").fill("0")
    assert served.recipe(COAT)["settings"]["strength"] == 0
    coat.wait_until(lambda: coat.colorfulness() == 0)
    with coat.redrawn():
        coat.get("strength").fill("1")
    assert coat.revision == vivid
    assert "settings" not in served.recipe(COAT)
    with coat.redrawn():
        coat.page.get_by_role("radio", name="Careful").check()
    assert served.recipe(COAT)["settings"]["decode"] == "mean"
    with coat.redrawn():
        coat.press("Control+z")
    assert coat.revision == vivid


def test_how_sure_it_is_and_where_a_hint_would_help_most(coat, served):
    before = coat.colors((100, 100), (300, 200))
    coat.get("uncertainty").check()
    coat.wait_until(lambda: coat.colors((100, 100), (300, 200)) != before)
    assert coat.page.get_by_role("img", name="Scale").is_visible()
    coat.get("uncertainty").uncheck()
    coat.wait_until(lambda: coat.colors((100, 100), (300, 200)) == before)

    coat.get("next").click()
    ring = coat.get("ring").first
    ring.wait_for()
    expected = served.get(f"api/photos/{served.ids()[COAT]}/next?revision={coat.revision}&count=3")
    points = expected.json()["points"]
    assert coat.get("ring").count() == len(points)
    box = ring.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    assert np.hypot(*np.subtract(middle, coat.place(points[0]["x"], points[0]["y"]))) < 3
    ring.click()
    with coat.redrawn():
        coat.get("suggestion").first.click()
    (hint,) = served.recipe(COAT)["hints"]
    assert np.hypot(hint["x"] - points[0]["x"], hint["y"] - points[0]["y"]) < 1


def test_a_possibility_for_the_whole_picture(coat, served):
    unfold(coat, "variants")
    coat.get("variants").click()
    third = coat.get("variant").nth(2)
    with coat.redrawn():
        third.click()  # waits until it can be
    expected = {"size": 256, "strength": 1.0, "decode": "sample", "seed": 2, "borders": "auto"}
    assert served.recipe(COAT)["settings"] == expected
    assert third.get_attribute("aria-pressed") == "true"


def test_a_reference_gives_its_palette_and_single_colours(coat, served, tmp_path):
    reference = np.zeros((60, 80, 3), np.uint8)
    reference[:, :40], reference[:, 40:] = (200, 40, 30), (20, 60, 140)
    Image.fromarray(reference).save(tmp_path / "flag.png")
    unfold(coat, "reference")
    coat.get("reference-file").set_input_files(tmp_path / "flag.png")
    with coat.redrawn():
        coat.get("use-palette").click()
    palette = served.recipe(COAT)["palette"]
    assert sorted(one["color"] for one in palette) == ["#143c8c", "#c8281e"]
    coat.ask(300, 200)
    picture = coat.get("reference")
    with coat.redrawn():
        picture.click(position={"x": picture.bounding_box()["width"] / 4, "y": 20})
    (hint,) = served.recipe(COAT)["hints"]
    assert hint["source"] == "reference: flag.png"
    seen = [int(hint["color"][i : i + 2], 16) for i in (1, 3, 5)]
    assert np.abs(np.subtract(seen, (200, 40, 30))).max() <= 2  # it is shown as a JPEG


def test_these_colours_for_other_photographs(coat, served, monkeypatch):
    def to_the_second(source, recipe, target, before, name):
        if target.photo.pixels.shape[:2] != (410, 580):
            return before
        hint = dataclasses.replace(recipe.hints[0], source=f"carried over from {name}")
        return dataclasses.replace(before, hints=(hint,))

    def preview(source, recipe, target, before, name):
        again = target.photo.pixels.shape[:2] == (410, 580)
        hint = Point(50, 50, "#c02020", reach=1)
        return Preview(dataclasses.replace(before, hints=(hint,)), 0.95 if again else 0.2, 0.1)

    monkeypatch.setattr(advice_routes, "carry_hints", to_the_second)
    monkeypatch.setattr(advice_routes, "preview_carry", preview)
    coat.hint(200, 150, 3)
    unfold(coat, "carry")
    coat.get("carry").click()
    coat.get("carry-status").filter(has_text="Found in 2 of 2 photos").wait_for()
    boxes = coat.get("carry-list").get_by_role("checkbox")
    assert [box.is_checked() for box in boxes.all()] == [True, False]  # none that is weak
    assert "1 hint, 10 % of the picture would change" in coat.get("carry-list").inner_text()
    drawn = (
        "[...document.querySelectorAll('.carry-list img')].filter((image) => image.naturalWidth > 0).length"
    )
    coat.wait_until(lambda: coat.page.evaluate(drawn) == 4)
    now, then = coat.get("carry-list").locator("img").all()[:2]
    assert now.get_attribute("alt") == "2 again.png, as it is"
    assert then.get_attribute("alt") == "2 again.png, with these colours"
    reddest = """image => { const copy = new OffscreenCanvas(40, 30).getContext("2d");
        copy.drawImage(image, 0, 0, 40, 30);
        const { data } = copy.getImageData(0, 0, 40, 30);
        return data.reduce((sum, value, i) => sum + (i % 4 === 0 ? value : i % 4 === 1 ? -value : 0), 0) / 1200; }"""
    assert then.evaluate(reddest) > now.evaluate(reddest) + 10
    boxes.nth(1).check()
    coat.get("carry-go").click()
    outcome = coat.get("carried")
    outcome.locator("p").nth(1).wait_for()
    assert outcome.locator("p").all_inner_texts() == [
        "2 again.png: 1 hint added",
        "3 small.jpg: nothing in it is surely the same",
    ]
    assert f"carried over from {COAT}" == served.recipe("2 again.png")["hints"][0]["source"]
    coat.get("carry-undo").click()
    outcome.filter(has_text="Undone in 1 photos").wait_for()
    assert served.recipe("2 again.png")["hints"] == []
