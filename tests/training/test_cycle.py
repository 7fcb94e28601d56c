"""The image pool against one written out in Python; CycleGAN's way back; its step."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import cyclegan
from hybridvit.data.transforms import to_gray
from hybridvit.training.cycle import empty_pool, query_pool
from hybridvit.training.cycle_step import luma_of, make_cycle_step
from hybridvit.training.state import build_networks, init_state

SIDE = 16


def test_the_pool_is_that_of_shrivastava_et_al():
    query = jax.jit(query_pool)
    pool, stored = empty_pool(5, 2, 1), []
    swapped = kept = 0
    for step in range(40):
        key = jax.random.key(step)
        numbers = 100.0 * step + np.arange(3)  # pictures of one number each
        shown, pool = query(key, pool, jnp.broadcast_to(numbers[:, None, None, None], (3, 2, 2, 1)))
        swap_key, slot_key = jax.random.split(key)
        draws = jax.random.bernoulli(swap_key, 0.5, (3,)), jax.random.randint(slot_key, (3,), 0, 5)
        expected = []
        for number, swap, slot in zip(numbers, *map(np.asarray, draws), strict=True):
            if len(stored) < 5:
                stored.append(number)
                expected.append(number)
            elif swap:
                expected.append(stored[slot])
                stored[slot] = number
                swapped += 1
            else:
                expected.append(number)
                kept += 1
        assert np.asarray(shown)[:, 1, 0, 0].tolist() == expected
        assert np.asarray(pool["pictures"])[: len(stored), 0, 1, 0].tolist() == stored
        assert int(pool["count"]) == len(stored)
    assert 0.3 < swapped / (swapped + kept) < 0.7


def test_luma_of_colors_is_the_gray_of_the_same_luminance():
    rgb = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    found = luma_of(2 * jnp.asarray(rgb, jnp.float32) / 255 - 1)
    np.testing.assert_allclose((found + 1) / 2 * 255, to_gray(rgb), atol=0.6)


def tiny():
    config = cyclegan.get_config("128")
    config.model.variant = "test"
    config.data.image_size = SIDE
    config.data.batch_size, config.data.unlabeled_batch_size = 2, 4
    config.adversarial.update({"width": 4, "num_layers": 1})
    config.cycle.pool_size = 4
    return config


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(1)
    return {
        "labeled": rng.integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8),
        "unlabeled": rng.integers(0, 256, (4, SIDE, SIDE, 1), dtype=np.uint8),
    }


@pytest.fixture(scope="module")
def built():
    config = tiny()
    networks = build_networks(config)
    return networks, jax.jit(lambda: init_state(networks, 0))(), jax.jit(make_cycle_step(networks, config))


def test_the_way_back_takes_colours_and_the_discriminators_pictures_alone(built):
    networks, state, _ = built
    channels = {
        "params": state.params["stem"]["kernel"].shape[2],
        "back": state.cycle["params"]["stem"]["kernel"].shape[2],
        "color": state.disc_params["layers"]["conv0"]["conv"]["kernel"].shape[2],
        "gray": state.cycle["disc_params"]["layers"]["conv0"]["conv"]["kernel"].shape[2],
    }
    assert channels == {"params": 1, "back": 3, "color": 3, "gray": 1}
    colors = jax.random.uniform(jax.random.key(0), (1, SIDE, SIDE, 3), minval=-1)
    gray = [
        networks.cycle.to_gray(state.cycle["params"], state.cycle["stats"], x, jax.random.key(0))[0]
        for x in (colors, *(colors.at[..., c].mul(-1) for c in range(3)))
    ]
    assert gray[0].shape == (1, SIDE, SIDE, 1)
    assert all(np.abs(other - gray[0]).max() > 0 for other in gray[1:])  # every channel is looked at


def test_the_loss_is_the_paper_s_sum(built, batch):
    _, state, step = built
    _, metrics = step(state, batch)
    expected = (
        metrics["loss/generator"]
        + metrics["loss/generator_gray"]
        + 10 * metrics["loss/cycle"]
        + 5 * metrics["loss/identity"]
    )
    assert float(metrics["loss"]) == pytest.approx(float(expected), rel=1e-5)


def test_everything_moves_and_the_pools_fill(built, batch):
    networks, state, step = built
    after, _ = step(state, batch)
    for name in ("params", "opt_state", "disc_params", "disc_opt_state"):
        for before, now in (
            (getattr(state, name), getattr(after, name)),
            (state.cycle[name], after.cycle[name]),
        ):
            pairs = zip(jax.tree.leaves(before), jax.tree.leaves(now), strict=True)
            assert any(np.abs(a - b).max() > 0 for a, b in pairs), name
    assert (int(after.cycle["color_pool"]["count"]), int(after.cycle["gray_pool"]["count"])) == (4, 2)
    luma = jnp.asarray(2 * batch["unlabeled"].astype(np.float32) / 255 - 1)
    colored = networks.generate(state.ema, luma, None).chroma  # by the generator as it was
    np.testing.assert_allclose(after.cycle["color_pool"]["pictures"], colored, atol=1e-5)


def test_a_state_that_is_not_finite_stays_and_the_types_too(built, batch):
    _, state, step = built
    nothing = jax.tree.map(lambda x: x * jnp.nan, state.cycle["params"])
    broken = dataclasses.replace(state, cycle=state.cycle | {"params": nothing})
    after, metrics = step(broken, batch)
    assert metrics["skipped"] == 1
    for (path, one), other in zip(jax.tree.leaves_with_path(broken), jax.tree.leaves(after), strict=True):
        assert (one.shape, one.dtype, one.weak_type) == (other.shape, other.dtype, other.weak_type), path
        if "step" not in jax.tree_util.keystr(path) and "skipped" not in jax.tree_util.keystr(path):
            np.testing.assert_array_equal(one, other)


def test_a_generator_that_cannot_be_given_colours_is_refused():
    config = tiny()
    config.model.name = "HybridConvViT"
    with pytest.raises(
        ValueError, match=r"config.model.name='HybridConvViT' cannot be given colours.*ResNetGenerator"
    ):
        build_networks(config)
