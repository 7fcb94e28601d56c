import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from hybridvit.models.prediction import Prediction
from hybridvit.training.microbatches import accumulate
from hybridvit.training.state import TrainState, build_networks, init_state
from hybridvit.training.step import make_train_step


@pytest.fixture(scope="module")
def batch() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    smooth = np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 8, 3)), 4, 1), 4, 2).astype(np.uint8)
    return {"labeled": smooth, "unlabeled": smooth[::-1, ..., :1].copy()}


def build(config: ConfigDict) -> tuple[TrainState, Callable]:
    config.train.steps = 80  # the length of the learning rate's way down
    networks = build_networks(config)
    return jax.jit(lambda: init_state(networks, config.seed))(), jax.jit(make_train_step(networks, config))


@pytest.fixture(scope="module")
def flagship(build_tiny_config) -> tuple[TrainState, Callable]:
    """State and step with all objectives, and a discriminator that is trained but not heard."""
    config = build_tiny_config()
    config.adversarial.update({"weight": 0.1, "width": 4, "num_layers": 1, "start_step": 1000})
    return build(config)


def test_accumulate_averages_over_strided_microbatches():
    def gradients(state, batch, key):
        numbers = batch["x"][:, 0, 0, 0].astype(jnp.float32)
        return (
            {"w": numbers.mean() * state.params},
            {"product": numbers.prod(), "draw": jax.random.uniform(key)},
        )

    numbers = {"step": jnp.int32(0), "skipped": jnp.int32(0), "skipped_in_row": jnp.int32(0)}
    trees = dict.fromkeys(("stats", "ema", "opt_state", "disc_params", "disc_stats", "disc_opt_state"))
    state = TrainState(params=jnp.float32(2), **numbers, **trees, bin_prior=None, ring_confidence=None)
    batch = {"x": jnp.arange(8, dtype=jnp.uint8)[:, None, None, None]}
    grads, aux = accumulate(gradients, state, batch, jax.random.key(0), 4)
    assert grads["w"] == 2 * np.arange(8).mean()
    assert aux["product"] == (0 * 4 + 1 * 5 + 2 * 6 + 3 * 7) / 4
    one_draw = accumulate(gradients, state, batch, jax.random.key(0), 1)[1]["draw"]
    assert aux["draw"] != one_draw  # each microbatch has a key of its own


def test_the_loss_falls_and_everything_moves(flagship, batch):
    state, step = flagship
    first, losses = state, []
    for _ in range(80):
        state, metrics = step(state, batch)
        losses.append(float(metrics["loss/chroma"]))
    assert np.mean(losses[-5:]) < 0.95 * np.mean(losses[:3])
    assert int(state.step) == 80
    assert int(state.skipped) == 0
    for name in ("params", "ema", "opt_state", "disc_params", "restorer", "bin_prior", "ring_confidence"):
        before, after = jax.tree.leaves(getattr(first, name)), jax.tree.leaves(getattr(state, name))
        assert any(np.abs(a - b).max() > 0 for a, b in zip(before, after, strict=True)), name
    assert float(state.bin_prior.sum()) == pytest.approx(1, abs=1e-4)


def test_same_state_and_batch_same_update_and_another_step_other_draws(flagship, batch):
    state, step = flagship
    one, other = step(state, batch)[1], step(state, batch)[1]
    assert one == other
    later, _ = step(dataclasses.replace(state, step=jnp.int32(1)), batch)
    now, _ = step(state, batch)
    assert not np.array_equal(
        later.opt_state[1][0].mu["stem"]["kernel"], now.opt_state[1][0].mu["stem"]["kernel"]
    )


def test_a_non_finite_loss_changes_only_the_counters(flagship, batch):
    state, step = flagship
    broken = dataclasses.replace(
        state, params=state.params | {"stem": {k: v * jnp.nan for k, v in state.params["stem"].items()}}
    )
    after, metrics = step(broken, batch)
    after, metrics = step(after, batch)
    assert metrics["skipped"] == metrics["skipped_in_row"] == 2
    assert not np.isfinite(metrics["loss"])
    counters = {"step": after.step, "skipped": after.skipped, "skipped_in_row": after.skipped_in_row}
    for before, now in zip(
        jax.tree.leaves(broken),
        jax.tree.leaves(dataclasses.replace(after, **{k: 0 * v for k, v in counters.items()})),
        strict=True,
    ):
        np.testing.assert_array_equal(before, now)
    healed, metrics = step(dataclasses.replace(after, params=state.params), batch)
    assert int(healed.skipped_in_row) == 0
    assert int(healed.skipped) == 2


