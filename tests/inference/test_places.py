import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.inference.places import FEWEST, LEAST, Describer, match, pooled, pooled_logarithms, unit
from hybridvit.inference.predictor import Predictor


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**16))
def test_matches_are_mutual_nearest_and_alike(n, m, seed):
    rng = np.random.default_rng(seed)
    first = unit(rng.normal(size=(n, 3)).astype(np.float32))
    second = unit(rng.normal(size=(m, 3)).astype(np.float32))
    alike = first @ second.T
    expected = [
        (i, int(alike[i].argmax()))
        for i in range(n)
        if alike[:, alike[i].argmax()].argmax() == i and alike[i].max() >= LEAST
    ]
    if len(expected) < FEWEST:
        expected = []
    found = match(first, second)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    np.testing.assert_array_equal(found.likeness, alike[found.first, found.second])


@pytest.mark.parametrize("weights", ["tiny_weights", "lite_weights"])
def test_a_photograph_moved_by_a_cell_matches_itself_where_it_is_now(weights, request):
    describer = Describer(request.getfixturevalue(weights))
    rng = np.random.default_rng(0)
    L = rng.uniform(10, 90, (16, 16)).repeat(16, 0).repeat(16, 1).astype(np.float32)
    seen, mean, logits = describer(L)
    assert mean.shape == (256, 256, 2)
    likely = pooled_logarithms(logits)
    assert seen.shape[:2] == likely.shape[:2] == (16, 16)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(likely).sum(-1), 1, rtol=1e-3)
    moved = describer(np.roll(L, 32, 1)).places
    found = match(seen.reshape(256, -1), moved.reshape(256, -1))
    rows, columns = np.divmod(found.first, 16)
    inner = (columns < 13) & (columns > 0)
    expected = rows * 16 + columns + 2
    assert np.mean(found.second[inner] == expected[inner]) > 0.6


def test_what_the_model_says_is_what_a_predictor_says(tiny_weights):
    L = np.random.default_rng(0).uniform(10, 90, (70, 100)).astype(np.float32)
    seen, said = Describer(tiny_weights)(L), Predictor(tiny_weights)(L[None])
    np.testing.assert_allclose(seen.mean, said.mean[0], atol=1e-3)
    np.testing.assert_allclose(seen.logits, said.logits[0], atol=1e-3)


def test_weights_that_do_not_see_things_are_refused(tiny_weights):
    with pytest.raises(ValueError, match="use a HybridConvViT's weights"):
        Describer(tiny_weights._replace(log_rarity=None))


def test_the_last_cells_may_be_cut():
    np.testing.assert_allclose(pooled(np.float32([[[1.0], [2.0], [6.0]]])), [[[1.5], [6.0]]])
