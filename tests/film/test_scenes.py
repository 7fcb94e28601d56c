"""Over cuts: what is the same in two shots gets the same colours, also from a reference photograph."""

import numpy as np
import pytest
from PIL import Image

from hybridvit.film import scenes
from hybridvit.film.carry import Carrier
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Region
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.places import Describer
from hybridvit.inference.predictor import Predictor
from tests.film.conftest import plane_of, read_film, scene, write_film

GREEN = (-40.0, 30.0)
RECIPE = Recipe(settings=Settings(borders="off"))


def squares(seed: int) -> np.ndarray:
    """96 x 96 px."""
    return np.random.default_rng(seed).integers(30, 220, (6, 6)).astype(np.uint8).repeat(16, 0).repeat(16, 1)


def view(gray: np.ndarray) -> np.ndarray:
    return gray.astype(np.uint16) * 257


def test_a_hint_in_one_shot_reaches_the_same_thing_in_another_and_no_other_shot(tiny_weights, tmp_path):
    everywhere = Region(((1, 1), (95, 1), (95, 95), (1, 95)), GREEN)
    again, other = (
        view(np.minimum(squares(1) + 6, 255).astype(np.uint8)),
        view(np.full((96, 96), 128, np.uint8)),
    )

    def shifts(hints: tuple) -> list[np.ndarray | None]:
        starts = [
            scenes.Start(0, view(squares(1)), hints),
            scenes.Start(9, again, ()),
            scenes.Start(20, other, ()),
        ]
        found = scenes.Scenes(
            Colorizer(tiny_weights),
            Describer(Predictor(tiny_weights)),
            (),
            RECIPE,
            starts,
            tmp_path / str(len(hints)),
        )
        alone = np.zeros((96, 96, 2), np.float32)
        return [found.shift(start.index, start.view, RECIPE, alone) for start in starts]

    alone, hinted = shifts(()), shifts((everywhere,))
    assert alone[2] is None
    assert hinted[2] is None
    toward = (hinted[1] - alone[1]).mean((0, 1)) @ (np.array(GREEN) / 50)
    assert toward > 5


def test_a_shift_stays_with_what_it_lies_on_all_along_the_shot():
    views = [(t, frame.astype(np.float32) / 2.55) for t, frame in enumerate(scene(49, step=1))]
    shift = np.full((64, 96, 2), 10.0, np.float32)
    carrier = Carrier(lambda t, L: np.zeros((*L.shape, 2), np.float32), shift=lambda t, ab: shift)
    found = [ab[20:44, 8 : 80 - t].mean() for t, ab in carrier.shot(views)]
    assert abs(found[0] - 10) < 0.1
    assert min(found) > 8


def test_a_film_of_two_shots_takes_the_colors_of_a_reference(film_command, tmp_path, capsys):
    lumas = [squares(1)] * 3 + [squares(2)] * 3
    film = write_film(tmp_path / "a.mkv", lumas)
    red = np.stack([np.minimum(squares(2) + 30, 255), squares(2) * 0.6, squares(2) * 0.6], -1).astype(
        np.uint8
    )
    Image.fromarray(red).save(tmp_path / "red.png")
    words = ("--codec", "ffv1", "--output")
    assert film_command(film, *words, tmp_path / "plain.mkv") == 0
    assert film_command(film, *words, tmp_path / "red.mkv", "--references", tmp_path / "red.png") == 0
    plain, told = (
        [plane_of(frame, 2).astype(float) for frame in read_film(tmp_path / name)[0]]
        for name in ("plain.mkv", "red.mkv")
    )
    assert told[5].mean() > plain[5].mean() + 3
    capsys.readouterr()
    Image.fromarray(squares(1)).save(tmp_path / "gray.png")
    with pytest.raises(SystemExit):
        film_command(film, "--output", tmp_path / "o.mkv", "--references", tmp_path / "gray.png")
    assert "no colours to take" in capsys.readouterr().err
