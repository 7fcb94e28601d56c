import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.album.agree import (
    KNOWN,
    NEIGHBOURS,
    Agreement,
    Edge,
    Own,
    in_common,
    kept_links,
    link,
    nearest,
    shared,
    sureness,
)
from hybridvit.album.index import Index
from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.bounded import known_bins
from hybridvit.inference.places import unit

RED, BLUE = np.float32([40, 20]), np.float32([5, -40])
EVERY = np.arange(4)


def likely(ab):
    return np.log(np.maximum(known_bins(np.tile(ab, (4, 1))), 1e-9)).astype(np.float32)


def own(ab, weight=1.0):
    return Own(likely(ab), np.full(4, weight, np.float32))


def edge(other):
    return Edge(other, EVERY, EVERY, np.ones(4, np.float32), 1.0)


def agree(folder, edges, owns, of="1"):
    index = Index(folder, {})
    edges = kept_links(index, "photographs", lambda: edges)
    return Agreement(index, edges, dict.fromkeys(edges, 4), owns.__getitem__, ("photographs", of))


def mean(logs):
    probs = np.exp(logs - logs.max(-1, keepdims=True))
    return probs @ BIN_CENTRES / probs.sum(-1, keepdims=True)


def test_photographs_that_match_agree_and_say_by_how_much(tmp_path):
    owns = {0: own(RED), 1: own(BLUE)}
    agreed = agree(tmp_path, {0: [edge(1)], 1: [edge(0)]}, owns)
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
    agreed = agree(tmp_path, edges, owns)
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
    logs = np.zeros((16, NUM_BINS), np.float32)
    edges = link([(0, 1), (0, 2), (1, 2)], places.__getitem__, lambda i: logs)
    assert set(edges) == {0, 1}
    (there,), (back,) = edges[0], edges[1]
    np.testing.assert_array_equal(order[there.there], there.here)
    np.testing.assert_array_equal(order[back.here], back.there)
    assert len(there.here) == 16


def test_links_are_those_that_were_found_until_the_photographs_are_others(tmp_path):
    index = Index(tmp_path, {})
    edges = {0: [Edge(1, np.array([1, 3]), np.array([0, 2]), np.float32([0.5, 1]), 0.5)], 1: [edge(0)]}

    def never():
        raise AssertionError

    for found in (kept_links(index, "a", lambda: edges), kept_links(index, "a", never)):
        assert found.keys() == edges.keys()
        for i, some in edges.items():
            for one, other in zip(some, found[i], strict=True):
                for x, y in zip(one, other, strict=True):
                    np.testing.assert_array_equal(x, y)
    assert kept_links(index, "b", dict) == {}


def test_what_was_agreed_on_is_read_and_after_a_new_hint_what_hardly_changes_is_kept(tmp_path):
    edges = {0: [edge(1)], 1: [edge(0)], 2: [edge(3)], 3: [edge(2)]}
    owns = {i: own(RED if i % 2 else BLUE) for i in range(4)}
    first = agree(tmp_path, edges, owns)
    digests = [first.digest(i) for i in range(4)]
    nowhere = {i: Own(np.full((4, NUM_BINS), np.nan), one.weight) for i, one in owns.items()}
    np.testing.assert_array_equal(agree(tmp_path, edges, nowhere).agreed(1), first.agreed(1))
    hinted = owns | {0: own(BLUE, KNOWN), 2: own(BLUE + 0.01)}
    second = agree(tmp_path, edges, hinted, "2")
    assert [second.digest(i) == digests[i] for i in (0, 1, 3)] == [False, False, True]


def test_what_has_fewer_colours_in_common_pulls_less_and_so_does_who_is_less_sure(tmp_path):
    same, other = likely(RED), likely(BLUE)
    np.testing.assert_allclose(in_common(same, same), 1, rtol=1e-5)
    assert (in_common(same, other) < 0.05).all()
    unsure = np.zeros((4, NUM_BINS), np.float32)
    assert (sureness(unsure) < 1).all()
    assert (sureness(same) > 1).all()
    owns = {0: own(RED), 1: Own(unsure, np.ones(4, np.float32))}
    agreed = agree(tmp_path, {0: [edge(1)], 1: [edge(0)]}, owns).agreed(1)
    assert np.linalg.norm(mean(agreed) - RED, axis=-1).max() < 8


def test_where_few_places_match_a_guess_hardly_counts_and_what_is_known_does(tmp_path):
    alone = likely(BLUE) / 8

    def pulled(share, weight):
        owns = {
            0: Own(likely(RED) / 8, np.full(4, weight, np.float32)),
            1: Own(alone, np.ones(4, np.float32)),
        }
        edges = {0: [edge(1)._replace(share=share)], 1: [edge(0)._replace(share=share)]}
        agreed = agree(tmp_path / f"{share} {weight}", edges, owns).agreed(1)
        return np.linalg.norm(mean(agreed) - mean(alone), axis=-1).max()

    assert pulled(0.02, 1) < 0.2 * pulled(1.0, 1)
    assert pulled(0.1, KNOWN) == pytest.approx(pulled(1.0, KNOWN), rel=0.02)
    assert pulled(0.1, KNOWN) > 1.5 * pulled(0.1, 1)
