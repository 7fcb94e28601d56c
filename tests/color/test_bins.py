import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import rgb2lab

from hybridvit.color import bins

rng = np.random.default_rng(1)
CENTRES = bins.BIN_CENTRES.astype(np.float64)
COLOURS = np.concatenate(
    [
        rgb2lab(rng.random((1500, 3)))[:, 1:],
        rng.normal(size=(300, 2)) * 5,
        rng.normal(size=(200, 2)) * 200,  # out of the gamut
        CENTRES[::7],
        CENTRES[::11] + 5,  # equally far from four centres
        CENTRES[::13] + np.array([5, 0]),
    ]
).astype(np.float32)

encode = jax.jit(bins.soft_encode, static_argnames=("sigma", "neighbours"))


def brute_force_encode(ab, sigma=5.0, neighbours=5):
    squared = ((ab[:, None].astype(np.float64) - CENTRES) ** 2).sum(-1)
    farthest = np.sort(squared, -1)[:, neighbours - 1 : neighbours]
    weights = np.exp((squared.min(-1, keepdims=True) - squared) / (2 * sigma**2))
    weights[squared > farthest + 0.01] = 0
    return weights / weights.sum(-1, keepdims=True)


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def some_probs(shape=(50,), scale=3.0):
    return softmax(rng.normal(size=(*shape, 313)) * scale).astype(np.float32)


def test_there_are_313_distinct_bins_on_the_grid_in_the_published_order():
    assert bins.BIN_CENTRES.shape == (313, 2)
    assert bins.BIN_CENTRES.dtype == np.float32
    assert (bins.BIN_CENTRES % 10 == 0).all()
    a, b = CENTRES.T
    order = a * 1000 + b
    assert (np.diff(order) > 0).all()
    # The first, the last and the gray bin of the published table.
    assert bins.BIN_CENTRES[0].tolist() == [-90, 50]
    assert bins.BIN_CENTRES[-1].tolist() == [100, 0]
    assert [0, 0] in bins.BIN_CENTRES.tolist()


def test_the_bins_are_the_cells_that_srgb_colours_fall_in():
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 65)] * 3, indexing="ij"), -1)
    ab = rgb2lab(grid)[..., 1:].reshape(-1, 2)
    reached = set(map(tuple, np.rint(ab / 10).astype(int) * 10))
    ours = set(map(tuple, bins.BIN_CENTRES.astype(int)))
    assert reached - ours == set()
    # The published table is a little larger: it has cells along the border too.
    border = np.array(sorted(ours - reached))
    distances = np.sqrt(((border[:, None] - ab[None, ::5]) ** 2).sum(-1)).min(-1)
    assert distances.max() < 20


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_soft_encode_equals_brute_force(neighbours):
    got = np.asarray(encode(COLOURS, neighbours=neighbours))
    np.testing.assert_allclose(got, brute_force_encode(COLOURS, neighbours=neighbours), atol=2e-4)
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-5)
    assert ((got > 0).sum(-1) <= neighbours + 8).all()


def test_soft_encode_of_a_bin_centre_peaks_as_the_paper_has_it():
    inner = np.array([[0.0, 0.0], [20.0, 30.0]], np.float32)
    np.testing.assert_allclose(encode(inner, neighbours=5).max(-1), 0.649, atol=1e-3)
    np.testing.assert_allclose(encode(inner, neighbours=10).max(-1), 0.62, atol=2e-3)


def test_soft_encode_far_out_of_the_gamut_is_a_distribution():
    far = np.array([[1000.0, -1000.0], [-300.0, 0.0]], np.float32)
    code = np.asarray(encode(far))
    assert np.isfinite(code).all()
    np.testing.assert_allclose(code.sum(-1), 1, atol=1e-5)
    assert code.max(-1).min() > 0.5


def test_soft_encode_takes_any_leading_shape():
    ab = jnp.asarray(COLOURS[:24]).reshape(2, 3, 4, 2)
    np.testing.assert_allclose(encode(ab).reshape(24, 313), encode(COLOURS[:24]), atol=1e-6)
    assert encode(ab[0, 0, 0]).shape == (313,)


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_comes_back_from_its_code_within_half_a_bin(colour):
    ab = rgb2lab(np.array(colour) / 255.0)[1:].astype(np.float32)
    code = encode(ab)
    back = bins.annealed_mean(jnp.log(code + 1e-30), temperature=1.0)
    # At the border of the gamut the neighbours lie on one side only.
    inside = np.abs(CENTRES - ab).max(-1).min() <= 5 and (np.abs(CENTRES - ab).max(-1) <= 15).sum() == 9
    assert np.linalg.norm(back - ab) < (5.0 if inside else 12.0)
    assert np.linalg.norm(back - ab) <= np.linalg.norm(CENTRES - ab, axis=-1).min() + 6


def test_nearest_bin_equals_brute_force():
    squared = ((COLOURS[:, None].astype(np.float64) - CENTRES) ** 2).sum(-1)
    got = np.asarray(bins.nearest_bin(jnp.asarray(COLOURS)))
    assert got.dtype == np.int32
    np.testing.assert_allclose(squared[np.arange(len(got)), got], squared.min(-1), atol=1e-2)
    assert np.asarray(bins.nearest_bin(jnp.asarray(bins.BIN_CENTRES))).tolist() == list(range(313))


