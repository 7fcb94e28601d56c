import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab

import hybridvit
from hybridvit.hints.raster import Window
from hybridvit.hints.recipe import Protected, Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Mask, Point, Stroke
from hybridvit.inference.canvas import Canvas
from hybridvit.inference.next_hint import next_hints
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.suggestions import likely_colors
from hybridvit.photo.borders import find_inside, respanned
from hybridvit.photo.photo import photo_of
from hybridvit.studio.colored import Colored
from hybridvit.studio.pyramid import Box, build_pyramid

RNG = np.random.default_rng(0)
NAMES = ("chelsea", "astronaut", "coffee", "rocket", "camera")


def gray(name: str) -> np.ndarray:
    return np.asarray(Image.fromarray(getattr(data, name)()).convert("L"))


def framed(photo: np.ndarray, share: float, tone: int, sides=(1, 1, 1, 1)) -> tuple[np.ndarray, Window]:
    """The photograph in a border of `share` of its size; sides: above, below, on the left, on the right."""
    height, width = photo.shape
    down, across = round(height * share), round(width * share)
    pad = (down * sides[0], down * sides[1]), (across * sides[2], across * sides[3])
    return np.pad(photo, pad, constant_values=tone), Window(pad[0][0], pad[1][0], height, width)


def noisy(pixels: np.ndarray, deviation: float) -> np.ndarray:
    return np.clip(pixels + RNG.normal(0, deviation, pixels.shape), 0, 255).astype(np.uint8)


