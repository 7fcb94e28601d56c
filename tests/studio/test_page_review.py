"""The review's page: keys, filters, undo, and a thousand photographs of which few are in the document."""

import pytest

from hybridvit.hints.sidecar import load_hints
from tests.studio.browsing import SECONDS


@pytest.fixture
def page(browser, served):
    context = browser.new_context(viewport={"width": 1100, "height": 700}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(1000 * SECONDS)
    page.goto(f"{served.address}review.html")
    page.get_by_test_id("item").first.wait_for()
    yield page
    context.close()


def state_of(page, name: str) -> str:
    return page.get_by_test_id("item").filter(has_text=name).get_attribute("data-state")


def test_a_key_for_each_verdict_undo_and_filters(page, served):
    name = page.get_by_test_id("name").inner_text()
    page.get_by_test_id("reviewer").fill("Ada")
    page.get_by_test_id("list").focus()
    page.keyboard.press("a")
    item = page.get_by_test_id("item").filter(has_text=name)
    page.locator("[data-testid=item][data-state=accepted]").filter(has_text=name).wait_for()
    sidecar = (served.folder / name).with_suffix(".hints.json")
    assert (load_hints(sidecar).review.state, load_hints(sidecar).review.by) == ("accepted", "Ada")
    assert page.get_by_test_id("name").inner_text() != name  # the next one
    page.get_by_test_id("filter-state").select_option("accepted")
    page.get_by_test_id("counts").filter(has_text="1 of").wait_for()
    page.get_by_test_id("filter-state").select_option("")
    page.get_by_test_id("list").focus()
    page.keyboard.press("u")
    page.locator("[data-testid=item][data-state=unreviewed]").filter(has_text=name).wait_for()
    assert load_hints(sidecar).review.state == "unreviewed"
    assert item.count() == 1


def test_no_rule_of_access_is_broken(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]] == []


def test_of_a_thousand_few_are_in_the_document(page):
    many = [
        {
            "id": f"{i:032x}",
            "name": f"{i:04d}.jpg",
            "state": "unreviewed",
            "by": "",
            "when": "",
            "revision": "0" * 16,
        }
        | {"colored": None, "doubt": i / 1000, "disagreement": None, "hints": 0}
        for i in range(1000)
    ]
    page.route("**/api/review", lambda route: route.fulfill(json={"photos": many}))
    page.route("**/review/picture**", lambda route: route.fulfill(status=404))
    page.reload()
    page.get_by_test_id("counts").filter(has_text="1000 of 1000").wait_for()
    assert page.get_by_test_id("item").count() < 40
    page.get_by_test_id("list").evaluate("list => { list.scrollTop = list.scrollHeight }")
    page.get_by_test_id("item").filter(has_text="0999.jpg").wait_for()
    assert page.get_by_test_id("item").count() < 40
    page.get_by_test_id("filter-doubt").fill("90")
    page.get_by_test_id("counts").filter(has_text="100 of 1000").wait_for()
