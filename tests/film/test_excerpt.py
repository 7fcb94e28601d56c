"""Parts of films are what the whole film has there."""

import numpy as np
import pytest

from hybridvit.film.decode import open_film
from hybridvit.film.excerpt import open_excerpts, thumbnail, upright
from hybridvit.film.look import look_at
from tests.film.conftest import scene, write_film

UNEVEN = [40 * k + 7 * (k % 3) + 1000 for k in range(60)]  # ms, not from 0 on


@pytest.fixture(params=["mp4", "mkv", "ts"])
def reel(request, tmp_path):
    """60 frames in three shots."""
    film = scene(25) + scene(20, seed=1) + scene(15, seed=2)
    codec = "ffv1" if request.param == "mkv" else "libx264"
    return write_film(tmp_path / f"reel.{request.param}", film, codec=codec, times=UNEVEN)


def test_times_frames_and_cuts(reel):
    whole = list(open_film(reel).frames())
    times = [round((one.pts - whole[0].pts) * open_film(reel).time_base * 1_000_000) for one in whole]
    excerpts = open_excerpts(reel)
    found = list(excerpts.between(0, 10**9))
    assert [time for time, _ in found] == times
    for k in (0, 1, 24, 25, 44, 59):
        ((time, luma),) = excerpts.at([times[k] + 10_000])
        assert time == times[k]
        np.testing.assert_array_equal(luma, whole[k].luma)
    assert [time for time, _ in excerpts.at([10**9])] == times[-1:]
    assert times[-1] <= excerpts.length < times[-1] + 1_100_000
    middle = times[30] + 1
    parts = [excerpts.stretch(0, middle), excerpts.stretch(middle, 10**9)]
    assert [*parts[0].times, *parts[1].times] == times
    assert (parts[0].after, parts[1].after) == (times[31], None)
    seen = look_at(open_film(reel))
    assert [*parts[0].cuts, *parts[1].cuts] == [times[k] for k in seen.shots]
    lightest = np.maximum(parts[0].lightest[0], parts[1].lightest[0])
    np.testing.assert_allclose(lightest, np.max([one.luma.mean(1) for one in whole], 0))


def test_frames_as_they_are_shown(tmp_path):
    (luma,) = scene(1)
    path = write_film(tmp_path / "r.mp4", [luma] * 3, codec="libx264", rotation=90, sample_aspect_ratio=2)
    excerpts = open_excerpts(path)
    ((_, stored),) = excerpts.at([0])
    shown = upright(stored, excerpts.film)
    assert shown.shape == (96, 64)
    np.testing.assert_allclose(
        np.rot90(shown, -excerpts.film.turns)[5, 5], (float(stored[5, 5]) - 16) * 255 / 219, atol=1
    )
    small = thumbnail(stored, excerpts.film, 48)
    assert small.shape == (48, 16)  # 192 x 64, upright
