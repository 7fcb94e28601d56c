"""What is computed before it is asked for: the colours that are likely chosen, the tiles that are in sight."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hybridvit.inference.canvas import Canvas
from hybridvit.studio.colored import Colored
from hybridvit.studio.studio import Studio


@pytest.fixture
def done(monkeypatch) -> dict[str, list]:
    """The recipes that were coloured, and the places of the tiles that were drawn."""
    done = {"recipes": [], "tiles": []}
    chroma, tile = Canvas.chroma, Colored.tile

    def color(self, recipe):
        done["recipes"].append(recipe)
        return chroma(self, recipe)

    def draw(self, levels, level, box):
        drawn = tile(self, levels, level, box)
        done["tiles"].append((self.recipe, level, box))
        return drawn

    monkeypatch.setattr(Canvas, "chroma", color)
    monkeypatch.setattr(Colored, "tile", draw)
    return done


def wait_for(found: list, count: int) -> None:
    for _ in range(600):
        if len(found) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} of {count}")


def hinted(done) -> list[str]:
    """The colours of the hints that it was coloured with; without any it is for what the list begins with."""
    return [recipe.hints[0].color for recipe in done["recipes"] if recipe.hints]


def test_a_likely_colour_is_there_when_it_is_chosen(client, ids, done):
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    client.get(f"{url}/tiles/{opened['revision']}/0/0/0")
    place = {"x": 30.5, "y": 40, "revision": opened["revision"]}
    likely = client.get(f"{url}/colors", params={**place, "ahead": 2}).json()["colors"]
    assert len(likely) > 2
    wait_for(done["tiles"], 3)
    assert hinted(done) == [one["color"] for one in likely[:2]]

    hint = {"type": "point", "x": 30.5, "y": 40, "color": likely[1]["color"]}
    revision = client.put(f"{url}/sidecar", json={**opened["sidecar"], "hints": [hint]}).json()["revision"]
    assert client.get(f"{url}/tiles/{revision}/0/0/0").status_code == 200
    assert (len(hinted(done)), len(done["tiles"])) == (2, 3)


def test_what_is_in_sight_is_drawn_with_its_colours(client, ids, done):
    url = f"/api/photos/{ids['box/deep.tif']}"
    opened = client.get(url).json()
    for column in (0, 1):
        client.get(f"{url}/tiles/{opened['revision']}/0/1/{column}")
    hint = {"type": "point", "x": 30, "y": 40, "color": "#2e6b3a"}
    client.put(f"{url}/sidecar", json={**opened["sidecar"], "hints": [hint]})
    wait_for(done["tiles"], 4)
    assert {(level, box.top, box.left) for recipe, level, box in done["tiles"] if recipe.hints} == {
        (0, 512, 0),
        (0, 512, 512),
    }


def test_nothing_is_without_being_asked_for(client, ids, done):
    url = f"/api/photos/{ids['photo 2.png']}"
    client.get(f"{url}/colors?x=3&y=4")
    client.get(f"{url}/gamut?x=3&y=4")
    time.sleep(0.2)
    assert hinted(done) == []
    assert client.get(f"{url}/colors?x=3&y=4&ahead=3").status_code == 400


class Held:
    """Holds the first colouring with a hint that the model is given, until it is let go: not what confirms."""

    def __init__(self, monkeypatch):
        self.begun, self.go = threading.Event(), threading.Event()
        conditioned = Canvas._conditioned

        def wait(canvas, hints, settings):
            if hints and not self.begun.is_set():
                self.begun.set()
                assert self.go.wait(60)
            return conditioned(canvas, hints, settings)

        monkeypatch.setattr(Canvas, "_conditioned", wait)


@pytest.fixture
def held(monkeypatch) -> Held:
    return Held(monkeypatch)


@pytest.fixture
def ended(monkeypatch) -> threading.Event:
    """Set when something is asked for while another thing is coloured ahead."""
    ended, end = threading.Event(), Studio.end_ahead

    def listen(self, wanted=None):
        was = self.ahead
        end(self, wanted)
        if was is not None:
            ended.set()

    monkeypatch.setattr(Studio, "end_ahead", listen)
    return ended


def test_what_is_typed_does_not_wait_for_what_is_likely(client, ids, monkeypatch, held, ended, caplog):
    finished, chroma = [], Canvas._chroma
    monkeypatch.setattr(
        Canvas,
        "_chroma",
        lambda canvas, recipe: (chroma(canvas, recipe), finished.append([h.color for h in recipe.hints]))[0],
    )
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    place = {"x": 30.5, "y": 40, "revision": opened["revision"]}
    likely = client.get(f"{url}/colors", params={**place, "ahead": 2}).json()["colors"]
    assert held.begun.wait(60)
    assert not ended.is_set()
    hint = {"type": "point", "x": 30.5, "y": 40, "color": "#2e6b3a"}
    with ThreadPoolExecutor() as pool:
        put = pool.submit(client.put, f"{url}/sidecar", json={**opened["sidecar"], "hints": [hint]})
        assert ended.wait(60)
        held.go.set()
        assert put.result().status_code == 200
    assert finished[-1] == ["#2e6b3a"]
    assert [likely[1]["color"]] not in finished
    assert not caplog.records


def test_a_likely_colour_that_is_chosen_meanwhile_is_finished(client, ids, done, held, ended):
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    place = {"x": 30.5, "y": 40, "revision": opened["revision"]}
    likely = client.get(f"{url}/colors", params={**place, "ahead": 2}).json()["colors"]
    assert held.begun.wait(60)
    hint = {"type": "point", "x": 30.5, "y": 40, "color": likely[1]["color"]}
    with ThreadPoolExecutor() as pool:
        put = pool.submit(client.put, f"{url}/sidecar", json={**opened["sidecar"], "hints": [hint]})
        assert ended.wait(60)
        held.go.set()
        assert put.result().status_code == 200
    assert hinted(done) == [one["color"] for one in likely[:2]]
