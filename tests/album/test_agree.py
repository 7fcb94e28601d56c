import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.album.agree import KNOWN, NEIGHBOURS, Agreement, Edge, Own, link, nearest, shared
from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.bounded import known_bins
from hybridvit.inference.places import FEWEST, unit

RED, BLUE = np.float32([40, 20]), np.float32([5, -40])
EVERY = np.arange(4)


def likely(ab):
    return np.log(np.maximum(known_bins(np.tile(ab, (4, 1))), 1e-9)).astype(np.float32)


def own(ab, weight=1.0):
    return Own(likely(ab), np.full(4, weight, np.float32))


def edge(other, weight=4.0):
    return Edge(other, EVERY, EVERY, np.full(4, weight, np.float32))


def mean(logs):
    probs = np.exp(logs - logs.max(-1, keepdims=True))
    return probs @ BIN_CENTRES / probs.sum(-1, keepdims=True)


def test_photographs_that_match_agree_and_say_by_how_much(tmp_path):
    owns = {0: own(RED), 1: own(BLUE)}
    agreed = Agreement(tmp_path, {0: [edge(1)], 1: [edge(0)]}, owns.__getitem__)
    before, now = agreed.disagreement(0)
    assert before == pytest.approx(np.linalg.norm(RED - BLUE), abs=2)
    assert now < before / 2
    places = unit(np.eye(4, 8, dtype=np.float32))
    for i, ab in ((0, RED), (1, BLUE)):
        new = mean(owns[i].likely + agreed.change(i, places, 2))
        assert (np.linalg.norm(new - (RED + BLUE) / 2, axis=-1) < np.linalg.norm(ab - (RED + BLUE) / 2)).all()


def test_what_is_known_reaches_over_several_photographs_and_stays(tmp_path):
    owns = {0: own(RED, KNOWN), 1: own(BLUE), 2: own(BLUE)}
    edges = {0: [edge(1)], 1: [edge(0), edge(2)], 2: [edge(1)]}
    agreed = Agreement(tmp_path, edges, owns.__getitem__)
    places = unit(np.eye(4, 8, dtype=np.float32))
    for i in range(3):
        new = mean(owns[i].likely + agreed.change(i, places, 2))
        assert (np.linalg.norm(new - RED, axis=-1) < np.linalg.norm(new - BLUE, axis=-1)).all(), i
    assert np.linalg.norm(mean(owns[0].likely + agreed.change(0, places, 2)) - RED, axis=-1).max() < 4


def test_a_change_is_shared_with_what_looks_alike_and_lies_near_and_not_with_what_does_not():
    places = unit(np.float32([[1, 0, 0], [1, 0.1, 0], [0, 0, 1], [1, 0.1, 0]]))
    change = np.zeros((4, NUM_BINS), np.float32)
    change[0] = 1
    matched = np.array([True, False, False, False])
    out = shared(change, matched, places, 4, free=np.array([True, True, True, False]))
    assert (out[0] == 1).all()
    assert (out[1] > 0.5).all()
    assert (np.abs(out[2]) < 0.1).all()
    assert (out[3] == 0).all()  # its colour is known
    np.testing.assert_array_equal(shared(change, np.zeros(4, bool), places, 4, np.ones(4, bool)), 0 * change)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**16))
def test_each_has_its_nearest_few(count, seed):
    vectors = unit(np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32))
    pairs = nearest(vectors)
    assert len(pairs) <= NEIGHBOURS * count
    assert all(0 <= i < j < count for i, j in pairs)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -9)
    for i in range(count if count > 1 else 0):
        best = int(alike[i].argmax())
        assert (min(i, best), max(i, best)) in pairs


def test_links_are_of_those_that_match_both_ways_alike():
    rng = np.random.default_rng(0)
    base = unit(rng.normal(size=(16, 64)).astype(np.float32))
    order = rng.permutation(16)
    places = [base, base[order], unit(rng.normal(size=(16, 64)).astype(np.float32))]
    edges = link([(0, 1), (0, 2), (1, 2)], places.__getitem__)
    assert set(edges) == {0, 1}
    (there,), (back,) = edges[0], edges[1]
    np.testing.assert_array_equal(order[there.there], there.here)
    np.testing.assert_array_equal(back.there, there.here)
    assert len(there.here) == 16 >= FEWEST
