import numpy as np
import pytest

from hybridvit.film.shots import CutFinder
from tests.film.conftest import scene


def cuts_of(frames: list[np.ndarray]) -> list[int]:
    finder = CutFinder()
    for frame in frames:
        finder.add(frame)
    return finder.cuts()


def test_cuts_are_found_and_nothing_else():
    film = scene(12, seed=1) + scene(9, seed=2) + scene(1, seed=3) + scene(7, seed=4)
    assert cuts_of(film) == [0, 12, 21, 22] or cuts_of(film) == [
        0,
        12,
        21,
    ]  # a shot of one frame may be a flash
    assert cuts_of(scene(30, step=3)) == [0]
    assert cuts_of([]) == []


def test_a_flicker_of_exposure_is_no_cut():
    rng = np.random.default_rng(0)
    film = [
        np.clip(frame * rng.uniform(0.5, 1.1) + rng.uniform(0, 20), 0, 255).astype(np.uint8)
        for frame in scene(30)
    ]
    assert cuts_of(film) == [0]


@pytest.mark.parametrize("flash", [np.full((64, 96), 250, np.uint8), scene(1, seed=9)[0]])
def test_a_flash_or_a_dirty_frame_is_no_cut(flash):
    film = scene(20)
    film[10] = flash
    assert cuts_of(film) == [0]


def test_sixteen_bits_are_as_eight():
    film = [frame.astype(np.uint16) * 257 for frame in scene(8, seed=1) + scene(8, seed=2)]
    assert cuts_of(film) == [0, 8]
