import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.inference.places import (
    ENOUGH,
    FEWEST,
    LEAST,
    MANY,
    Describer,
    match,
    pooled,
    pooled_logarithms,
    unit,
)
from hybridvit.inference.predictor import Predictor, padded
from hybridvit.inference.weights import at_inference, load_weights
from hybridvit.models.generator import build_generator


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(2, 8), st.integers(0, 2**16))
def test_matches_are_mutual_nearest_and_alike_or_of_photographs_that_have_many_all_that_are_alike(
    n, m, d, seed
):
    rng = np.random.default_rng(seed)
    first = unit(rng.normal(size=(n, d)).astype(np.float32))
    second = unit(rng.normal(size=(m, d)).astype(np.float32))
    alike = first @ second.T
    there = [(i, int(alike[i].argmax())) for i in range(n) if alike[i].max() >= ENOUGH]
    back = [(j, int(alike[:, j].argmax())) for j in range(m) if alike[:, j].max() >= ENOUGH]
    mutual = [pair for pair in there if pair[::-1] in back and alike[pair] >= LEAST]
    if len(mutual) < FEWEST:
        mutual = there = back = []
    elif len(mutual) < MANY * min(n, m):
        there, back = mutual, [pair[::-1] for pair in mutual]
    count, *found = match(first, second)
    assert count == len(mutual)
    for seen, expected, likeness in ((found[0], there, alike), (found[1], back, alike.T)):
        assert list(zip(seen.first.tolist(), seen.second.tolist(), strict=True)) == expected
        np.testing.assert_array_equal(seen.likeness, likeness[seen.first, seen.second])


@pytest.mark.parametrize("weights", ["tiny_weights", "lite_weights"])
def test_a_photograph_moved_by_a_cell_matches_itself_where_it_is_now(weights, request):
    describer = Describer(Predictor(request.getfixturevalue(weights)))
    rng = np.random.default_rng(0)
    L = rng.uniform(10, 90, (16, 16)).repeat(16, 0).repeat(16, 1).astype(np.float32)
    seen, mean, logits = describer(L)
    assert mean.shape == (256, 256, 2)
    likely = pooled_logarithms(logits)
    assert seen.shape[:2] == likely.shape[:2] == (16, 16)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(likely).sum(-1), 1, rtol=1e-3)
    moved = describer(np.roll(L, 32, 1)).places
    _, found, _ = match(seen.reshape(256, -1), moved.reshape(256, -1))
    rows, columns = np.divmod(found.first, 16)
    inner = (columns < 13) & (columns > 0)
    expected = rows * 16 + columns + 2
    assert np.mean(found.second[inner] == expected[inner]) > 0.6


def test_what_the_model_says_is_what_a_predictor_says(tiny_weights):
    L = np.random.default_rng(0).uniform(10, 90, (70, 100)).astype(np.float32)
    seen, said = Describer(Predictor(tiny_weights))(L), Predictor(tiny_weights)(L[None])
    np.testing.assert_array_equal(seen.mean, said.mean[0])
    np.testing.assert_array_equal(seen.logits, said.logits[0])


def test_what_is_seen_is_described_in_the_same_look(lite_weights, monkeypatch):
    predictor = Predictor(lite_weights)
    looks = []
    see = predictor._see
    monkeypatch.setattr(predictor, "_see", lambda *args: looks.append(1) or see(*args))
    L = np.random.default_rng(0).uniform(10, 90, (70, 100)).astype(np.float32)
    predictor(L[None])
    seen = predictor.describe(L)
    assert len(looks) == 1
    generator = build_generator(at_inference(lite_weights.model))
    luma = jnp.asarray(padded(L[None], None)[0][..., None] / 50 - 1)
    np.testing.assert_allclose(seen, generator.describe(predictor._params, luma)[0], atol=1e-4)


def test_the_mean_that_is_kept_is_that_of_the_released_weights():
    """Where it is not: python -m hybridvit.inference.places."""
    describer = Describer(Predictor(load_weights("pretrained")))
    kept = describer._typical
    np.testing.assert_allclose(kept, describer.typical(), atol=2e-3)
    assert np.abs(kept).max() > 0.1


def test_weights_that_do_not_see_things_are_refused(tiny_weights):
    with pytest.raises(ValueError, match="use a HybridConvViT's weights"):
        Describer(Predictor(tiny_weights._replace(log_rarity=None)))


def test_the_last_cells_may_be_cut():
    np.testing.assert_allclose(pooled(np.float32([[[1.0], [2.0], [6.0]]])), [[[1.5], [6.0]]])
