import json

import jsonschema
import numpy as np
import pytest

from hybridvit.film import hints
from hybridvit.film.flow import shrunk
from hybridvit.film.tracks import frames_at, moved, spread
from hybridvit.hints.shapes import Point, Region, Stroke
from tests.film.conftest import scene

POINT = {"type": "point", "x": 30, "y": 20, "color": "#7a2e2e"}
GOOD = {"version": 1, "film": {"width": 96, "height": 64}, "frames": [{"time": 0.2, "hints": [POINT]}]}


def test_a_file_is_read_and_fits_its_schema(tmp_path):
    path = tmp_path / "clip.hints.json"
    data = GOOD | {"settings": {"strength": 0.8}, "palette": [{"color": "#6b4a2f"}]}
    path.write_text(json.dumps(data))
    found = hints.load_film_hints(path)
    assert found.frames == ((0.2, (Point(30, 20, "#7a2e2e"),)),)
    assert found.recipe.settings.strength == 0.8
    jsonschema.validate(data, json.loads(hints.SCHEMA.read_text()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 3}, "version: 3 is not known"),
        ({"frames": {}}, "frames: {} is not a list"),
        ({"frames": [{"time": -1, "hints": []}]}, "frames[0].time: -1 is not a number of seconds"),
        ({"frames": [{"time": 1, "hints": [POINT | {"x": 96}]}]}, "frames[0].hints[0].x: 96 is outside"),
        ({"frames": [{"time": 1, "hints": [POINT | {"color": "red"}]}]}, "frames[0].hints[0].color"),
        ({"picture": {}}, "sidecar of a photograph"),
        ({"film": {"width": 0, "height": 64}}, "film.picture.width: 0 is not"),
        ({"more": 1}, "an object with version, film and frames"),
    ],
)
def test_what_is_wrong_is_a_line_that_names_it(tmp_path, change, said):
    path = tmp_path / "clip.hints.json"
    path.write_text(json.dumps(GOOD | change))
    with pytest.raises(ValueError, match=r"^.*clip.hints.json: ") as error:
        hints.load_film_hints(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_hints_go_both_ways_with_what_they_lie_on_until_it_leaves():
    film = scene(17, step=2)
    smalls = [shrunk(frame.astype(np.float32) / 2.55) for frame in film]
    given = Point(40, 30, "#7a2e2e")
    tracks = spread(smalls, {8: (given,)}, (64, 96))
    for t in range(17):
        (point,) = tracks[t]
        assert (point.x, point.y) == pytest.approx((40 - 2 * (t - 8), 30), abs=1.5)
        assert point.color == given.color
    leaving = spread(smalls, {8: (Point(6, 30, "#7a2e2e"),)}, (64, 96))
    assert min(leaving) == 0
    assert 8 <= max(leaving) <= 12


def test_where_a_person_says_more_that_counts():
    smalls = [shrunk(frame.astype(np.float32) / 2.55) for frame in scene(9, step=0)]
    first, second = Point(40, 30, "#7a2e2e"), Point(40, 30, "#2e2e7a")
    tracks = spread(smalls, {0: (first,), 6: (second,)}, (64, 96))
    assert tracks[6] == (second,)
    assert [one.color for one in tracks[8]] == ["#2e2e7a"]


def test_all_shapes_move():
    def move(x: float, y: float) -> tuple[float, float]:
        return x / 2, y / 2 + 1

    assert moved(Stroke(((2, 2), (6, 4)), 8, "#7a2e2e"), move) == Stroke(((1, 2), (3, 3)), 4, "#7a2e2e")
    polygon = Region(((0, 0), (4, 0), (0, 4)), "#7a2e2e")
    assert moved(polygon, move).area == ((0, 1), (2, 1), (0, 3))


def test_the_frame_that_is_shown_at_a_time():
    assert frames_at([0.0, 0.04, 0.1], [0.0, 0.039, 0.04, 0.0999, 5.0]) == [0, 0, 1, 2, 2]
