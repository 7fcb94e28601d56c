"""What goes wrong is said on the page in words, and loses no hint."""

import json
import subprocess
import sys
import urllib.parse

import pytest

from hybridvit.hints.sidecar import load_hints
from hybridvit.inference.weights import save_weights
from tests.studio.browsing import Desk, Served

COAT = "1 coat.tif"
DROP = """([name, text]) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
        const event = new DragEvent(type, { dataTransfer: dropped, bubbles: true, cancelable: true });
        document.querySelector("#viewport").dispatchEvent(event);
    }
}"""


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def test_a_broken_file_and_one_that_is_no_photograph(coat):
    error = coat.get("message-error")
    coat.page.evaluate(DROP, ["letter.jpg", "Dear Sir,"])
    error.filter(has_text="letter.jpg: ").wait_for()
    coat.get("file").set_input_files({"name": "torn.tif", "mimeType": "image/tiff", "buffer": b"II*\0\x08\0"})
    error.filter(has_text="torn.tif: ").wait_for()
    coat.expect_problems("status of 415")
    coat.page.get_by_role("button", name="Close the message").first.click()
    assert error.count() == 1
    assert coat.get("photo-name").inner_text() == COAT
    assert coat.colorfulness() > 10


def test_hints_files_that_do_not_fit(coat, served):
    sidecar = served.recipe(COAT)
    other = sidecar | {"picture": {"width": 60, "height": 42}}
    green = sidecar | {"hints": [{"type": "point", "x": 5, "y": 5, "color": "green"}]}
    for name, text, said in [
        ("size.json", json.dumps(other), "the hints are for one of 60 x 42 px, but this has 600 x 420"),
        ("green.json", json.dumps(green), "hints[0].color"),
        ("letter.json", "Dear Sir,", "letter.json is no hints file: it is not JSON."),
    ]:
        file = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
        coat.get("sidecar-file").set_input_files(file)
        coat.get("message-error").filter(has_text=said).wait_for()
    coat.expect_problems("status of 400")
    assert served.recipe(COAT) == sidecar


def test_two_windows_on_one_photograph(browser, coat, served):
    other = Desk(browser.new_page(), served)
    other.open(COAT)
    other.hint(150, 100, 2)
    coat.ask(400, 300)
    coat.press("3")
    coat.page.get_by_role("button", name="Keep mine").wait_for()
    coat.expect_problems("status of 409")
    with coat.redrawn():
        coat.page.get_by_role("button", name="Take those changes").click()
    assert [hint["x"] for hint in served.recipe(COAT)["hints"]] == pytest.approx([150], abs=1)
    with coat.redrawn():
        coat.press("Escape", "Control+z")  # one's own are a step away
    assert [hint["x"] for hint in served.recipe(COAT)["hints"]] == pytest.approx([400], abs=1)
    assert other.problems == []
    other.page.close()


@pytest.fixture
def process(album, tmp_path, tiny_weights):
    """The studio as a user starts it."""
    weights = tmp_path / "tiny.safetensors"
    save_weights(tiny_weights, weights)
    flags = ["--checkpoint", weights, "--data", tmp_path / "data", "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hybridvit.studio", album, *flags],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_a_server_that_is_killed_loses_no_hint(browser, album, process, tiny_colorizer, tmp_path):
    address = process.stdout.readline().decode().split()[-1]
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    desk = Desk(page, None)
    page.goto(address)
    page.wait_for_selector("#viewport[data-revision]")
    desk.hint(150, 100, 2)
    process.kill()
    process.wait()
    sidecar = album / "1 coat.hints.json"
    assert len(load_hints(sidecar).recipe.hints) == 1

    desk.click(400, 300)
    desk.get("hex").fill("#2e6b3a")
    desk.press("Enter")
    lost = desk.get("message-error").filter(has_text="The studio does not answer. Your hints are safe here")
    lost.wait_for()
    desk.get("hint-row").nth(1).wait_for()  # shown as if nothing were wrong
    with desk.redrawn():
        again = Served(tiny_colorizer, album, tmp_path / "data", urllib.parse.urlsplit(address).port)
    lost.wait_for(state="detached")
    desk.wait_until(lambda: desk.get("message-error").count() == 0)  # what went wrong in that time is over
    hints = load_hints(sidecar).recipe.hints
    assert [hint.color for hint in hints][1:] == ["#2e6b3a"]
    red, green, _ = desk.color(400, 300)
    assert green > red
    desk.expect_problems("net::ERR_|status of (409|410)")
    assert desk.problems == []
    page.close()
    again.stop()
