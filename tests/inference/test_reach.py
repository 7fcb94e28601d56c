import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.reach import THING, agreement, distances, soft_edge, terrain, to_view, within

RED, GRAY = (int(np.linalg.norm(BIN_CENTRES - ab, axis=-1).argmin()) for ab in ((50, 30), (0, 0)))
SIDE = 128


def logits(rows=SIDE // 8, columns=SIDE // 8, **shares):
    probs = np.full((rows, columns, NUM_BINS), 1e-9)
    probs[..., GRAY], probs[..., RED] = shares.get("gray", 1.0), shares.get("red", 1e-9)
    return np.log(probs).astype(np.float32)


def own_at(row, column, shape=(SIDE, SIDE)):
    own = np.zeros(shape, bool)
    own[row : row + 2, column : column + 2] = True
    return own


def test_distance_grows_with_the_way_and_jumps_over_an_edge_of_lightness():
    L = np.full((SIDE, SIDE), 60.0, np.float32)
    L[:, 64:] = 20
    far = distances(terrain(L, logits()), own_at(64, 20))
    assert far[32, 10] < 0.1
    along = far[32, 12:30]
    assert (np.diff(along) > 0).all()
    assert far[32, 34] - far[32, 31] > 5 * (far[32, 30] - far[32, 27])


def test_what_the_model_takes_for_something_else_is_farther():
    L = np.full((SIDE, SIDE), 60.0, np.float32)
    seen = logits()
    seen[:, 8:] = logits(gray=1e-9, red=1.0)[:, 8:]
    far = distances(terrain(L, seen), own_at(64, 62))
    assert far[32, 40] > far[32, 20] + 1


def test_it_goes_round_an_edge_that_ends():
    """A wall with a gap: what is behind it is as far as the way through the gap, not through the wall."""
    L = np.full((SIDE, SIDE), 60.0, np.float32)
    L[:100, 60:68] = 0
    walled = distances(terrain(L, logits()), own_at(90, 40))
    open_ = distances(terrain(np.full_like(L, 60.0), logits()), own_at(90, 40))
    assert open_[45, 44] < walled[45, 44] < walled[10, 44]


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_longer_reach_has_all_of_a_shorter_one(one, other):
    far = np.linspace(0, 4 * THING, 200)
    short, long = (within(far, reach) for reach in sorted((one, other)))
    assert (long >= short - 1e-12).all()
    assert (np.diff(long) <= 0).all()
    assert (within(far, 0.0) == 0).all()


def test_planes_come_to_the_view_with_its_edges():
    L = np.full((SIDE, SIDE), 70.0, np.float32)
    L[:, 61:] = 20  # amid a cell of the grid
    coarse = np.zeros((1, 64, 64), np.float32)
    coarse[:, :, :30] = 1
    (plane,) = to_view(coarse, L)
    assert plane.shape == L.shape
    assert plane[64, 60] - plane[64, 61] > 0.25
    assert plane[64, 20] == pytest.approx(1, abs=1e-3)
    assert plane[64, 110] == pytest.approx(0, abs=1e-3)


def test_the_edge_is_soft_where_it_is_even_and_hard_where_the_lightness_changes():
    L = np.full((SIDE, SIDE), 60.0, np.float32)
    L[:, 70:] = 30
    own = np.zeros(L.shape, bool)
    own[40:90, 30:70] = True
    edge = soft_edge(L, own)
    assert (edge.weight[own] == 1).all()
    assert 0.1 < edge.weight[60, 29] < 0.9
    assert edge.weight[60, 70] == 0
    assert edge.weight[60, 20] == 0
    assert tuple(edge.nearest[:, 60, 29]) == (60, 30)


def test_agreement_is_the_likelihood_beside_that_of_the_models_colour():
    mean = np.zeros((SIDE, SIDE, 2), np.float32)
    seen = logits(gray=0.8, red=0.2)
    found = agreement(seen, mean, BIN_CENTRES[RED].astype(np.float32), own_at(50, 50))
    assert found == pytest.approx(0.25, rel=0.01)
    assert agreement(seen, mean, BIN_CENTRES[GRAY].astype(np.float32), own_at(50, 50)) == pytest.approx(1)
