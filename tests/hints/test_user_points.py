import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hybridvit.hints.user_points import simulate_points

draw = jax.jit(simulate_points, static_argnames=("stop_probability", "largest_patch", "whole_fraction"))


def random_chroma(*shape):
    return jnp.asarray(np.random.default_rng(0).uniform(-1, 1, shape), jnp.float32)


def split(hints):
    return np.asarray(hints[..., :-1]), np.asarray(hints[..., -1]).astype(bool)


@pytest.mark.parametrize(("shape", "channels"), [((32, 40), 2), ((5, 12), 3)])
def test_one_square_shows_its_mean(shape, channels):
    chroma = random_chroma(300, *shape, channels)
    value, mask = split(draw(jax.random.key(0), chroma, stop_probability=0.6, whole_fraction=0.0))
    assert (value[~mask] == 0).all()
    sides = []
    for one, where, truth in zip(value, mask, np.asarray(chroma), strict=True):
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        if len(rows) == 0 or len(np.unique(one[where].round(6), axis=0)) > 1:
            continue  # none, or several
        area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        assert where[area].all()
        assert len(rows) == len(columns)
        sides.append(len(rows))
        np.testing.assert_allclose(one[where][0], truth[area].mean((0, 1)), atol=1e-5)
    assert set(sides) == set(range(1, min(9, *shape) + 1))


def test_counts_are_geometric_and_places_gaussian():
    height, width = 80, 128
    chroma = random_chroma(1, height, width, 2)
    chroma = jnp.broadcast_to(chroma, (1500, height, width, 2))
    _, mask = split(draw(jax.random.key(1), chroma, largest_patch=1, whole_fraction=0.0))
    counts = mask.sum((1, 2))
    p = 1 / 8  # the number of failures: mean (1 - p) / p, variance (1 - p) / p^2
    np.testing.assert_allclose(counts.mean(), (1 - p) / p, rtol=0.09)
    np.testing.assert_allclose(counts.var(), (1 - p) / p**2, rtol=0.25)
    np.testing.assert_allclose((counts == 0).mean(), p, atol=0.025)
    _, rows, columns = np.nonzero(mask)
    for at, size in ((rows, height), (columns, width)):
        inside = at[
            (at > 0) & (at < size - 1)
        ]  # what falls outside is moved to the edge: a truncated Gaussian
        np.testing.assert_allclose(inside.mean(), (size - 1) / 2, atol=size / 100)
        np.testing.assert_allclose(inside.std(), 0.88 * size / 4, rtol=0.05)


def test_now_and_then_the_whole_picture():
    chroma = random_chroma(1000, 8, 8, 2)
    value, mask = split(draw(jax.random.key(2), chroma, whole_fraction=0.1, stop_probability=0.9))
    whole = mask.all((1, 2)) & (np.abs(value - chroma).max((1, 2, 3)) == 0)
    np.testing.assert_allclose(whole.mean(), 0.1, atol=0.03)


def test_nothing_is_shown_that_is_not_allowed():
    chroma = random_chroma(50, 24, 24, 2)
    allowed = jnp.asarray(np.random.default_rng(1).uniform(size=(50, 24, 24, 1)) < 0.9)
    _, mask = split(draw(jax.random.key(3), chroma, allowed, whole_fraction=0.2))
    assert mask.any()
    assert not (mask & ~np.asarray(allowed[..., 0])).any()


def test_later_squares_cover_earlier_ones_whole():
    """So that many of them leave, at any pixel, the colour of one square and no mixture."""
    chroma = jnp.broadcast_to(jnp.arange(20 * 20, dtype=jnp.float32).reshape(1, 20, 20, 1), (20, 20, 20, 1))
    value, mask = split(
        draw(jax.random.key(4), chroma, stop_probability=0.02, largest_patch=2, whole_fraction=0.0)
    )
    means = {float(y * 20 + x) for y in range(20) for x in range(20)}
    means |= {float(y * 20 + x + 10.5) for y in range(19) for x in range(19)}
    assert set(value[mask].ravel().tolist()) <= means