def test_annealed_mean_equals_the_paper_s_formula():
    probs = some_probs()
    expected = np.exp(np.log(probs.astype(np.float64)) / 0.38)
    expected = (expected / expected.sum(-1, keepdims=True)) @ CENTRES
    np.testing.assert_allclose(bins.annealed_mean(jnp.log(probs)), expected, atol=1e-3)
    # Any constant added to the logits changes nothing; T = 1 is the mean; T towards 0 is the mode.
    np.testing.assert_allclose(bins.annealed_mean(jnp.log(probs) + 7), expected, atol=2e-3)
    np.testing.assert_allclose(bins.annealed_mean(jnp.log(probs), 1.0), probs @ CENTRES, atol=1e-3)
    np.testing.assert_allclose(bins.annealed_mean(jnp.log(probs), 1e-3), CENTRES[probs.argmax(-1)], atol=1e-3)


def test_radial_mass_equals_brute_force_and_grows_with_the_radius():
    probs = some_probs()
    centre = COLOURS[:50]
    distance = np.linalg.norm(centre[:, None].astype(np.float64) - CENTRES, axis=-1)
    previous = np.zeros(50)
    for radius in (1.0, 10.0, 25.0, 400.0):
        got = np.asarray(bins.radial_mass(jnp.asarray(probs), jnp.asarray(centre), radius))
        np.testing.assert_allclose(got, (probs * (distance <= radius)).sum(-1), atol=1e-5)
        assert (got >= previous - 1e-6).all()
        previous = got
    np.testing.assert_allclose(previous, 1, atol=1e-5)


def test_radial_mass_of_a_perfect_code_passes_a_gate_that_its_peak_does_not():
    ab = jnp.asarray(rgb2lab(rng.random((200, 3)))[:, 1:], jnp.float32)
    code = encode(ab)
    assert code.max() < 0.7
    assert bins.radial_mass(code, ab, 15.0).min() > 0.8


def test_spread_equals_brute_force():
    probs = some_probs()
    mean = probs.astype(np.float64) @ CENTRES
    expected = np.sqrt((probs * ((CENTRES - mean[:, None]) ** 2).sum(-1)).sum(-1))
    np.testing.assert_allclose(bins.spread(jnp.asarray(probs)), expected, rtol=1e-4)


def test_spread_of_one_and_of_two_bins_and_its_finite_gradient():
    one = jnp.eye(313)[jnp.array([0, 200])]
    np.testing.assert_allclose(bins.spread(one), 0, atol=1e-3)
    first, second = (bins.nearest_bin(jnp.array([0.0, b])) for b in (-20.0, 20.0))
    two = (jnp.eye(313)[first] + jnp.eye(313)[second]) / 2
    np.testing.assert_allclose(bins.spread(two), 20, rtol=1e-5)
    for probs in (one, two[None], jnp.asarray(some_probs())):
        assert jnp.isfinite(jax.grad(lambda p: bins.spread(p).sum())(probs)).all()


def test_gradient_of_the_annealed_mean_is_finite_for_extreme_logits():
    logits = jnp.asarray(rng.normal(size=(20, 313)) * 1e4, jnp.float32)
    assert jnp.isfinite(jax.grad(lambda v: bins.annealed_mean(v).sum())(logits)).all()


@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_rebalancing_weights_have_mean_one_and_follow_the_paper(mix):
    prior = some_probs((), scale=2.0)
    got = np.asarray(bins.rebalancing_weights(jnp.asarray(prior), mix))
    expected = 1 / ((1 - mix) * prior + mix / 313)
    np.testing.assert_allclose(got, expected / (expected * prior).sum(), rtol=1e-3)
    np.testing.assert_allclose((got * prior).sum(), 1, rtol=1e-5)
    assert (np.diff(got[np.argsort(prior)]) <= 1e-5).all()


def test_rebalancing_weights_of_bins_never_seen_are_finite():
    prior = jnp.zeros(313).at[120].set(1.0)
    for mix in (0.0, 0.5):
        weights = bins.rebalancing_weights(prior, mix)
        assert jnp.isfinite(weights).all()
        np.testing.assert_allclose(weights[120], 1, rtol=1e-5)


def test_chroma_rings():
    ab = jnp.array([[0.0, 0], [3, 3.9], [3, 4], [0, -9.99], [-10, 0], [0, 25], [-31, 0], [45, 0], [0, -200]])
    assert bins.chroma_ring(ab).tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 5]
    assert bins.chroma_ring(ab).dtype == jnp.int32
    everything = bins.chroma_ring(jnp.asarray(rng.normal(size=(4000, 2)) * 30, jnp.float32))
    assert set(np.unique(everything)) == set(range(bins.NUM_RINGS))


def test_pool_averages_and_keeps_a_smaller_last_square():
    x = jnp.arange(10.0).reshape(1, 1, 10, 1)
    np.testing.assert_allclose(bins.pool(x)[0, 0, :, 0], [3.5, (8 + 7 * 9) / 8], rtol=1e-6)
