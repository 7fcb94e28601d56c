import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.growing import Stage, blend_factor, grow, plan_stages, stage_at


def test_the_plan_of_two_doublings():
    stages = plan_stages(16, 64, 100)
    assert stages == (Stage(0, 16, 0), Stage(100, 32, 100), Stage(300, 64, 100))
    sides = [stage_at(stages, step).side for step in (0, 99, 100, 299, 300, 10_000)]
    assert sides == [16, 16, 32, 32, 64, 64]
    assert plan_stages(64, 64, 100) == (Stage(0, 64, 0),)


@given(first=st.integers(1, 9), doublings=st.integers(0, 6), steps=st.integers(1, 50))
def test_each_side_has_as_many_steps_to_fade_in_as_to_stay(first, doublings, steps):
    stages = plan_stages(first, first << doublings, steps)
    assert [stage.side for stage in stages] == [first << i for i in range(doublings + 1)]
    whole = [0] * len(stages)
    for step in range((2 * doublings + 1) * steps):
        stage = stage_at(stages, step)
        whole[stages.index(stage)] += float(blend_factor(stage, step)) == 1.0
    assert whole == [steps] * len(stages)


@pytest.mark.parametrize(("first", "last"), [(24, 64), (64, 32), (0, 32), (3, 7)])
def test_sides_that_do_not_double_are_refused(first, last):
    with pytest.raises(ValueError, match=f"pictures of {first} px do not grow to {last} px"):
        plan_stages(first, last, 10)


def test_stages_of_no_steps_are_refused():
    with pytest.raises(ValueError, match="1 step or more, not 0"):
        plan_stages(8, 16, 0)


def test_pictures_fade_from_their_coarser_selves():
    pictures = jax.random.uniform(jax.random.key(0), (2, 16, 16, 3))
    stage = Stage(100, 8, 50)
    fine = np.asarray(pictures).reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    coarse = np.kron(fine.reshape(2, 4, 2, 4, 2, 3).mean((2, 4)), np.ones((1, 2, 2, 1)))
    shares = []
    for step in (100, 125, 149, 150, 500):
        share = float(blend_factor(stage, step))
        np.testing.assert_allclose(
            grow(pictures, stage, step), share * fine + (1 - share) * coarse, atol=1e-6
        )
        shares.append(share)
    np.testing.assert_allclose(shares, [1 / 51, 26 / 51, 50 / 51, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(grow(pictures, Stage(0, 16, 0), 7), pictures)


def test_a_stage_compiles_once():
    compiled = []

    def step_fn(pictures, stage, step):
        compiled.append(stage)
        return grow(pictures, stage, step)

    jitted = jax.jit(step_fn, static_argnums=1)
    stages = plan_stages(4, 16, 3)
    for step in range(20):
        stage = stage_at(stages, step)
        assert jitted(jnp.ones((1, 16, 16, 1)), stage, jnp.int32(step)).shape == (
            1,
            stage.side,
            stage.side,
            1,
        )
    assert compiled == list(stages)


def test_pictures_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="20 x 20 px do not shrink to 16 px"):
        grow(jnp.ones((1, 20, 20, 1)), Stage(0, 16, 0), 0)
    with pytest.raises(ValueError, match="take square ones"):
        grow(jnp.ones((1, 16, 32, 1)), Stage(0, 16, 0), 0)