def test_without_unlabeled_pictures_the_adversary_is_trained_and_heard(tiny_config, batch):
    tiny_config.data.unlabeled_batch_size = 0
    tiny_config.adversarial.update({"weight": 1.0, "width": 4, "r1_weight": 1.0, "num_layers": 1})
    tiny_config.adversarial.learning_rate = 1e-3
    state, step = build(tiny_config)
    first = state
    seen = []
    for _ in range(8):
        state, metrics = step(state, {"labeled": batch["labeled"]})
        assert "loss/consistency" not in metrics
        weights = {"chroma": tiny_config.supervised.weight, "bins": tiny_config.bins.weight, "generator": 1.0}
        expected = sum(weight * float(metrics[f"loss/{name}"]) for name, weight in weights.items())
        assert float(metrics["loss"]) == pytest.approx(expected, rel=1e-5, abs=1e-5)
        seen.append(float(metrics["loss/discriminator"]))
    assert seen[-1] < seen[0]
    changed = np.abs(
        state.disc_stats["layers"]["conv0"]["u"] - first.disc_stats["layers"]["conv0"]["u"]
    ).max()
    assert changed > 0  # the power iteration moves on


def test_an_accumulated_step_is_the_step_of_the_whole_batch(quick_config, batch):
    """Without hints and batch norms nothing depends on what else is in the batch, or on draws."""
    quick_config.model.update(name="HybridConvViT", hints=False)
    labeled = {"labeled": batch["labeled"]}
    whole, step = build(quick_config)
    whole, expected = step(whole, labeled)
    quick_config.optim.accumulate = 2
    state, step = build(quick_config)
    state, metrics = step(state, labeled)
    assert metrics["loss"] == pytest.approx(float(expected["loss"]), rel=1e-4)
    assert int(state.step) == 1
    # Adam divides by the gradients' own size, so small differences show
    for one, other in zip(jax.tree.leaves(state.ema), jax.tree.leaves(whole.ema), strict=True):
        np.testing.assert_allclose(one, other, atol=0.1 * quick_config.optim.learning_rate)


def test_the_state_keeps_its_types(flagship, batch):
    """Else the second step would be compiled anew."""
    before, step = flagship
    after, _ = step(before, batch)
    for (path, old), new in zip(
        jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True
    ):
        assert (old.shape, old.dtype, old.weak_type) == (new.shape, new.dtype, new.weak_type), path


@pytest.mark.parametrize("looks_far", [False, True])
def test_cutmix_is_noticed_only_by_who_looks_further_than_a_cell(tiny_config, batch, looks_far):
    def train_forward(params, stats, luma, hints, key):
        hints = luma if hints is None else hints  # the teacher is given none
        seen = luma - luma.mean((1, 2, 3), keepdims=True) if looks_far else luma
        cells = seen.reshape(len(seen), 4, 8, 4, 8).mean((2, 4))[..., None]
        chroma = jnp.concatenate([seen, hints[..., :1]], -1) * params["gain"]
        bins, features = cells * jnp.linspace(-1, 1, 313), seen[:, ::4, ::4] * jnp.ones(16)
        return Prediction(chroma, bins, features=features), stats

    losses = []
    for probability in (0.0, 1.0):
        tiny_config.cutmix.probability = probability
        networks = build_networks(tiny_config)
        params = {"gain": jnp.ones(2)}
        own = {"params": params, "ema": params, "opt_state": networks.optimizer.init(params)}
        state = dataclasses.replace(init_state(networks, 0), **own)
        networks = dataclasses.replace(
            networks,
            train_forward=train_forward,
            generate=lambda variables, *given: train_forward(variables, {}, *given, None)[0],
        )
        metrics = jax.jit(make_train_step(networks, tiny_config))(state, batch)[1]
        losses.append(
            [float(metrics[f"loss/{name}"]) for name in ("chroma", "bins", "consistency", "restoration")]
        )
    differs = np.abs(np.subtract(*losses)) > 1e-4 * np.abs(losses[0])
    assert differs.tolist() == [looks_far] * 4
