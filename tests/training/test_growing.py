import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.train import train
from hybridvit.training.growing import Stage, blend_factor, grow, grow_batch, plan_stages, stage_at
from hybridvit.training.state import abstract_state, build_networks


def test_the_plan_of_two_doublings():
    stages = plan_stages(16, 64, 100)
    assert stages == (Stage(0, 16, 0), Stage(100, 32, 100), Stage(300, 64, 100))
    sides = [stage_at(stages, step).side for step in (0, 99, 100, 299, 300, 10_000)]
    assert sides == [16, 16, 32, 32, 64, 64]
    assert plan_stages(64, 64, 100) == (Stage(0, 64, 0),)


@settings(deadline=None)
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


def test_a_batch_is_reduced_and_stays_uint8():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    batch = {"labeled": jnp.asarray(pictures), "unlabeled": jnp.asarray(pictures[..., :1])}
    reduced = grow_batch(batch, Stage(0, 8, 0), 5)
    expected = pictures.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    assert {name: (x.shape, x.dtype) for name, x in reduced.items()} == {
        "labeled": ((2, 8, 8, 3), np.uint8),
        "unlabeled": ((2, 8, 8, 1), np.uint8),
    }
    np.testing.assert_allclose(reduced["labeled"], expected, atol=0.5)
    np.testing.assert_array_equal(reduced["unlabeled"], reduced["labeled"][..., :1])
    assert grow_batch(batch, Stage(0, 16, 0), 5)["labeled"] is batch["labeled"]
    np.testing.assert_array_equal(grow_batch(batch, Stage(0, 16, 4), 9)["labeled"], pictures)


def test_a_growing_run_goes_on_bit_for_bit_from_the_middle_of_a_transition(quick_config, tmp_path, capsys):
    quick_config.update_from_flattened_dict(
        {
            "growing.first_side": 16,
            "growing.steps": 2,  # at 16 px up to step 2, blending in 32 px at steps 2 and 3
            "train.checkpoint_every": 3,
            "train.eval_every": 6,
            "eval.hint_counts": (0,),
        }
    )
    train(quick_config, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "resumed")
    shutil.rmtree(tmp_path / "resumed" / "checkpoints" / "6")
    train(quick_config, tmp_path / "resumed")
    assert "Resuming at step 3 of 6" in capsys.readouterr().out
    abstract = abstract_state(build_networks(quick_config), build_mesh(1))
    states = []
    for name in ("whole", "resumed"):
        with Checkpoints(tmp_path / name / "checkpoints") as checkpoints:
            states.append(checkpoints.restore(6, abstract)[0])
    for (path, one), other in zip(
        jax.tree.leaves_with_path(states[0]), jax.tree.leaves(states[1]), strict=True
    ):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes(), jax.tree_util.keystr(path)
    lines = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("whole", "resumed")]
    assert lines[0] == lines[1]
