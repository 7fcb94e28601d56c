"""Hints beside a pretrained encoder: at first they change nothing, and never what the encoder sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.hint_propagation import HintPropagation
from hybridvit.models.hybrid_conv_vit import HybridConvViT
from hybridvit.models.pretrained_half import HintInput, PretrainedHalf

forward = nnx.jit(lambda model, *inputs: model(*inputs))


def scattered(model: nnx.Module) -> nnx.Module:
    """Its parameters away from where they start, zeros above all."""
    keys = iter(jax.random.split(jax.random.key(9), 300))
    params = nnx.state(model, nnx.Param)
    nnx.update(
        model, jax.tree.map(lambda x: x + 0.1 * jax.random.normal(next(keys), x.shape, x.dtype), params)
    )
    return model


def make_half(hint_channels=3) -> PretrainedHalf:
    return PretrainedHalf(
        "test", 16, 24, 64, hint_channels=hint_channels, drop_path=0.0, dtype=jnp.float32, rngs=nnx.Rngs(0)
    )


def make_model() -> HybridConvViT:
    return HybridConvViT(
        "Lite-test", channels=2, hint_channels=3, dtype="float32", remat=False, rngs=nnx.Rngs(0)
    )


@pytest.fixture
def given() -> tuple[jax.Array, jax.Array, jax.Array]:
    """Luma, the hints' chroma and mask: two hints in the first picture, none in the second."""
    luma = jax.random.uniform(jax.random.key(1), (2, 64, 96, 1), minval=-1)
    mask = jnp.zeros((2, 64, 96, 1)).at[0, 5, 6].set(1.0).at[0, 40, 90].set(1.0)
    return luma, mask * jax.random.uniform(jax.random.key(2), (2, 64, 96, 2), minval=-1), mask


def test_at_first_hints_change_nothing_that_is_seen(given):
    luma, chroma, mask = given
    half = make_half()
    without = forward(half, luma)
    with_hints = half.add_hints(without, chroma, mask)
    for name in ("quarter", "eighth", "tokens"):
        assert not half.hints[name](chroma, mask).any()  # exactly 0
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), with_hints, without)
    assert jax.tree.map(jnp.shape, without) == ((2, 16, 24, 16), (2, 8, 12, 24), (2, 4, 6, 64))


def test_at_first_they_change_the_picture_by_their_propagation_alone(given, monkeypatch):
    luma, chroma, mask = given
    hints, model = jnp.concatenate([chroma, mask], -1), make_model()
    found, none = forward(model, luma, hints), forward(model, luma, None)
    np.testing.assert_allclose(found.bins, none.bins, atol=1e-5)
    np.testing.assert_allclose(found.features, none.features, atol=1e-5)
    np.testing.assert_allclose(found.chroma[1], none.chroma[1], atol=1e-6)
    assert jnp.abs(found.chroma[0, 5, 6] - none.chroma[0, 5, 6]).max() > 1e-3
    monkeypatch.setattr(HintPropagation, "__call__", lambda self, features, chroma, *hints: chroma)
    unspread = nnx.jit(lambda model, *inputs: model(*inputs))(model, luma, hints)
    np.testing.assert_allclose(unspread.chroma, none.chroma, atol=1e-5)


def test_the_zero_path_learns_from_the_first_step(given):
    luma, chroma, mask = given
    graph, params = nnx.split(make_half(), nnx.Param)

    def loss(params):
        half = nnx.merge(graph, params)
        seen = half.add_hints(half(luma), chroma, mask)
        return sum(jnp.square(x - 1).mean() for x in seen)

    grads = nnx.to_pure_dict(jax.jit(jax.grad(loss))(params))
    for name in ("quarter", "eighth", "tokens"):
        assert jnp.abs(grads["hints"][name]["out"]["kernel"]).max() > 0


def test_what_the_encoder_sees_does_not_depend_on_hints(given):
    """When all has been learnt, what hints add is theirs alone, and zero where there are none."""
    luma, chroma, mask = given
    half = scattered(make_half())
    without = forward(half, luma)
    with_hints = half.add_hints(without, chroma, mask)
    for name, factor in (("quarter", 4), ("eighth", 8), ("tokens", 16)):
        added = half.hints[name](chroma, mask)
        found, plain = getattr(with_hints, name), getattr(without, name)
        np.testing.assert_allclose(found - plain, added, atol=1e-5)
        known = mask.reshape(2, 64 // factor, factor, 96 // factor, factor).max((2, 4)) > 0
        assert jnp.abs(added[known]).min(-1).max() > 1e-4
        assert not added[~known].any()


def test_a_hint_is_the_mean_of_its_cell_and_counts_by_its_share():
    layer = scattered(HintInput(4, 3, 5, dtype=jnp.float32, rngs=nnx.Rngs(0)))
    color = jnp.array([0.3, -0.2])
    one, all_ = jnp.zeros((1, 4, 4, 1)).at[0, 1, 2].set(1), jnp.ones((1, 4, 4, 1))
    few, many = (layer(color * mask, mask) for mask in (one, all_))
    moved = layer(color * one[:, ::-1], one[:, ::-1])
    np.testing.assert_allclose(few, moved, atol=1e-6)  # the place within the cell is not told
    assert jnp.abs(few - many).max() > 1e-3  # how many are is
    assert few.shape == (1, 1, 1, 5)


def test_no_hints_are_hints_of_zeros(given):
    luma = given[0]
    model = scattered(make_model())
    nothing = jnp.zeros((2, 64, 96, 3))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5),
        forward(model, luma, None),
        forward(model, luma, nothing),
    )


def test_a_model_without_hints_has_no_path_for_them():
    assert "hints" not in nnx.to_pure_dict(nnx.state(make_half(hint_channels=0), nnx.Param))


def test_in_training_blocks_are_dropped_by_the_key():
    model = HybridConvViT(
        "Lite-test",
        channels=2,
        hint_channels=0,
        dtype="float32",
        remat=False,
        drop_path=0.9,
        rngs=nnx.Rngs(0),
    )
    model = scattered(model)
    luma = jax.random.uniform(jax.random.key(1), (8, 32, 32, 1), minval=-1)
    plain, again = forward(model, luma, None), forward(model, luma, None)
    np.testing.assert_array_equal(plain.chroma, again.chroma)
    one, same, other = (forward(model, luma, None, jax.random.key(i)).features for i in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert jnp.abs(one - other).max() > 1e-5
