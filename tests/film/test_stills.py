import numpy as np
import pytest
from PIL import Image

from hybridvit.film.stills import LONGER, points_of, still_of
from tests.film.conftest import plane_of, read_film, scene, write_film


def test_points_lie_where_the_still_has_their_colors(tmp_path):
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80], pixels[:, 80:] = (200, 40, 40), (40, 120, 60)
    Image.fromarray(pixels).save(tmp_path / "still.png")
    points = points_of(tmp_path / "still.png", 320, 180)
    assert len(points) == LONGER * 9
    assert {point.color[0] > 0 for point in points if point.x < 160} == {True}
    assert {point.color[0] > 0 for point in points if point.x >= 160} == {False}
    assert (min(p.x for p in points) > 0, max(p.x for p in points) < 320, max(p.y for p in points) < 180) == (
        True,
    ) * 3
    with pytest.raises(ValueError, match="not the shape of the film's 180 x 180"):
        points_of(tmp_path / "still.png", 180, 180)


def test_what_is_said_of_a_still():
    assert still_of("12.5=a=b.png")[0] == 12.5
    assert still_of("12.5=a=b.png")[1].name == "a=b.png"
    for wrong in ("a.png", "-1=a.png", "3=", "inf=a.png", "nan=a.png"):
        with pytest.raises(ValueError, match="--still"):
            still_of(wrong)


def test_a_still_in_color_colors_its_shot(film_command, tmp_path):
    film = write_film(tmp_path / "a.mkv", scene(6, step=0))
    red = np.stack([scene(1)[0], scene(1)[0] // 2, scene(1)[0] // 2], -1)
    Image.fromarray(red).save(tmp_path / "still.png")
    words = ("--codec", "ffv1", "--output", tmp_path / "b.mkv", "--still", f"0.12={tmp_path / 'still.png'}")
    assert film_command(film, *words) == 0
    assert min(plane_of(frame, 2).mean() for frame in read_film(tmp_path / "b.mkv")[0]) > 140
