"""What a look at one shot shows is what the film gets."""

import json

import numpy as np

from hybridvit.film import make, shot
from hybridvit.film.decode import open_film
from hybridvit.film.geometry import Geometry
from hybridvit.film.make import lightness_of
from hybridvit.film.shot import color_shot, painted
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import Point
from hybridvit.inference.colorizer import Colorizer
from tests.film.conftest import plane_of, read_film, scene, write_film


def test_a_shot_has_the_colours_of_the_film_to_the_bit(tmp_path, film_command, tiny_weights, monkeypatch):
    for module in (make, shot):
        monkeypatch.setattr(module, "LONGEST_PART", 7)
    reel, out = write_film(tmp_path / "reel.mkv", scene(12)), tmp_path / "out.mkv"
    hint = {"type": "point", "x": 40, "y": 30, "color": "#7a2e2e"}
    said = {"version": 1, "film": {"width": 96, "height": 64}, "frames": [{"time": 0.2, "hints": [hint]}]}
    (tmp_path / "reel.hints.json").write_text(json.dumps(said))
    assert film_command(reel, "--codec", "ffv1", "--chroma", "444", "--output", out) == 0
    frames, _ = read_film(out)

    film = open_film(reel)
    whole = Geometry(film.size, film.levels, film.matrix, 0, film.aspect, (0, 0, *film.size), 256)
    recipe = Recipe(settings=Settings(borders="off"))
    given = {5: (Point(40, 30, "#7a2e2e"),)}
    found = list(
        color_shot(Colorizer(tiny_weights), recipe, whole, lambda: (one.luma for one in film.frames()), given)
    )
    assert found[:12] == [None] * 12
    for frame, (one, ab) in zip(frames, found[12:], strict=True):
        planes = whole.chroma(one.frame.luma, lightness_of(one.view), ab, (1, 1), film.levels)
        for number, plane in enumerate(planes, 1):
            np.testing.assert_array_equal(plane_of(frame, number), plane)
    red = painted(*found[12 + 5])[28:32, 38:42].astype(int)
    assert (red[..., 0] - red[..., 1]).mean() > 30 * 257