def as_jpeg(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return np.asarray(Image.open(file))


def captioned(pixels: np.ndarray, inside: Window) -> np.ndarray:
    image = Image.fromarray(pixels)
    top, size = inside.top + inside.height, pixels.shape[0] - inside.top - inside.height
    font = ImageFont.load_default(size=size // 3)
    ImageDraw.Draw(image).text((inside.left, top + size // 3), "The harbour, 12 August 1931", 20, font=font)
    return np.asarray(image)


def off(found: Window | None, inside: Window) -> int:
    """By how many pixels the edges are missed."""
    assert found is not None
    ends = [(w.top, w.left, w.top + w.height, w.left + w.width) for w in (found, inside)]
    return max(abs(a - b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.05, 0.12, 0.3])
@pytest.mark.parametrize("tone", [255, 240, 150, 8, 0])
def test_a_border_is_found_to_the_pixel(name, share, tone):
    pixels, inside = framed(gray(name), share, tone)
    assert off(find_inside(pixels[..., None]), inside) <= 1
    deep = pixels.astype(np.uint16) * 257
    assert find_inside(np.dstack([deep] * 3)) == find_inside(pixels[..., None])


@pytest.mark.parametrize("name", NAMES)
def test_grain_jpeg_captions_mounts_and_film(name):
    photo = gray(name)
    pixels, inside = framed(photo, 0.15, 236)
    assert off(find_inside(noisy(pixels, 3)[..., None]), inside) <= 1
    assert off(find_inside(as_jpeg(pixels)[..., None]), inside) <= 2
    assert off(find_inside(captioned(pixels, inside)[..., None]), inside) <= 1

    mount, outer = framed(pixels, 0.1, 120)
    place = Window(outer.top + inside.top, outer.left + inside.left, *inside[2:])
    assert off(find_inside(mount[..., None]), place) <= 1

    film, inside = framed(photo, 0.2, 6)
    for x in range(4, film.shape[1] - 30, 60):  # perforations
        for y in (inside.top // 4, film.shape[0] - inside.top + inside.top // 4):
            film[y : y + inside.top // 2, x : x + 26] = 250
    assert off(find_inside(film[..., None]), inside) <= 1


@pytest.mark.parametrize("sides", [(1, 1, 0, 0), (0, 1, 0, 1), (0, 1, 1, 1)])
def test_not_on_all_sides(sides):
    pixels, inside = framed(gray("chelsea"), 0.1, 250, sides)
    assert off(find_inside(pixels[..., None]), inside) <= 1


def test_a_print_that_lies_askew_is_kept_whole():
    pixels, inside = framed(gray("coffee"), 0.15, 240)
    turned = np.asarray(Image.fromarray(pixels).rotate(1, Image.Resampling.BICUBIC, fillcolor=240))
    found = find_inside(turned[..., None])
    rise = 0.5 * np.sin(np.radians(1)) * np.array([inside.width, inside.height])  # of each side's ends
    assert inside.top - rise[0] - 3 <= found.top <= inside.top - rise[0] + 3
    assert inside.left - rise[1] - 3 <= found.left <= inside.left - rise[1] + 3


def test_a_large_scan_is_cut_at_full_size():
    photo = np.kron(gray("coffee"), np.ones((7, 7), np.uint8))
    pixels, inside = framed(photo, 0.0613, 244)
    assert off(find_inside(noisy(pixels, 2)[..., None]), inside) <= 2


@pytest.mark.parametrize("name", [*NAMES, "moon", "coins", "brick", "hubble_deep_field", "retina"])
def test_photographs_without_a_border_are_not_cut(name):
    assert find_inside(np.atleast_3d(gray(name))) is None


def scene(sky: float, ground: float) -> np.ndarray:
    """A flat sky down to a hill's uneven line."""
    y, x = np.mgrid[:300, :400]
    hill = 180 + 40 * np.sin(x / 50) + 15 * np.sin(x / 13)
    return np.where(y < hill, sky, ground)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(noisy(scene(252, 90), 2), id="white sky"),
        pytest.param(noisy(scene(80, 250), 2), id="snow"),
        pytest.param(np.where(scene(0, 1) > 0, noisy(scene(0, 60), 9), 0).astype(np.uint8), id="black night"),
        pytest.param(
            noisy(np.where(np.hypot(*(np.mgrid[:300, :400] - [[[150]], [[200]]])) < 90, 60, 245), 1),
            id="a round thing in a studio",
        ),
        pytest.param(noisy(np.where(np.mgrid[:300, :400][0] < 120, 250, 90), 2), id="sea under a white sky"),
        pytest.param(np.full((60, 80), 245, np.uint8), id="nothing"),
        pytest.param(np.full((3, 5), 245, np.uint8), id="next to nothing"),
    ],
)
def test_what_only_looks_like_a_border_stays(pixels):
    assert find_inside(pixels[..., None]) is None


@pytest.fixture(scope="module")
def colorizer():
    return hybridvit.load()


@pytest.mark.parametrize(
    ("name", "share", "tone"), [("chelsea", 0.05, 245), ("coffee", 0.3, 5), ("rocket", 0.15, 255)]
)
def test_the_inside_is_coloured_as_without_a_border_and_the_border_is_gray(colorizer, name, share, tone):
    photo = gray(name)
    pixels, inside = framed(photo, share, tone)
    pixels = captioned(pixels, inside) if share > 0.1 and tone > 200 else pixels
    box = np.s_[inside.top : inside.top + inside.height, inside.left : inside.left + inside.width]
    alone = rgb2lab(colorizer.colorize(photo).rgb)
    result = colorizer.colorize(pixels)
    lab = rgb2lab(result.rgb)
    assert deltaE_ciede2000(lab[box], alone).mean() < 0.1
    outside = np.ones(pixels.shape, bool)
    outside[box] = False
    assert np.linalg.norm(lab[..., 1:], axis=-1)[outside].max() < 0.1
    assert result.provenance["inside_borders"] == inside._asdict()
    assert result.provenance["settings"]["borders"] == "auto"
    assert any("--borders off" in remark for remark in result.remarks)
    doubt = result.uncertainty
    assert doubt[0].max() == doubt[:, -1].max() == 0 < doubt[doubt.shape[0] // 2, doubt.shape[1] // 2]

    everything = colorizer.colorize(pixels, borders="off")
    assert deltaE_ciede2000(rgb2lab(everything.rgb)[box], alone).mean() > 0.5
    assert "inside_borders" not in everything.provenance
    assert not everything.remarks


@pytest.fixture
def canvas(tiny_weights) -> Canvas:
    return Canvas(Predictor(tiny_weights), photo_of(framed(gray("coffee"), 0.25, 250)[0]))


SMALL = Settings(size=64)


def test_hints_are_met_in_the_photograph_in_its_border_and_across(canvas):
    inside = canvas.inside(SMALL)
    hints = (
        Point(inside.left + 300, inside.top + 200, (20.0, 10.0)),
        Point(20, 30, (-12.0, 6.0)),  # in the border, which is not shown to the model
        Stroke(((inside.left - 40, inside.top + 90), (inside.left + 40, inside.top + 90)), 12, (0.0, -12.0)),
    )
    rgb = canvas.picture(Recipe(hints, settings=SMALL))
    for (x, y), ab in (
        ((inside.left + 300, inside.top + 200), (20, 10)),
        ((20, 30), (-12, 6)),
        ((inside.left + 30, inside.top + 90), (0, -12)),
        ((inside.left - 30, inside.top + 90), (0, -12)),
    ):
        L, *found = rgb2lab(rgb[y, x])
        fits = rgb2lab(np.asarray(canvas.picture(Recipe(hints, settings=SMALL)))[y, x])
        np.testing.assert_allclose(found, fits[1:])
        if L < 97:  # the gamut has room for it
            np.testing.assert_allclose(found, ab, atol=1.5)
        assert np.hypot(*found) > 1.5
    away = rgb[10:20, 200:300].astype(int)
    assert (away == away[..., :1]).all()


def test_hints_in_the_border_alone_change_nothing_inside(canvas):
    inside = canvas.inside(SMALL)
    box = np.s_[inside.top : inside.top + inside.height, inside.left : inside.left + inside.width]
    with_hint = canvas.picture(Recipe((Point(20, 30, (-12.0, 6.0)),), settings=SMALL))
    np.testing.assert_array_equal(with_hint[box], canvas.picture(Recipe(settings=SMALL))[box])
    assert (with_hint[30, 20] != with_hint[30, 20, 0]).any()


def test_advice_knows_the_border(canvas):
    inside, recipe = canvas.inside(SMALL), Recipe(settings=SMALL)
    (only,) = likely_colors(canvas, recipe, 20, 30)
    assert (only.ab, only.share) == ((0.0, 0.0), 1.0)
    middle = inside.left + inside.width / 2, inside.top + inside.height / 2
    assert sum(color.share for color in likely_colors(canvas, recipe, *middle)) > 0.9
    for place in next_hints(canvas, recipe, 3):
        assert inside.left <= place.x < inside.left + inside.width
        assert inside.top <= place.y < inside.top + inside.height


def test_the_studio_paints_what_is_saved(canvas):
    recipe = Recipe((Point(500, 250, (20.0, 10.0)),), settings=SMALL)
    levels = build_pyramid(canvas.photo.pixels)
    colored = Colored(recipe, canvas.chroma(recipe), canvas.lightness(SMALL), canvas.inside(SMALL))
    height, width, _ = levels[0].shape
    whole = canvas.picture(recipe)
    np.testing.assert_array_equal(colored.tile(levels, 0, Box(0, 0, height, width)), whole)
    small = colored.tile(levels, 1, Box(0, 0, *levels[1].shape[:2])).astype(int)
    shrunk = whole[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
    assert np.abs(small[: height // 2, : width // 2] - shrunk).mean() < 3
    assert (small[:20] == small[:20, :, :1]).all()


def test_a_protected_area_keeps_its_colours_when_borders_are_switched(canvas):
    seen = canvas.inside(SMALL)
    area = Mask.of(np.ones((80, 100), bool), seen.left + 200, seen.top + 150)
    before = Recipe(settings=SMALL)
    after = Recipe(settings=Settings(size=64, borders="off"), protected=(Protected(area, before),))
    inner = np.s_[seen.top + 165 : seen.top + 215, seen.left + 215 : seen.left + 285]
    kept, was = (rgb2lab(canvas.picture(recipe))[inner] for recipe in (after, before))
    changed = rgb2lab(canvas.picture(Recipe(settings=after.settings)))[inner]
    # The view of the whole is coarser than that of the inside
    assert 3 * deltaE_ciede2000(kept, was).mean() < deltaE_ciede2000(changed, was).mean()


def test_respanned_values_stay_where_they_are():
    x = np.add.outer(np.arange(20.0), np.arange(30.0))
    wide = respanned(x, Window(100, 50, 200, 300), Window(0, 0, 400, 400))
    assert wide.shape == (40, 40)
    np.testing.assert_allclose(wide[10:30, 5:35], x)
    assert not wide[:10].any()
    assert not wide[:, 35:].any()
    np.testing.assert_allclose(respanned(wide, Window(0, 0, 400, 400), Window(100, 50, 200, 300)), x)
