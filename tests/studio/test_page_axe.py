"""Each state of the page by axe-core (Deque), in light and dark: no rule is broken."""

import re

import pytest

from tests.studio.browsing import Desk

COAT = "1 coat.tif"
MORE = ("label-content-name-mismatch", "target-size")  # rules that axe-core does not apply unless told to
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def violations(desk: Desk) -> list[str]:
    """What axe-core finds: the rule, and the elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(desk.page, options={"rules": {name: {"enabled": True} for name in MORE}}).response[
        "violations"
    ]
    return [f"{one['id']}: {node['target']} {node['html'][:160]}" for one in found for node in one["nodes"]]


@pytest.fixture(params=["light", "dark"])
def scheme(request) -> str:
    """The system's."""
    return request.param


@pytest.fixture
def look(browser, served, scheme):
    """`look(**options)`: a page of the studio, not yet opened."""
    contexts = []

    def look(**options) -> Desk:
        size = {"viewport": {"width": 1280, "height": 800}}
        context = browser.new_context(
            **{**size, **options}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        contexts.append(context)
        return Desk(context.new_page(), served)

    yield look
    for context in contexts:
        context.close()


def test_the_start_without_a_photograph(look, served):
    for path in served.folder.iterdir():
        path.unlink()
    desk = look()
    desk.page.goto(served.address)
    desk.get("empty").wait_for()
    assert violations(desk) == []


def test_a_photograph_and_all_that_opens_beside_it(look):
    desk, found = look(), {}
    desk.open(COAT)
    desk.hint(150, 100, 2)
    found["a photograph"] = violations(desk)
    for panel in ("variants", "reference", "carry", "history"):
        desk.get(f"panel-{panel}").locator("summary").click()
    desk.get("uncertainty").check()
    desk.get("next").click()
    desk.get("ring").first.wait_for()
    found["panels"] = violations(desk)
    desk.ask(300, 300)
    found["colour window"] = violations(desk)
    desk.press("Escape", "?")
    desk.get("help").wait_for()
    found["help"] = violations(desk)
    desk.press("Escape", "g")
    desk.get("grid").wait_for()
    found["grid"] = violations(desk)
    desk.press("Escape", "r", "x")
    desk.get("crop").wait_for()
    found["crop and turn"] = violations(desk)
    desk.press("Escape")
    desk.get("carry-all").click()
    desk.get("carry-status").filter(has_text=re.compile("Found in|Nothing is surely")).wait_for()
    found["carry over"] = violations(desk)
    desk.get("carry-dialog").get_by_role("button", name="Cancel").click()
    desk.get("another-folder").click()
    desk.get("folder-name").fill("..")
    desk.press("Enter")
    desk.get("folder-problem").filter(has_text="not below").wait_for()
    found["another folder"] = violations(desk)
    assert {state: broken for state, broken in found.items() if broken} == {}


def test_on_a_phone(look):
    desk, found = look(**PHONE), {}
    desk.open(COAT)
    found["picture"] = violations(desk)
    desk.page.get_by_role("button", name="Panels", exact=True).tap()
    found["panels"] = violations(desk)
    desk.page.get_by_role("button", name="Close the panels").tap()
    desk.page.get_by_role("button", name="Crop", exact=True).tap()
    desk.get("crop").wait_for()
    found["crop"] = violations(desk)
    desk.page.get_by_role("button", name="Point", exact=True).tap()
    desk.page.touchscreen.tap(*desk.place(300, 300))
    desk.get("suggestion").first.wait_for()
    found["colour window"] = violations(desk)
    assert {state: broken for state, broken in found.items() if broken} == {}
