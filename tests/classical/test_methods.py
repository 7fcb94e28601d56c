"""The methods through the interface of a model: arrays, photographs, the command."""

import pathlib

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from hybridvit.classical.methods import METHODS, REFERENCED, load_method
from hybridvit.colorize import command as colorize
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import PaletteColor, Point
from hybridvit.hints.sidecar import Sidecar, save_hints
from hybridvit.photo.photo import read_provenance

HEIGHT, WIDTH = 90, 130


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    y, x = np.mgrid[:70, :100]
    return np.stack([2 * x, 100 + y, 255 - 2 * x], -1).astype(np.uint8)


@pytest.fixture(scope="module")
def gray() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (40 + 0.5 * y + 0.8 * x + 20 * (x > 70)).astype(np.uint8)


def test_the_command_knows_them():
    assert tuple(METHODS) == colorize.METHODS
    assert colorize.REFERENCED == REFERENCED


@pytest.mark.parametrize("name", METHODS)
def test_predict_ab_depends_on_lightness_and_hints_and_keeps_these(name, reference):
    colorizer = METHODS[name](reference)
    rng = np.random.default_rng(0)
    L = rng.uniform(20, 80, (2, 40, 56)).astype(np.float32)
    ab, mask = rng.uniform(-30, 30, (2, 40, 56, 2)).astype(np.float32), np.zeros((2, 40, 56), bool)
    mask[0, 10:12, 20:22] = mask[0, 30, 40] = True
    found = colorizer.predict_ab(L, ab, mask)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[mask], ab[mask])
    np.testing.assert_allclose(found[1], colorizer.predict_ab(L[1:], ab[1:], mask[1:])[0], atol=1e-4)
    np.testing.assert_array_equal(found, METHODS[name](reference).predict_ab(L, ab * mask[..., None], mask))


@pytest.mark.parametrize("name", METHODS)
def test_photographs_keep_their_lightness_and_get_colour(name, reference, gray):
    result = METHODS[name](reference).colorize(gray, [Point(20, 30, (12.0, -8.0))], size=64)
    before, after = (rgb2lab(x) for x in (np.repeat(gray[..., None], 3, -1), result.rgb))
    assert np.abs(before[..., 0] - after[..., 0]).max() <= 0.5
    assert np.abs(after[..., 1:]).max() > 5
    np.testing.assert_allclose(after[30, 20, 1:], (12, -8), atol=2)
    assert result.uncertainty is None
    assert result.provenance["method"] == name
    assert "model" not in result.provenance


def test_settings_and_palettes_hold_here_too(gray):
    rules = METHODS["rules"](None)
    np.testing.assert_array_equal(rules.colorize(gray, strength=0.0).rgb, np.repeat(gray[..., None], 3, -1))
    red = rgb2lab(rules.colorize(gray, palette=[PaletteColor("#a03030")]).rgb)
    assert red[..., 1].mean() > 10
    with pytest.raises(ValueError, match="rules draws no samples: choose decode 'vivid' or 'mean'"):
        rules.colorize(gray, decode="sample")


def test_digests_tell_methods_and_references_apart(reference):
    digests = {METHODS[name](reference).digest for name in METHODS}
    assert len(digests) == len(METHODS)
    assert METHODS["welsh"](reference).digest == METHODS["welsh"](reference.copy()).digest
    assert METHODS["welsh"](reference).digest != METHODS["welsh"](reference[::-1]).digest
    assert METHODS["levin"](reference).digest == METHODS["levin"](None).digest


def test_a_reference_of_16_bits_is_the_same(reference):
    L, none = np.full((1, 20, 30), 50, np.float32), (np.zeros((1, 20, 30, 2)), np.zeros((1, 20, 30), bool))
    eight, sixteen = (METHODS["reinhard"](x) for x in (reference, reference.astype(np.uint16) * 257))
    np.testing.assert_allclose(eight.predict_ab(L, *none), sixteen.predict_ab(L, *none), atol=0.05)


def test_no_reference():
    with pytest.raises(ValueError, match="welsh needs a reference photograph"):
        load_method("welsh")


@pytest.fixture
def scan(tmp_path, monkeypatch, gray, reference) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(gray).save("a.png")
    Image.fromarray(reference).save("colours.png")
    save_hints("a.hints.json", Sidecar(WIDTH, HEIGHT, recipe=Recipe((Point(20, 30, (12.0, -8.0)),))))
    return pathlib.Path("a.png")


@pytest.mark.parametrize("name", METHODS)
def test_the_command(name, scan, capsys):
    line = f"a.png --output out --method {name} --reference colours.png"
    for said in ("out: 1 coloured\n", "out: 0 coloured, 1 done already\n"):
        assert colorize.main(line.split()) == 0
        assert capsys.readouterr().out == said
    lab = rgb2lab(Image.open("out/a.png"))
    np.testing.assert_allclose(lab[30, 20, 1:], (12, -8), atol=2)
    assert read_provenance("out/a.png")["method"] == name


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--method welsh", "--method welsh takes its colours from a photograph: name it with --reference"),
        ("--method welsh --reference a.png", "--reference a.png: a gray picture has no colours to take"),
        ("--method levin --uncertainty", "--uncertainty: levin does not know how sure it is"),
        ("--method levin --samples 2", "--method levin draws no samples"),
        ("--method levin --decode sample", "--method levin draws no samples"),
        ("--method levin --weights w", "argument --weights: not allowed with argument --method"),
        ("--method magic", "argument --method: invalid choice: 'magic'"),
    ],
)
def test_mistakes_are_one_line(flags, said, scan, capsys):
    with pytest.raises(SystemExit) as exit_:
        colorize.main(f"a.png --output out {flags}".split())
    assert exit_.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
