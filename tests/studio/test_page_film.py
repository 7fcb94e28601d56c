"""A film in the studio's page: its strip, a frame that is hinted as a photograph, what the hints make of the shot."""

import re
from typing import Any

import pytest

from hybridvit.film.hints import load_film_hints
from tests.film.conftest import scene, write_film
from tests.studio.browsing import Desk
from tests.studio.test_films import no_film_children
from tests.studio.test_page_axe import PHONE, violations

__all__ = ["no_film_children"]

FILM = "2 reel.mkv"
SHOTS = (14, 12)  # frames, 40 ms each


@pytest.fixture
def album(tmp_path, album):
    """With a film of two shots beside the photographs."""
    write_film(album / FILM, scene(SHOTS[0]) + scene(SHOTS[1], seed=1))
    return album


@pytest.fixture
def film(desk, no_film_children) -> Desk:
    """The film, opened from the strip of photos."""
    desk.open("1 coat.tif")
    thumb(desk).click()
    settled(desk, "No hints in this shot")
    return desk


def thumb(desk: Desk) -> Any:
    """The film in the strip of photos."""
    return desk.page.locator("#strip").get_by_title(FILM, exact=True)


def settled(desk: Desk, said: str) -> None:
    """Waits until the film's head says that."""
    desk.get("film-status").filter(has_text=said).wait_for()


def opened(desk: Desk, clock: str) -> None:
    """Waits until the frame of that time is open, and its shot known."""
    desk.get("film-clock").filter(has_text=clock).wait_for()
    desk.page.wait_for_selector("#viewport[data-revision]")
    desk.page.locator("[data-testid=film-whole] .cell[aria-current]").wait_for()


def cells(desk: Desk, which: str, marked: str = "") -> list[str]:
    """What screen readers are told of the cells of a strip."""
    return desk.get(which).locator(f".cell{marked} .unseen").all_inner_texts()


def pick(desk: Desk, at: int) -> None:
    desk.get("film-shot").locator(f'.cell[data-at="{at}"]').click()


def hinted(desk: Desk) -> list[float]:
    path = desk.served.folder / "2 reel.hints.json"
    return [time for time, _ in load_film_hints(path).frames] if path.exists() else []


def test_frames_are_picked_hinted_and_their_hints_go_along_the_shot(film):
    opened(film, "0:00.080")
    begins = ["0:00.000, a shot begins", "0:00.480, a shot begins"]
    film.wait_until(lambda: cells(film, "film-whole", "[data-cut]") == begins)
    assert cells(film, "film-shot")[0] == "0:00.000, a shot begins"
    pick(film, 0)
    opened(film, "0:00.000")
    film.hint(45, 30, 1)
    settled(film, "Hints on 1 of 14 frames colour this shot.")
    assert hinted(film) == [0.0]
    shown = cells(film, "film-shot")
    assert all(one.endswith("in colour") for one in shown)
    assert shown[0] == "0:00.000, a shot begins, with hints, in colour"
    pick(film, 520_000)
    opened(film, "0:00.520")
    film.hint(30, 20, 2)
    settled(film, "Hints on 2 of 14 frames")
    assert hinted(film) == [0.0, 0.52]
    film.press("Control+z")
    settled(film, "Hints on 1 of 14 frames")
    assert hinted(film) == [0.0]
    film.press("Control+Shift+z")
    settled(film, "Hints on 2 of 14 frames")
    film.press(".")  # over the cut
    opened(film, "0:00.560")
    settled(film, "No hints in this shot")
    film.press(",")
    opened(film, "0:00.520")
    settled(film, "Hints on 2 of 14 frames")
    film.wait_until(lambda: len(cells(film, "film-whole", "[data-hinted]")) == 2)
    thumb(film).locator(".thumb-hints").filter(has_text="2").wait_for()
    # what is of photographs alone is not there
    for name in ("Protect", "Crop"):
        assert film.page.get_by_role("button", name=name, exact=True).is_hidden()
    film.press("k", "x", "r")
    assert film.page.locator("#viewport").get_attribute("data-tool") == "point"
    assert film.get("save").is_hidden()
    film.get("film-make").click()
    assert re.match(
        r"hybridvit film '.*2 reel\.mkv' --output '.*2 reel-coloured\.mkv'$",
        film.get("film-command").inner_text(),
    )
    film.press("Escape")
    # it is there again after the page was loaded anew, and gone with a photograph
    film.page.reload()
    opened(film, "0:00.520")
    film.page.locator("#strip .thumb[data-kind='photo']").first.click()
    film.page.locator("#film").wait_for(state="hidden")
    film.get("save").wait_for()
    thumb(film).click()
    opened(film, "0:00.520")


def test_by_keyboard_each_strip_is_one_stop(film):
    opened(film, "0:00.080")
    stops = film.page.locator('#film .cell[tabindex="0"]')
    assert stops.count() == 2
    stops.first.focus()
    film.press("Home")
    focused = "document.activeElement.querySelector('.unseen').textContent"
    film.wait_until(lambda: film.page.evaluate(focused).startswith("0:00.000"))
    film.press("ArrowRight", "ArrowDown")
    assert film.page.evaluate("document.activeElement.closest('ul').dataset.testid") == "film-shot"
    film.press("ArrowUp", "End", "Enter")
    opened(film, "0:01.000")  # the last of the whole film's
    assert stops.count() == 2


@pytest.mark.parametrize(
    ("scheme", "options"), [("light", {"viewport": {"width": 1280, "height": 800}}), ("dark", PHONE)]
)
def test_axe(browser, served, scheme, options, no_film_children):
    found = {}
    context = browser.new_context(**options, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    desk = Desk(context.new_page(), served)
    desk.page.goto(f"{served.address}#{served.ids()[FILM]}")
    opened(desk, "0:0")
    settled(desk, "No hints in this shot")
    found["strips"] = violations(desk)
    if scheme == "light":
        desk.get("film-make").click()
        desk.get("film-dialog").wait_for()
        found["dialog"] = violations(desk)
    context.close()
    assert {state: broken for state, broken in found.items() if broken} == {}


def test_without_its_packages_a_line_says_what_to_install(desk, served, monkeypatch):
    from hybridvit.studio import library

    monkeypatch.setattr(library, "films_can_be_read", lambda: False)
    desk.open("1 coat.tif")
    desk.get("message-note").filter(has_text="pip install 'hybridvit[film]'").wait_for()
    assert desk.page.locator('#strip .thumb[data-kind="film"]').count() == 0
