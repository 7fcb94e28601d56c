import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hybridvit.models.blocks import space_to_depth
from hybridvit.objectives.restoration import init_restoration, restoration_loss, restore_luma
from hybridvit.training.state import build_networks, init_state
from hybridvit.training.step import make_train_step
from hybridvit.training.validate import check_config


def test_the_identity_map_restores_the_picture_that_the_features_are():
    luma = jax.random.uniform(jax.random.key(0), (2, 16, 24, 1), minval=-1)
    identity = {"kernel": jnp.eye(16), "bias": jnp.zeros(16)}
    features = space_to_depth(luma, 4)
    np.testing.assert_allclose(restore_luma(identity, features, 16, 24), luma, atol=1e-6)
    assert float(restoration_loss(identity, features, luma)) == pytest.approx(0, abs=1e-6)
    shifted = identity | {"bias": jnp.full(16, 0.25)}
    assert float(restoration_loss(shifted, features, luma)) == pytest.approx(0.25, abs=1e-6)


def test_a_picture_of_any_size_is_cropped_from_the_grid():
    params = init_restoration(jax.random.key(0), 5)
    assert restore_luma(params, jnp.zeros((1, 4, 6, 5)), 13, 22).shape == (1, 13, 22, 1)


def test_grayscale_pictures_teach_to_restore_and_at_first_nothing_else_teaches(tiny_config):
    tiny_config.restoration.update({"weight": 1.0, "pretrain_steps": 2})
    tiny_config.train.steps = 40
    tiny_config.optim.warmup_steps = 0
    check_config(tiny_config)
    networks = build_networks(tiny_config)
    state = jax.jit(lambda: init_state(networks, 0))()
    restore, step = (jax.jit(make_train_step(networks, tiny_config, first)) for first in (True, False))
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 256, (8, 8, 8, 1)), np.ones((1, 4, 4, 1))).astype(np.uint8)
    batch = {"labeled": np.repeat(smooth, 3, -1), "unlabeled": smooth[::-1]}
    before, losses = state, []
    for _ in range(2):
        state, metrics = restore(state, batch)
        losses.append(float(metrics["loss/restoration"]))
        assert float(metrics["loss"]) == losses[-1]
        assert not any(
            name in metrics for name in ("loss/chroma", "loss/bins", "loss/consistency", "confidence")
        )
    for name in (
        "bins",
        "offset",
        "upsampling",
    ):  # nothing of colours is learnt: only weight decay moves them
        for (path, old), new in zip(
            jax.tree.leaves_with_path(before.params[name]), jax.tree.leaves(state.params[name]), strict=True
        ):
            np.testing.assert_allclose(new, old, rtol=1e-3, err_msg=jax.tree_util.keystr(path))
    assert np.abs(state.bin_prior - before.bin_prior).max() > 0  # but counted
    for _ in range(28):
        state, metrics = step(state, batch)
        losses.append(float(metrics["loss/restoration"]))
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    labeled = rng.integers(0, 256, (8, 32, 32, 3), np.uint8)
    assert (
        restore(before, batch | {"labeled": labeled})[1]["loss/restoration"] != losses[0]
    )  # they teach it too
    assert np.abs(state.restorer["kernel"] - before.restorer["kernel"]).max() > 0
    assert state.ema.keys() == state.params.keys() == before.params.keys()  # released weights do not hold it


@pytest.mark.parametrize("field", ["restoration.weight", "data.unlabeled_batch_size"])
def test_without_it_the_state_holds_nothing_of_it(tiny_config, field):
    tiny_config.update_from_flattened_dict({field: 0})
    networks = build_networks(tiny_config)
    state = jax.eval_shape(lambda: init_state(networks, 0))
    assert state.restorer == state.restorer_opt_state == {}


def test_errors(tiny_config):
    tiny_config.restoration.weight = 1.0
    tiny_config.bins.weight = tiny_config.consistency.weight = 0.0
    tiny_config.color.space = "yuv"
    with pytest.raises(ValueError, match=r"^config.restoration.weight=1.0 is for colouring in Lab"):
        check_config(tiny_config)
    tiny_config.color.space = "lab"
    tiny_config.restoration.pretrain_steps = tiny_config.train.steps
    with pytest.raises(
        ValueError, match=r"pretrain_steps=6 leaves none of config.train.steps=6 to learn colours"
    ):
        check_config(tiny_config)
    tiny_config.restoration.weight = 0.0
    with pytest.raises(ValueError, match=r"pretrain_steps=6 needs config.restoration.weight above 0"):
        check_config(tiny_config)
    tiny_config.restoration.weight = 1.0
    tiny_config.model.name = "UNet"
    with pytest.raises(ValueError, match="UNet shows no features"):
        build_networks(tiny_config)
