import numpy as np
import pytest

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference import sampling
from hybridvit.inference.sampling import given, sample_hints

RED, BLUE = 250, 60  # bins


def two_colors(hints) -> np.ndarray:
    """A model that is torn between two colours, until it is given one: then everything is of that."""
    ab, mask = hints
    logits = np.full((8, 12, NUM_BINS), -30.0, np.float32)
    logits[..., [RED, BLUE]] = 0.0
    if mask.any():
        nearest = np.square(BIN_CENTRES[[RED, BLUE]] - ab[mask][0]).sum(-1).argmin()
        logits[..., (RED, BLUE)[1 - nearest]] = -30.0
    return logits


def nothing():
    return np.zeros((64, 96, 2), np.float32), np.zeros((64, 96), bool)


def test_a_sample_is_of_one_mind_and_samples_differ(monkeypatch):
    monkeypatch.setattr(sampling, "ROUNDS", (1, 6))
    seen = set()
    for seed in range(12):
        ab, mask = sample_hints(two_colors, nothing(), seed)
        colors = {tuple(c) for c in ab[mask].tolist()}
        assert len(colors) == 1
        seen |= colors
    assert seen == {tuple(BIN_CENTRES[i].tolist()) for i in (RED, BLUE)}


def test_same_seed_same_sample():
    one, other = (sample_hints(two_colors, nothing(), 3) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_users_hints_stay():
    ab, mask = nothing()
    mask[20:24, 30:36] = True
    ab[mask] = (12.0, -7.0)
    drawn_ab, drawn = sample_hints(lambda hints: two_colors(nothing()), (ab, mask), 0)
    assert drawn.sum() > mask.sum()
    np.testing.assert_array_equal(drawn_ab[mask], ab[mask])
    np.testing.assert_array_equal(drawn_ab[~drawn], 0)


def test_given():
    mask = np.zeros((16, 20), bool)
    mask[9, 17] = True
    np.testing.assert_array_equal(given(mask, 2, 3), [[False, False, False], [False, False, True]])


@pytest.mark.parametrize("bins", [(RED,), (RED, BLUE)])
def test_spread_is_the_distance_of_two_colors_by_two(bins):
    probs = np.zeros((1, 1, NUM_BINS))
    probs[..., bins] = 1 / len(bins)
    expected = np.linalg.norm(BIN_CENTRES[RED] - BIN_CENTRES[BLUE]) / 2 if len(bins) == 2 else 0
    assert sampling.spread(probs)[0, 0] == pytest.approx(expected, abs=1e-3)


def test_doubt_of_two_colors_far_apart_is_the_rarer_ones_share():
    logits = np.full((1, 1, NUM_BINS), -1e9, np.float32)
    logits[..., RED], logits[..., BLUE] = np.log(0.98), np.log(0.02)
    assert sampling.doubt(logits)[0, 0] == pytest.approx(0.02, abs=1e-4)
    assert sampling.doubt(logits, radius=1e3)[0, 0] == 0
