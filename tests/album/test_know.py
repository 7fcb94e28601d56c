"""Real in all but size: photographs, sidecars, the command; a tiny model of strong opinions."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb

from hybridvit.album import know
from hybridvit.album.command import main
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Region
from hybridvit.hints.sidecar import Sidecar, save_hints
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.places import Describer
from hybridvit.inference.weights import save_weights
from hybridvit.photo.photo import read_provenance

GREEN = (-40.0, 30.0)


def texture(seed: int) -> np.ndarray:
    """96 x 96 px, of squares."""
    return np.random.default_rng(seed).integers(30, 220, (6, 6)).astype(np.uint8).repeat(16, 0).repeat(16, 1)


@pytest.fixture
def scans(tmp_path):
    """Two prints of one negative, the second lighter, and one that has nothing to do with them."""
    folder = tmp_path / "scans"
    folder.mkdir()
    Image.fromarray(texture(1)).save(folder / "a.png")
    Image.fromarray(np.minimum(texture(1) + 6, 255).astype(np.uint8)).save(folder / "b.png")
    Image.fromarray(np.full((96, 96), 128, np.uint8)).save(folder / "c.png")
    return folder


@pytest.fixture
def weights_file(tiny_weights, tmp_path):
    path = tmp_path / "tiny.safetensors"
    save_weights(tiny_weights, path)
    return path


def test_a_hint_reaches_the_same_thing_on_the_next_photograph(scans, tiny_weights, tmp_path):
    colorizer = Colorizer(tiny_weights)
    everywhere = Region(((1, 1), (95, 1), (95, 95), (1, 95)), GREEN)

    def colored(hints):
        recipes = {"a.png": Recipe(hints), "b.png": Recipe(), "c.png": Recipe()}
        pictures = [know.Picture(scans / name, recipe) for name, recipe in recipes.items()]
        of = know.know_album(colorizer, pictures, tmp_path / "index", Describer(colorizer.predictor))
        return {name: of(scans / name).open(scans / name).chroma(Recipe()) for name in recipes}

    alone, told = colored(()), colored((everywhere,))
    far = [np.linalg.norm(ab["b.png"] - GREEN, axis=-1).mean() for ab in (alone, told)]
    assert far[1] < 0.6 * far[0]
    plain = colorizer.open(scans / "c.png").chroma(Recipe())
    for ab in (alone, told):  # matches nothing
        np.testing.assert_array_equal(ab["c.png"], plain)


def test_a_reference_in_colour_lends_its_colours(scans, tiny_weights, tmp_path):
    colorizer = Colorizer(tiny_weights)
    lab = np.dstack([texture(1) / 2.55, *(np.full((96, 96), value) for value in GREEN)])
    reference = tmp_path / "museum.png"
    Image.fromarray(np.rint(lab2rgb(lab) * 255).astype(np.uint8)).save(reference)
    pictures = [know.Picture(scans / "b.png", Recipe()), know.Picture(reference, Recipe(), True)]
    of = know.know_album(colorizer, pictures, tmp_path / "index", Describer(colorizer.predictor))
    far = [
        np.linalg.norm(one.open(scans / "b.png").chroma(Recipe()) - GREEN, axis=-1).mean()
        for one in (colorizer, of(scans / "b.png"))
    ]
    assert far[1] < 0.7 * far[0]


def test_the_command_goes_on_and_makes_anew_what_a_hint_changes(
    scans, weights_file, tmp_path, capsys, monkeypatch
):
    (scans / "broken.png").write_bytes(b"none")
    argv = [str(scans), "--output", str(tmp_path / "out"), "--weights", str(weights_file)]
    assert main(argv) == 1
    assert "3 coloured, 1 failed" in capsys.readouterr().out
    album = json.loads(read_provenance(tmp_path / "out" / "a.png")["album"])
    assert album["photographs"] == ["b.png"]
    assert 0 < album["matched"] <= 1
    assert album["disagreement"] <= album["before"]
    assert "album" not in read_provenance(tmp_path / "out" / "c.png")

    looked = []
    describe = Describer.__call__
    monkeypatch.setattr(Describer, "__call__", lambda self, L: looked.append(1) or describe(self, L))
    assert main(argv) == 1
    assert "0 coloured, 3 done already, 1 failed" in capsys.readouterr().out
    everywhere = Region(((1, 1), (95, 1), (95, 95), (1, 95)), GREEN)
    save_hints(scans / "a.hints.json", Sidecar(96, 96, recipe=Recipe((everywhere,))))
    main(argv)
    assert "2 coloured, 1 done already, 1 failed" in capsys.readouterr().out
    assert not looked


def test_what_sees_nothing_is_a_usage_error(scans, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(scans), "--output", str(tmp_path / "out"), "--method", "levin"])
    assert ended.value.code == 2
    assert "use --weights" in capsys.readouterr().err
