import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hybridvit.augment.cutmix import CELL, make_exchange

SIDES = st.integers(2, 6).map(lambda cells: CELL * cells)


@hypothesis.given(seed=st.integers(0, 999), count=st.integers(1, 5), height=SIDES, width=SIDES)
@hypothesis.settings(max_examples=25, deadline=None)
def test_pairs_exchange_one_rectangle_of_cells_and_twice_is_not_at_all(seed, count, height, width):
    exchange = make_exchange(jax.random.key(seed), count, height, width, 1.0)
    pictures = np.random.default_rng(seed).normal(size=(count, height, width, 2))
    mixed = np.asarray(exchange(jnp.asarray(pictures, jnp.float32)))
    np.testing.assert_array_equal(exchange(jnp.asarray(mixed)), pictures.astype(np.float32))
    for i in range(count):
        given = (mixed[i] != pictures[i].astype(np.float32)).all(-1)
        if i ^ 1 >= count:  # no partner
            assert not given.any()
            continue
        np.testing.assert_array_equal(mixed[i][given], pictures[i ^ 1].astype(np.float32)[given])
        rows, columns = given.any(1), given.any(0)
        np.testing.assert_array_equal(given, rows[:, None] & columns)
        for side in (rows, columns):  # one stretch, of whole cells
            assert np.abs(np.diff(side.astype(int))).sum() <= 2
            assert (side.reshape(-1, CELL).all(1) | ~side.reshape(-1, CELL).any(1)).all()


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_a_coarser_map_is_exchanged_where_its_picture_is(scale):
    exchange = make_exchange(jax.random.key(1), 6, 64, 48, 1.0)
    numbers = jnp.broadcast_to(jnp.arange(6.0)[:, None, None, None], (6, 64, 48, 1))
    coarse = exchange(numbers[:, ::scale, ::scale])
    np.testing.assert_array_equal(coarse, exchange(numbers)[:, ::scale, ::scale])


def test_half_of_the_area_is_exchanged_as_often_as_is_asked_for():
    numbers = jnp.broadcast_to(jnp.arange(2000.0)[:, None, None, None], (2000, 16, 16, 1))
    given = exchange_share(numbers, 1.0)
    assert given.mean() == pytest.approx(0.5, abs=0.01)
    where = given.mean(0)
    for turned in (where[::-1], where[:, ::-1], where.T):  # nowhere more often than on the other side
        assert where == pytest.approx(turned, abs=0.05)
    some = exchange_share(numbers, 0.3).any((1, 2))
    assert some.mean() == pytest.approx(0.3, abs=0.04)
    assert not exchange_share(numbers, 0.0).any()


def exchange_share(numbers: jax.Array, probability: float) -> np.ndarray:
    """Which pixels have been exchanged, at sixteen times the cells, lest rounding be seen."""
    big = jnp.repeat(jnp.repeat(numbers, 8, 1), 8, 2)
    exchange = make_exchange(jax.random.key(0), len(big), *big.shape[1:3], probability)
    return np.asarray(exchange(big) != big)[:, ::8, ::8, 0]
