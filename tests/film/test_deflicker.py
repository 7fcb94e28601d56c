import numpy as np

from hybridvit.film.deflicker import Exposure, levelled
from hybridvit.film.levels import Levels
from tests.film.conftest import scene

VIDEO = Levels(8, False)


def gains_of(frames: list[np.ndarray], shots: tuple[int, ...] = (0,)) -> np.ndarray:
    exposure = Exposure(VIDEO)
    for frame in frames:
        exposure.add(frame)
    return exposure.gains(shots)


def exposed(frames: list[np.ndarray], by: np.ndarray) -> list[np.ndarray]:
    return [
        np.clip((f - 16.0) * 0.7 * g + 16, 0, 255).round().astype(np.uint8)
        for f, g in zip(frames, by, strict=True)
    ]


def test_flicker_goes_also_where_things_move_and_a_fade_stays():
    count = 60
    fade = np.linspace(1.2, 0.8, count)
    jumps = np.exp(np.random.default_rng(0).normal(0, 0.08, count))
    gains = gains_of(exposed(scene(count, step=2), fade * jumps))
    left = np.log(gains * jumps)
    assert np.diff(left).std() < 0.1 * np.diff(np.log(jumps)).std()
    assert np.abs(left - left.mean()).max() < 0.08  # of the fade, 0.4 in all, nothing is taken


def test_a_still_film_and_each_shot_by_itself_are_left_alone():
    np.testing.assert_allclose(gains_of(scene(9, step=0)), 1, atol=1e-6)
    dark = exposed(scene(8, step=0), np.full(8, 0.7))
    np.testing.assert_allclose(gains_of(scene(8, step=0) + dark, (0, 8)), 1, atol=1e-6)


def test_black_stays_and_nothing_is_cut_that_was_not():
    ramp = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(levelled(ramp, VIDEO, 1.0), ramp)
    lighter = levelled(ramp, VIDEO, 1.25)[0].astype(int)
    assert lighter[16] == 16
    assert lighter[116] == 141
    assert lighter[:236].max() == 235
    assert (np.diff(lighter) >= 0).all()
    np.testing.assert_array_equal(lighter[236:], ramp[0, 236:])
