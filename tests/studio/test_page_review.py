"""The review's page: keys, filters, undo, before and after, export, and a thousand photographs, few in the document."""

import shutil

import pytest

from hybridvit.hints.review import review_now
from hybridvit.hints.sidecar import Sidecar, load_hints, save_hints
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


@pytest.fixture
def reviewed(served):
    """Before the page is opened: the first two are coloured, the second of them accepted."""
    from hybridvit.colorize.batch import colorize_files
    from hybridvit.colorize.inputs import find_sources
    from hybridvit.colorize.naming import plan
    from hybridvit.colorize.summary import Summary

    jobs = plan(find_sources([str(served.folder)], served.folder / "none").sources, served.folder).jobs[:2]
    colorize_files(served.colorizer, jobs, Summary(total=2), sidecar_of=lambda path: None)
    save_hints(served.folder / "2 again.hints.json", Sidecar(580, 410, review=review_now("accepted", "Ada")))
    return [job.results[0] for job in jobs]


def name_of(page) -> str:
    return page.get_by_test_id("name").inner_text()


def item(page, name: str, state: str):
    return page.locator(f"[data-testid=item][data-state={state}]").filter(has_text=name)


def test_a_key_for_each_verdict_undo_and_filters(page, served):
    first = name_of(page)
    page.get_by_test_id("reviewer").fill("Ada")
    page.get_by_test_id("grid").focus()
    page.keyboard.press("a")
    second = name_of(page)  # at once: the verdict is sent meanwhile
    page.keyboard.press("x")
    item(page, first, "accepted").wait_for()
    item(page, second, "rejected").wait_for()
    assert second != first
    said = [load_hints((served.folder / name).with_suffix(".hints.json")).review for name in (first, second)]
    assert [(one.state, one.by) for one in said] == [("accepted", "Ada"), ("rejected", "Ada")]
    page.get_by_test_id("filter-accepted").check(force=True)
    page.get_by_test_id("counts").filter(has_text="1 of 3 shown").wait_for(state="attached")
    page.get_by_test_id("filter-all").check(force=True)
    page.get_by_test_id("grid").focus()
    page.keyboard.press("u")
    item(page, second, "unreviewed").wait_for()
    assert name_of(page) == second
    page.keyboard.press("u")
    item(page, first, "unreviewed").wait_for()
    assert page.get_by_test_id("undo").is_disabled()


def test_who_comes_second_is_told_and_sees_the_firsts(page, served):
    name = name_of(page)
    sidecar = (served.folder / name).with_suffix(".hints.json")
    entry = next(one for one in served.get("api/review").json()["photos"] if one["name"] == name)
    page.evaluate(
        "([id]) => fetch(`api/photos/${id}/review`, {method: 'PUT', headers: {'Content-Type': 'application/json'},"
        " body: JSON.stringify({state: 'redo', by: 'Bob'})})",
        [entry["id"]],
    )
    page.get_by_test_id("grid").focus()
    page.keyboard.press("a")
    page.get_by_test_id("message").filter(has_text="by somebody else").wait_for()
    page.get_by_test_id("facts").filter(has_text="redo by Bob").wait_for()
    assert load_hints(sidecar).review.state == "redo"
    page.keyboard.press("a")
    item(page, name, "accepted").wait_for()


@pytest.mark.usefixtures("reviewed")
def test_before_and_after_by_holding_a_key(page):
    page.get_by_test_id("picture").wait_for()
    page.get_by_test_id("grid").focus()
    page.keyboard.down("b")
    page.get_by_test_id("original").wait_for()
    assert page.get_by_test_id("tag").is_visible()
    page.keyboard.up("b")
    page.get_by_test_id("picture").wait_for()
    assert not page.get_by_test_id("original").is_visible()
    assert page.get_by_test_id("open").get_attribute("href").startswith("./#")


def test_accepted_results_are_exported_and_only_once(reviewed, page, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    page.get_by_test_id("export").click()
    page.get_by_test_id("export-folder").fill("out")
    for said in ("1 copied, 0 were", "0 copied, 1 were"):
        page.get_by_test_id("export-start").click()
        page.get_by_test_id("export-said").filter(has_text=said).wait_for()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [reviewed[1].name]
    page.get_by_test_id("export-close").click()
    shutil.copy(reviewed[0], tmp_path / "out" / reviewed[1].name)
    page.get_by_test_id("export").click()
    page.get_by_test_id("export-start").click()
    page.get_by_test_id("export-said").filter(has_text="choose another folder").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_access_is_broken(page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.emulate_media(color_scheme=scheme)
    page.get_by_test_id("export").click()
    found = axe.run(page).response["violations"]
    page.get_by_test_id("export-close").click()
    found += axe.run(page).response["violations"]
    assert [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]] == []


def test_on_a_phone_all_can_be_reached(page):
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("accept", "redo", "reject", "undo", "next", "before"):
        box = page.get_by_test_id(name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
    assert page.locator(".review-stage").bounding_box()["height"] > 250


def test_of_a_thousand_few_are_in_the_document(page):
    nothing = {"by": "", "when": "", "revision": "0" * 16, "colored": None, "disagreement": None, "hints": 0}
    many = [
        {"id": f"{i:032x}", "name": f"{i:04d}.jpg", "state": "unreviewed", "doubt": i / 1000, **nothing}
        | {"words": "the Miller family" if i == 7 else ""}
        for i in range(1000)
    ]
    page.route("**/api/review", lambda route: route.fulfill(json={"photos": many}))
    page.route("**/review/picture**", lambda route: route.fulfill(status=404))
    page.reload()
    counts = page.get_by_test_id("counts")
    counts.filter(has_text="1000 of 1000").wait_for(state="attached")
    assert page.get_by_test_id("item").count() < 60
    page.get_by_test_id("grid").evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
    page.get_by_test_id("item").filter(has_text="0999.jpg").wait_for()
    assert page.get_by_test_id("item").count() < 60
    page.get_by_test_id("filter-doubt").fill("90")
    counts.filter(has_text="100 of 1000").wait_for(state="attached")
    page.get_by_test_id("filter-doubt").fill("0")
    page.get_by_test_id("filter-text").fill("miller")
    counts.filter(has_text="1 of 1000").wait_for(state="attached")
    assert name_of(page) == "0007.jpg"


def test_verdicts_do_not_wait_for_small_pictures(page, served):
    waiting = []  # small pictures that were asked for, and never come
    page.route("**/review/picture**size=small**", lambda route: waiting.append(route.request.url))
    page.reload()
    page.get_by_test_id("item").nth(2).wait_for()
    name = name_of(page)
    page.get_by_test_id("grid").focus()
    page.keyboard.press("a")
    item(page, name, "accepted").wait_for()
    assert len(waiting) <= 3


def test_what_was_said_last_is_kept_before_an_export(reviewed, page):
    held = []
    page.route("**/api/photos/*/review", lambda route: held.append(route))
    page.get_by_test_id("grid").focus()
    with page.expect_request("**/api/photos/*/review"):
        page.keyboard.press("a")
    page.get_by_test_id("export").click()
    what = page.locator("#export-what")
    what.filter(has_text="Keeping what you said last").wait_for()
    assert page.get_by_test_id("export-start").is_disabled()
    held[0].continue_()
    what.filter(has_text="2 accepted results").wait_for()
    assert page.get_by_test_id("export-start").is_enabled()
