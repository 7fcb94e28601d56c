"""The page without a mouse, without sight, on a phone; and its colour mathematics, against scikit-image's."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from tests.studio.browsing import Desk

COAT = "1 coat.tif"
NAMELESS = """() => {
    const controls = "button, input, select, textarea, summary, a[href], [role=slider], [tabindex='0']";
    return [...document.querySelectorAll(controls)]
        .filter((one) => one.checkVisibility({ visibilityProperty: true }))
        .filter((one) => {
            const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
            const by = document.getElementById(one.getAttribute("aria-labelledby"))?.textContent;
            return ![one.getAttribute("aria-label"), by, labels, one.textContent].some((name) => name?.trim());
        })
        .map((one) => one.outerHTML.slice(0, 200));
}"""
OUTSIDE = """() => {
    const wide = (one) => one.getBoundingClientRect().right > innerWidth + 1;
    const scrolls = (one) => one && (/auto|scroll|hidden|clip/.test(getComputedStyle(one).overflowX)
        || scrolls(one.parentElement));
    return [...document.querySelectorAll("body *")]
        .filter((one) => one.checkVisibility() && wide(one) && !scrolls(one.parentElement))
        .map((one) => one.outerHTML.slice(0, 200));
}"""


@pytest.fixture
def coat(desk):
    """The page with the first photograph."""
    desk.open(COAT)
    return desk


def test_by_keyboard_alone(coat, served):
    coat.page.keyboard.press("Tab")
    assert coat.page.evaluate("document.activeElement.textContent") == "Skip to the picture"
    coat.press("Enter")
    assert coat.page.evaluate("document.activeElement.id") == "viewport"
    first = coat.revision
    with coat.redrawn():
        coat.press("Shift+ArrowLeft", "ArrowUp", "Enter")
        coat.get("suggestion").first.wait_for()
        coat.press("4")
    (hint,) = served.recipe(COAT)["hints"]
    assert hint["x"] < 300 - 10
    assert 200 <= hint["y"] < 210
    assert "Point 1" in coat.get("announced").inner_text()
    coat.press("Escape")
    assert coat.page.evaluate("document.activeElement.id") == "viewport"
    with coat.redrawn():
        coat.press("m", "Shift+ArrowRight", "Shift+ArrowRight", "Enter")
    (moved,) = served.recipe(COAT)["hints"]
    assert moved["x"] > hint["x"] + 10
    with coat.redrawn():
        coat.press("Control+z", "Control+z")
    assert coat.revision == first
    with coat.redrawn():
        coat.press("PageDown")
    assert coat.get("photo-name").inner_text() == "2 again.png"
    coat.press("?")
    coat.page.get_by_role("dialog", name="By touch and by keyboard").wait_for()
    coat.press("Escape", "3")
    assert coat.page.locator("#viewport").get_attribute("data-mode") == "side"


def test_every_control_has_a_name(coat):
    for panel in ("variants", "reference", "carry"):
        coat.get(f"panel-{panel}").locator("summary").click()
    coat.hint(150, 100)
    coat.press("n", "2")
    coat.get("ring").first.wait_for()
    coat.ask(400, 300)
    assert coat.page.evaluate(NAMELESS) == []
    for image in coat.page.locator("img").all():
        assert image.get_attribute("alt") is not None
    assert coat.page.locator("h1").count() == 1
    assert coat.page.locator("html").get_attribute("lang") == "en"


def test_on_a_phone(browser, served):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Desk(context.new_page(), served)
    phone.open(COAT)
    assert phone.page.evaluate(OUTSIDE) == []
    with phone.redrawn():
        phone.page.touchscreen.tap(*phone.place(300, 380))
        phone.get("suggestion").nth(2).tap()
    assert phone.page.evaluate(OUTSIDE) == []
    sheet = phone.get("popup").bounding_box()
    assert (sheet["x"], sheet["width"]) == (0, 390)
    phone.page.get_by_role("button", name="Done").tap()
    (hint,) = served.recipe(COAT)["hints"]
    assert np.hypot(hint["x"] - 300, hint["y"] - 380) < 2
    phone.page.get_by_role("button", name="Panels", exact=True).tap()
    phone.get("save").tap()
    phone.get("saved").filter(has_text="Saved in").wait_for()
    assert phone.page.evaluate(OUTSIDE) == []
    phone.page.get_by_role("button", name="Help", exact=True).tap()
    help_ = phone.page.get_by_role("dialog", name="By touch and by keyboard")
    help_.get_by_text("With two fingers zoom").wait_for()
    assert phone.page.evaluate(OUTSIDE) == []
    help_.get_by_role("button", name="Close").tap()
    help_.wait_for(state="hidden")
    context.close()
    assert phone.problems == []


def test_where_the_browser_forbids_to_keep_anything(browser, served):
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    )
    desk = Desk(page, served)
    desk.open(COAT)
    themes = []
    for _ in range(3):
        page.get_by_role("button", name="Theme").click()
        themes.append(page.evaluate("document.documentElement.dataset.theme ?? 'system'"))
    page.close()
    assert themes == ["light", "dark", "system"]
    assert desk.problems == []


def test_light_and_dark(coat):
    shades = []
    for scheme in ("light", "dark"):
        coat.page.emulate_media(color_scheme=scheme)
        shade = coat.page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades.append(sum(int(number) for number in shade[shade.index("(") + 1 : -1].split(",")[:3]))
    assert shades[0] > 600
    assert shades[1] < 150


@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")  # those that do not fit are left out
def test_the_colours_of_the_page_are_those_of_the_server(coat):
    rng = np.random.default_rng(0)
    bytes_ = np.concatenate(
        [rng.integers(0, 256, (60, 3)), [[0, 0, 0], [255, 255, 255], [255, 0, 0], [1, 2, 0]]]
    )
    script = """async (colors) => {
        const { hexToLab, labToRgb, rgbToHex, hexAtLightness } = await import("/js/color.js");
        const hexes = colors.map((color) => rgbToHex(color.map((byte) => byte / 255)));
        const labs = hexes.map(hexToLab);
        const vivid = labs.map(([L, a, b]) => hexAtLightness(L, [3 * a, 3 * b]));
        return { labs, back: labs.map((lab) => rgbToHex(labToRgb(lab))), hexes, vivid: vivid.map(hexToLab) };
    }"""
    found = coat.page.evaluate(script, bytes_.tolist())
    expected = rgb2lab(bytes_ / 255)
    np.testing.assert_allclose(found["labs"], expected, atol=0.02)
    assert found["back"] == found["hexes"] == ["#{:02x}{:02x}{:02x}".format(*one) for one in bytes_.tolist()]
    vivid = np.array(found["vivid"])
    np.testing.assert_allclose(vivid[:, 0], expected[:, 0], atol=0.6)  # a hex is 8 bits
    clipped = lab2rgb(expected * (1, 3, 3))
    fits = np.abs(rgb2lab(clipped) - expected * (1, 3, 3)).max(-1) < 0.01
    assert 5 < fits.sum() < 60
    np.testing.assert_allclose(vivid[fits], (expected * (1, 3, 3))[fits], atol=1.5)
