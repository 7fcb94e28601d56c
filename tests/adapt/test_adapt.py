import sys

import numpy as np
import pytest
from PIL import Image

from hybridvit.adapt import command, folder, learn
from hybridvit.adapt.lesson import Lesson, lesson_of
from hybridvit.adapt.low_rank import begin, changed
from hybridvit.adapt.prospects import Anchor
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.review import review_now
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import Sidecar, load_hints, save_hints
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.weights import load_weights, save_weights

SIDE = 64
MEAN = Settings(size=SIDE, decode="mean")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Of one kind: the lower half of each is a lawn."""
    rng = np.random.default_rng(0)
    some = []
    for level in rng.integers(80, 140, 12):
        pixels = np.full((SIDE, SIDE), 200) + rng.integers(-6, 6, (SIDE, SIDE))
        pixels[SIDE // 2 :] += int(level) - 200
        some.append(pixels.astype(np.uint8))
    return some


def lawn(pixels: np.ndarray) -> Recipe:
    """It is known to be green."""
    return Recipe(
        (Point(32, 48, (-40.0, 40.0), reach=1.0), Point(32, 12, (0.0, 0.0), reach=1.0)), settings=MEAN
    )


def test_what_was_corrected_in_some_is_shown_in_others(tiny_weights, pictures):
    colorizer = Colorizer(tiny_weights)
    canvases = [colorizer.open(one) for one in pictures]
    lessons = [lesson_of(canvas, lawn(canvas.photo.pixels)) for canvas in canvases[:8]]
    anchors = [
        lesson_of(colorizer.open(one[:, ::-1] // 2 + 20), Recipe(settings=MEAN)) for one in pictures[:8]
    ]
    factors = learn.train(tiny_weights, lessons, anchors, steps=20)
    taught = Colorizer(tiny_weights._replace(params=changed(tiny_weights.params, factors)))

    def far(colorizer: Colorizer) -> float:
        L = np.stack([canvas.lightness(MEAN) for canvas in canvases[8:]])
        told = np.stack([lesson_of(canvas, lawn(canvas.photo.pixels)).ab for canvas in canvases[8:]])
        return float(np.square(colorizer.predictor(L).mean - told).mean())

    assert far(taught) < 0.9 * far(colorizer)


def test_a_change_that_was_not_learnt_changes_nothing(tiny_weights):
    factors = begin(tiny_weights.params)
    same = changed(tiny_weights.params, factors)
    assert {name.split("/")[0] for name in factors} >= {"blocks", "bins"}
    flat = [np.asarray(one) for one in (same["bins"]["kernel"], tiny_weights.params["bins"]["kernel"])]
    assert np.array_equal(*flat)
    name = next(iter(factors))
    factors[name]["up"] += 1
    moved = changed(tiny_weights.params, factors, 0.5)
    inner = moved
    was = tiny_weights.params
    for key in name.split("/"):
        inner, was = inner[key], was[key]
    assert np.allclose(inner - was, 0.5 * factors[name]["down"] @ factors[name]["up"], atol=1e-6)


def test_squares_are_as_large_as_most_allow(tiny_weights):
    def of(*sides: int) -> list[Lesson]:
        return [Lesson(np.zeros((side, side + 8)), *(np.zeros(1) for _ in range(4))) for side in sides]

    many = [192] * 16
    assert learn.square_side(of(64, *[200] * 10), of(96, *many)) == 192
    assert learn.square_side(of(*[512] * 10), of(*[512] * 16)) == learn.LARGEST
    assert learn.square_side(of(200, 200), of(100, 192)) == 96
    assert learn.square_side(of(64, 64), of(*many)) == 64


def test_nothing_is_taken_that_does_not_help(tiny_weights, pictures, monkeypatch):
    colorizer = Colorizer(tiny_weights)
    lessons = [
        lesson_of(colorizer.open(one), Recipe(settings=MEAN)) for one in pictures[:4]
    ]  # as it says already

    def worse(weights, *rest):
        factors = begin(weights.params)
        factors["bins/kernel"]["up"] += 1.0
        name = next(name for name in factors if name.startswith("decoder_quarter"))
        factors[name]["up"] += 0.5
        return factors

    monkeypatch.setattr(learn, "train", worse)
    found = learn.adapt(tiny_weights, lessons, [Anchor(one) for one in lessons], "mine")
    assert (found.strength, found.gain, found.weights.name) == (0.0, 0.0, "mine")


@pytest.fixture
def collection(tmp_path, tiny_weights, pictures):
    """A folder of twelve: eight corrected, one accepted, one rejected; and weights to begin with."""
    scans = tmp_path / "scans"
    scans.mkdir()
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(scans / f"{i:02d}.png")
        review = {8: review_now("rejected", ""), 9: review_now("accepted", "")}.get(i)
        if i < 8 or review:
            recipe = lawn(pixels) if i < 9 else Recipe()
            save_hints(scans / f"{i:02d}.hints.json", Sidecar(SIDE, SIDE, recipe=recipe, review=review))
    save_weights(tiny_weights, tmp_path / "tiny.safetensors")
    return scans


def test_the_command_writes_weights_that_are_loaded_like_any(collection, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(learn, "STEPS", 20)
    output = tmp_path / "collection.safetensors"
    argv = [str(collection), "--output", str(output), "--weights", str(tmp_path / "tiny.safetensors")]
    argv += ["--replay", str(collection), "--loss", "100"]
    assert command.main(argv) == 0
    assert "learnt from 8 corrected photographs and 0 accepted results" in capsys.readouterr().out
    taught = load_weights(output)
    assert taught.name == "tiny, adapted to scans"
    assert taught.digest != load_weights(tmp_path / "tiny.safetensors").digest


def test_a_folder_is_sorted_by_what_was_said(collection, tmp_path):
    from hybridvit.colorize.batch import colorize_files
    from hybridvit.colorize.inputs import find_sources
    from hybridvit.colorize.naming import plan
    from hybridvit.colorize.summary import Summary

    coloured = tmp_path / "coloured"
    jobs = plan(find_sources([str(collection)], coloured).sources, coloured).jobs
    colorizer = Colorizer(load_weights(tmp_path / "tiny.safetensors"))
    colorize_files(colorizer, [jobs[9]], Summary(total=1), sidecar_of=lambda path: None)
    (collection / "11.hints.json").write_text("{")
    found = folder.sort_folder(collection, coloured)
    assert sorted(one.path.stem for one in found.taught) == [
        "00",
        "01",
        "02",
        "03",
        "04",
        "05",
        "06",
        "07",
        "09",
    ]
    assert [one.accepted for one in found.taught if one.path.stem == "09"] == [jobs[9].results[0]]
    assert list(found.failed) == ["11.png"]
    (accepted,) = folder.lessons_of(
        colorizer, found._replace(taught=[one for one in found.taught if one.accepted])
    )
    assert accepted.hinted.any()
    assert load_hints(collection / "09.hints.json").review.state == "accepted"


def test_colours_are_those_of_the_file(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 15:] = 0x2E, 0x6B, 0x3A
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (hint,) = folder.colors_at(tmp_path / "a.png", [(22.0, 10.0)])
    assert (hint.x, hint.y, hint.color) == (22.0, 10.0, "#2e6b3a")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["nowhere", "--output", "a.safetensors"], "no such folder"),
        (["{scans}", "--output", "a.safetensors", "--loss", "nan"], "--loss nan is not a number above 0"),
        (["{scans}", "--output", "a.pt"], "has to end in .safetensors"),
        (["{scans}", "--output", "nowhere/a.safetensors"], "no such folder"),
        (["{empty}", "--output", "a.safetensors"], "nothing is corrected or accepted yet"),
        (["{scans}", "--output", "a.safetensors", "--weights", "none.safetensors"], "no weights at"),
    ],
)
def test_mistakes_are_one_line(argv, said, collection, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(empty / "a.png")
    with pytest.raises(SystemExit) as ended:
        command.main([text.format(scans=collection, empty=empty) for text in argv])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_without_its_extra_it_is_told(collection, tmp_path, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("hybridvit.adapt.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(SystemExit) as ended:
        command.main([str(collection), "--output", str(tmp_path / "a.safetensors")])
    assert ended.value.code == 2
    assert "hybridvit adapt needs optax: pip install 'hybridvit[train]'" in capsys.readouterr().err
