import numpy as np

from hybridvit.film.carry import EVERY, Carrier, pace
from tests.film.conftest import scene


def views(frames: int, **kwargs) -> list[tuple[int, np.ndarray]]:
    return [(t, frame.astype(np.float32) / 2.55) for t, frame in enumerate(scene(frames, **kwargs))]


def moving_colors(t: int, frames: int, step: int) -> np.ndarray:
    """Chroma that lies on the things of `scene`, as its luma does."""
    return np.stack([scene(frames, seed=seed, step=step)[t] / 4.0 for seed in (5, 6)], -1).astype(np.float32)


def test_few_frames_need_the_model_and_colors_go_with_what_they_lie_on():
    asked, count = [], 25
    wanted = [moving_colors(t, count, 2) for t in range(count)]

    def predict(t: int, L: np.ndarray) -> np.ndarray:
        asked.append(t)
        return wanted[t]

    found = list(Carrier(predict).shot(views(count, step=2)))
    assert [t for t, _ in found] == list(range(count))
    assert asked == list(range(0, count, EVERY))
    still = np.mean([np.abs(wanted[0] - wanted[t]).mean() for t in range(4, count)])
    carried = np.mean([np.abs(ab - wanted[t])[4:-4, 8:-8].mean() for t, ab in found])
    assert carried < 0.25 * still


def test_what_flickers_in_the_model_does_not_in_the_film():
    rng, count = np.random.default_rng(0), 65

    def predict(t: int, L: np.ndarray) -> np.ndarray:
        return np.full((*L.shape, 2), rng.normal(0, 10), np.float32)

    colors = np.array([ab[32, 48, 0] for _, ab in Carrier(predict).shot(views(count, step=0))])
    assert np.abs(np.diff(colors)).mean() < 0.1 * 10
    assert np.abs(np.diff(colors[33:])).max() < 0.5


def test_a_shot_in_two_parts_is_the_shot_and_a_new_shot_knows_nothing_of_the_last():
    def predict(t: int, L: np.ndarray) -> np.ndarray:
        return np.full((*L.shape, 2), 10.0 * (t % 3), np.float32)

    frames = views(17)
    whole = [ab for _, ab in Carrier(predict).shot(frames)]
    first, second = Carrier(predict), Carrier(predict)
    parts = [ab for _, ab in first.shot(frames[:9])]
    second.memory = first.memory
    parts += [ab for _, ab in second.shot(frames[9:])]
    np.testing.assert_array_equal(whole, parts)
    assert next(Carrier(predict).shot(frames[8:]))[1][0, 0, 0] == 10.0 * (8 % 3)


def test_of_large_frames_few_wait():
    assert pace(854 * 480) == EVERY
    assert pace(3840 * 2160) == 8
    assert pace(7680 * 4320) == 2
    assert pace(2**40) == 1


def test_a_given_key_frame_is_the_models_alone():
    def predict(t: int, L: np.ndarray) -> np.ndarray:
        return np.full((*L.shape, 2), float(t == 5) * 40, np.float32)

    found = [ab[30, 40, 0] for _, ab in Carrier(predict, is_key=lambda t: t == 5).shot(views(12, step=0))]
    assert found[5] == 40
    assert found[4] > found[1] > 0


def test_what_moves_leaves_no_trail():
    """A bright square walks over a still ground: where it has been, the ground has its own colour again."""
    ground = scene(1, seed=3)[0].astype(np.float32) / 4 + 5
    frames, truth = [], []
    for t in range(17):
        L, ab = ground.copy(), np.zeros((64, 96, 2), np.float32)
        L[16:40, 4 * t : 4 * t + 20] = scene(1, 24, 20, seed=8)[0] / 6 + 55
        ab[16:40, 4 * t : 4 * t + 20] = 50
        frames.append((t, L))
        truth.append(ab)
    found = [ab for _, ab in Carrier(lambda t, L: truth[t]).shot(frames)]
    behind = [
        ab[18:38, max(0, 4 * t - 12) : max(0, 4 * t - 4), 0].mean() for t, ab in enumerate(found) if t > 3
    ]
    on = [ab[20:36, 4 * t + 5 : 4 * t + 15, 0].mean() for t, ab in enumerate(found)]
    assert max(behind) < 12
    assert min(on) > 38
