import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.hscau_net import AttentiveSkip, ChannelAttention, HSCAUNet, SpatialAttention, largest


def test_channel_attention_weighs_channels_alike_everywhere():
    x = jax.random.normal(jax.random.key(0), (2, 5, 6, 32))
    weights = ChannelAttention(32, dtype=jnp.float32, rngs=nnx.Rngs(0))(x)
    assert weights.shape == (2, 1, 1, 32)
    assert 0 < weights.min() < weights.max() < 1
    shuffled = jax.random.permutation(jax.random.key(1), x.reshape(2, 30, 32), axis=1).reshape(x.shape)
    layer = ChannelAttention(32, dtype=jnp.float32, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(layer(shuffled), weights, atol=1e-6)


def test_spatial_attention_weighs_places_alike_in_all_channels():
    x = jax.random.normal(jax.random.key(0), (2, 9, 9, 8))
    layer = SpatialAttention(dtype=jnp.float32, rngs=nnx.Rngs(0))
    weights = layer(x)
    assert weights.shape == (2, 9, 9, 1)
    np.testing.assert_allclose(layer(x[..., ::-1]), weights, atol=1e-6)
    changed = np.flatnonzero(np.abs(layer(x.at[0, 4, 4].add(3.0)) - weights)[0, 4, :, 0] > 1e-7)
    assert (changed[0], changed[-1]) == (1, 7)


def test_a_skip_is_the_product_of_the_three():
    x = jax.random.normal(jax.random.key(0), (1, 4, 4, 16))
    hints = jax.random.normal(jax.random.key(1), (1, 4, 4, 3))
    skip = AttentiveSkip(16, 3, dtype=jnp.float32, rngs=nnx.Rngs(0))
    by_hint = 1 / (1 + np.exp(-(np.asarray(hints) @ np.asarray(skip.hint.kernel[...])[0, 0])))
    expected = np.asarray(x) * np.asarray(skip.spatial(x)) * np.asarray(skip.channel(x)) * by_hint
    np.testing.assert_allclose(skip(x, hints), expected, atol=1e-5)


def test_without_hints_it_says_so():
    with pytest.raises(ValueError, match="made for hints"):
        HSCAUNet("test", hint_channels=0, rngs=nnx.Rngs(0))


@pytest.mark.parametrize(("shape", "axis"), [((2, 5, 4, 7), -1), ((2, 20, 7), 1)])
def test_largest_is_the_maximum_and_its_gradient_goes_to_one_place(shape, axis):
    x = jnp.asarray(np.random.default_rng(0).integers(0, 4, shape), jnp.float32)  # with many ties
    np.testing.assert_array_equal(largest(x, axis), x.max(axis, keepdims=True))
    gradient = np.asarray(jax.grad(lambda x: largest(x, axis).sum())(x))
    assert set(np.unique(gradient)) == {0.0, 1.0}
    assert (gradient.sum(axis) == 1).all()
    np.testing.assert_array_equal((gradient * np.asarray(x)).sum(axis), np.asarray(x).max(axis))
