import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models import hint_propagation
from hybridvit.models.hint_propagation import HintPropagation, hint_cells_at_most, pool_hints


def make(width: int = 6) -> HintPropagation:
    layer = HintPropagation(width, rngs=nnx.Rngs(0))
    layer.reach.kernel[...] = 0.3 * jax.random.normal(jax.random.key(1), (width, 2))
    return layer


def draw(h: int, w: int, share: float, seed: int = 0):
    keys = jax.random.split(jax.random.key(seed), 4)
    features = jax.random.normal(keys[0], (2, h, w, 6))
    chroma, hints = (0.5 * jax.random.normal(k, (2, h, w, 2)) for k in keys[1:3])
    mask = (jax.random.uniform(keys[3], (2, h, w, 1)) < share).astype(jnp.float32)
    return features, chroma, hints * mask, mask


def by_loops(layer, features, chroma, hints, mask):
    """The same, place by place and cell by cell."""
    b, h, w, _ = chroma.shape
    query, key, reach = (np.asarray(f(features), np.float64) for f in (layer.query, layer.key, layer.reach))
    out = np.array(chroma, np.float64)
    for n, y, x in np.ndindex(b, h, w):
        power, none = reach[n, y, x]
        total, push = np.exp(none), np.zeros(2)
        for v, u in zip(*np.nonzero(np.asarray(mask)[n, ..., 0]), strict=True):
            distance = np.sqrt(((y - v) ** 2 + (x - u) ** 2 + 0.5) * 4 / (h * w))
            weight = np.exp(query[n, y, x] @ key[n, v, u] / np.sqrt(query.shape[-1]))
            weight *= distance ** -(1 + np.log1p(np.exp(power)))
            total += weight
            push += weight * (np.asarray(hints - chroma)[n, v, u])
        out[n, y, x] += push / total
    return out


@pytest.mark.parametrize(("size", "share"), [((5, 7), 0.2), ((4, 4), 1.0), ((6, 3), 0.1)])
def test_equals_loops(size, share):
    layer, inputs = make(), draw(*size, share)
    np.testing.assert_allclose(layer(*inputs), by_loops(layer, *inputs), atol=2e-5)


def test_without_hints_nothing_changes_and_gradients_are_finite():
    graph, params = nnx.split(make())
    features, chroma, hints, mask = draw(5, 5, 0.0)

    def loss(params, chroma):
        return jnp.square(nnx.merge(graph, params)(features, chroma, hints, mask)).sum()

    np.testing.assert_array_equal(nnx.merge(graph, params)(features, chroma, hints, mask), chroma)
    for gradient in jax.tree.leaves(jax.grad(loss, (0, 1))(params, chroma)):
        assert bool(jnp.isfinite(gradient).all())


def test_one_hint_is_felt_most_where_it_is_and_fades():
    layer = HintPropagation(6, rngs=nnx.Rngs(0))
    layer.query.kernel[...] = jnp.zeros((6, hint_propagation.HEAD_DIM))
    chroma = jnp.zeros((1, 9, 33, 2))
    hints, mask = chroma.at[0, 4, 0].set(0.5), jnp.zeros((1, 9, 33, 1)).at[0, 4, 0].set(1.0)
    row = layer(jnp.ones((1, 9, 33, 6)), chroma, hints, mask)[0, 4, :, 0]
    assert bool((jnp.diff(row) < 0).all())
    assert row[0] > 0.45
    assert row[-1] < 0.1


def test_more_cells_than_the_most_are_spread_over_the_picture(monkeypatch):
    monkeypatch.setattr(hint_propagation, "MAX_CELLS", 16)
    layer = make()
    features, chroma, _, mask = draw(16, 16, 1.0)
    push = layer(features, chroma, jnp.ones_like(chroma), mask) - chroma
    # Chosen cells in every quarter of the picture: there the correction is nearly whole
    towards = np.asarray((push / (1 - chroma)).mean(-1))
    for y in (0, 8):
        for x in (0, 8):
            assert towards[0, y : y + 8, x : x + 8].max() > 0.5


def test_room_for_as_many_cells_as_there_are_is_enough():
    layer, inputs = make(), draw(5, 7, 0.2)
    count = max(np.asarray(inputs[3]).sum((1, 2, 3)).astype(int).tolist())
    assert count < 5 * 7
    with hint_cells_at_most(count):
        found = layer(*inputs)
    np.testing.assert_allclose(found, layer(*inputs), atol=1e-6)


def test_pooled_hints():
    chroma = jnp.zeros((1, 4, 8, 2)).at[0, 0, 0].set(0.2).at[0, 3, 3].set(0.6)
    mask = jnp.zeros((1, 4, 8, 1)).at[0, 0, 0].set(1.0).at[0, 3, 3].set(1.0)
    hints, known = pool_hints(chroma, mask, 4)
    np.testing.assert_allclose(hints[0, 0], [[0.4, 0.4], [0.0, 0.0]], atol=1e-6)
    np.testing.assert_array_equal(known[0, 0, :, 0], [1.0, 0.0])
