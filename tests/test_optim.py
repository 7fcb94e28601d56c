import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

from hybridvit import optim


def make_config(**changes):
    return ConfigDict(
        {
            "learning_rate": 1e-2,
            "warmup_steps": 10,
            "schedule": "cosine",
            "final_fraction": 0.1,
            "step_shares": (0.5, 0.75),
            "step_factors": (0.1, 0.01),
            "weight_decay": 0.1,
            "b1": 0.9,
            "b2": 0.95,
            "clip_norm": 1.0,
        }
        | changes
    )


def test_schedule_rises_linearly_and_falls_along_a_cosine():
    _, schedule = optim.make_optimizer(make_config(), total_steps=110)
    assert schedule(0) == 0
    np.testing.assert_allclose(schedule(5), 5e-3, rtol=1e-6)
    np.testing.assert_allclose(schedule(10), 1e-2, rtol=1e-6)
    np.testing.assert_allclose(schedule(60), (1e-2 + 1e-3) / 2, rtol=1e-5)
    quarter = 1e-3 + (1e-2 - 1e-3) * (1 + np.cos(np.pi / 4)) / 2
    np.testing.assert_allclose(schedule(35), quarter, rtol=1e-5)
    np.testing.assert_allclose([schedule(110), schedule(10**6)], 1e-3, rtol=1e-5)


def test_no_warmup_starts_at_the_peak():
    _, schedule = optim.make_optimizer(make_config(warmup_steps=0), total_steps=20)
    np.testing.assert_allclose(schedule(0), 1e-2, rtol=1e-6)


def rates(steps, **changes):
    return [float(optim.make_schedule(make_config(**changes), 100)(step)) for step in steps]


@pytest.mark.parametrize("schedule", ["cosine", "constant", "linear", "steps"])
def test_every_schedule_warms_up(schedule):
    np.testing.assert_allclose(rates([0, 5, 10], schedule=schedule), [0, 5e-3, 1e-2], rtol=1e-6)
    np.testing.assert_allclose(rates([0], schedule=schedule, warmup_steps=0), [1e-2], rtol=1e-6)


def test_constant_stays():
    np.testing.assert_allclose(rates([10, 50, 99, 1000], schedule="constant"), 1e-2, rtol=1e-6)


def test_linear_stays_for_half_the_run_then_falls_to_its_end():
    # pix2pix and CycleGAN: 100 epochs at the peak, 100 down to 0
    found = rates([10, 49, 50, 75, 90, 100, 1000], schedule="linear", final_fraction=0.0)
    np.testing.assert_allclose(found, [1e-2, 1e-2, 1e-2, 5e-3, 2e-3, 0, 0], rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(rates([100], schedule="linear"), 1e-3, rtol=1e-5)
    late = rates([79, 80, 90, 100], schedule="linear", warmup_steps=80, final_fraction=0.0)
    np.testing.assert_allclose(late, [1e-2 * 79 / 80, 1e-2, 5e-3, 0], rtol=1e-5, atol=1e-9)


def test_steps_multiply_at_their_shares_of_the_run():
    found = rates([10, 49, 51, 74, 76, 100, 1000], schedule="steps")
    np.testing.assert_allclose(found, [1e-2, 1e-2, 1e-3, 1e-3, 1e-5, 1e-5, 1e-5], rtol=1e-5)


def test_warmup_longer_than_the_run_is_refused():
    with pytest.raises(
        ValueError, match=r"^config\.optim\.warmup_steps=10 .* config\.train\.steps=10: set it lower"
    ):
        optim.make_optimizer(make_config(), total_steps=10)


def test_decay_is_for_kernels_only():
    matrix, vector = jnp.ones((2, 2)), jnp.ones(2)
    params = {
        "stem": {"kernel": matrix, "bias": vector},
        "block0": {"norm1": {"scale": vector}, "GroupNorm_0": {"scale": matrix}, "mlp": {"kernel": matrix}},
        "attention": {"kernel": jnp.ones((2, 2, 2)), "relative_bias": matrix},
    }
    assert optim.decayed_parameters(params) == {
        "stem": {"kernel": True, "bias": False},
        "block0": {"norm1": {"scale": False}, "GroupNorm_0": {"scale": False}, "mlp": {"kernel": True}},
        "attention": {"kernel": True, "relative_bias": False},
    }


def test_three_updates_equal_adamw_by_hand():
    config = make_config(warmup_steps=2)
    optimizer, schedule = optim.make_optimizer(config, total_steps=20)
    params = {"kernel": jnp.array([[1.0, -2.0]]), "bias": jnp.array([0.5])}
    state = optimizer.init(params)
    w = {name: np.asarray(x, np.float64) for name, x in params.items()}
    m = {name: np.zeros_like(x) for name, x in w.items()}
    v = {name: np.zeros_like(x) for name, x in w.items()}
    for t, raw in enumerate([([[3.0, 0.0]], [4.0]), ([[0.1, 0.2]], [-0.2]), ([[-1.0, 2.0]], [2.0])]):
        raw = dict(zip(["kernel", "bias"], raw, strict=True))
        updates, state = optimizer.update(
            jax.tree.map(jnp.asarray, raw, is_leaf=lambda x: isinstance(x, list)), state, params
        )
        params = optax.apply_updates(params, updates)
        grads = {name: np.asarray(x) for name, x in raw.items()}
        norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
        for name, g in grads.items():
            g = g / max(1.0, norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.95 * v[name] + 0.05 * g**2
            step = (m[name] / (1 - 0.9 ** (t + 1))) / (np.sqrt(v[name] / (1 - 0.95 ** (t + 1))) + 1e-8)
            decay = 0.1 * w[name] if name == "kernel" else 0.0
            w[name] = w[name] - float(schedule(t)) * (step + decay)
        for name in w:
            np.testing.assert_allclose(params[name], w[name], rtol=1e-5)


def test_ema_decay_warms_up():
    ema, params = {"w": jnp.array([1.0])}, {"w": jnp.array([3.0])}
    update = jax.jit(optim.ema_update, static_argnames="decay")
    np.testing.assert_allclose(update(ema, params, 0, decay=0.999)["w"], 0.1 * 1 + 0.9 * 3, rtol=1e-6)
    np.testing.assert_allclose(update(ema, params, 90, decay=0.999)["w"], 0.91 * 1 + 0.09 * 3, rtol=1e-6)
    np.testing.assert_allclose(update(ema, params, 10**6, decay=0.999)["w"], 1.002, rtol=1e-6)
    assert update(ema, params, jnp.int32(5), decay=0.0)["w"] == 3.0
