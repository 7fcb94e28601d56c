import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from ml_collections import ConfigDict

from hybridvit.models.efficientnet_lite import STAGES
from hybridvit.models.hybrid_conv_vit import HybridConvViT
from hybridvit.training import optim


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
            "kind": "adamw",
            "encoder_scale": 1.0,
            "layer_decay": 1.0,
            "frozen_stages": 0,
            "trained": (),
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
    update = jax.jit(functools.partial(optim.ema_update, warmup=True), static_argnames="decay")
    np.testing.assert_allclose(update(ema, params, 0, decay=0.999)["w"], 0.1 * 1 + 0.9 * 3, rtol=1e-6)
    np.testing.assert_allclose(update(ema, params, 90, decay=0.999)["w"], 0.91 * 1 + 0.09 * 3, rtol=1e-6)
    np.testing.assert_allclose(update(ema, params, 10**6, decay=0.999)["w"], 1.002, rtol=1e-6)
    assert update(ema, params, jnp.int32(5), decay=0.0)["w"] == 3.0


def test_ema_without_a_warm_up_keeps_a_share_of_its_start():
    start, learnt = {"w": jnp.array([1.0])}, {"w": jnp.array([3.0])}
    ema = start
    for step in range(20):
        ema = optim.ema_update(ema, learnt, step, 0.9, warmup=False)
    share = 0.9**20
    np.testing.assert_allclose(ema["w"], share * 1 + (1 - share) * 3, rtol=1e-5)


STAGE_NAMES = ("stem", *(f"stage{i}" for i in range(1, 8)))


@pytest.fixture(scope="module")
def lite_params() -> dict:
    model = HybridConvViT(
        "Lite-test", channels=2, hint_channels=3, dtype="float32", remat=False, rngs=nnx.Rngs(0)
    )
    return jax.tree.map(np.asarray, nnx.to_pure_dict(nnx.state(model, nnx.Param)))


def of_encoder(params) -> dict:
    return params["half"]["encoder"]


def one_update(params, grads, **changes):
    """The parameters after one step at the peak."""
    config = make_config(warmup_steps=0, **changes)
    optimizer = optim.at_their_rates(optim.make_optimizer(config, total_steps=20)[0], config)

    @jax.jit
    def update(params, grads):
        updates, _ = optimizer.update(grads, optimizer.init(params), params)
        return optax.apply_updates(params, updates)

    return jax.tree.map(np.asarray, update(params, grads))


def moved(params, changed):
    return jax.tree.map(lambda a, b: float(np.abs(a - b).max()), params, changed)


def test_the_stages_are_the_networks():
    assert tuple(STAGES) == STAGE_NAMES[1:]


def test_a_pretrained_encoder_learns_at_its_own_rates(lite_params):
    rates = optim.learning_rates(lite_params, make_config(encoder_scale=0.4, layer_decay=0.5))
    for i, stage in enumerate(STAGE_NAMES):
        assert set(jax.tree.leaves(of_encoder(rates)[stage])) == {0.4 * 0.5 ** (7 - i)}
    encoder = {"half": {"encoder": jax.tree.map(lambda x: 1.0, of_encoder(rates))}}
    others = rates | {"half": rates["half"] | encoder["half"]}
    assert set(jax.tree.leaves(others)) == {1.0}


def test_without_an_encoder_all_learn_alike():
    params = {"stem": {"kernel": jnp.ones((2, 2))}, "blocks": {"block00": {"bias": jnp.ones(2)}}}
    rates = optim.learning_rates(params, make_config(encoder_scale=0.1, layer_decay=0.5, frozen_stages=8))
    assert set(jax.tree.leaves(rates)) == {1.0}


def test_the_update_is_so_many_times_adamws(lite_params):
    grads = jax.tree.map(lambda x: np.sin(np.arange(x.size, dtype=x.dtype)).reshape(x.shape), lite_params)
    changes = {"encoder_scale": 0.4, "layer_decay": 0.5}
    plain, scaled = one_update(lite_params, grads), one_update(lite_params, grads, **changes)
    rates = optim.learning_rates(lite_params, make_config(**changes))
    jax.tree.map(
        lambda old, all_, part, rate: np.testing.assert_allclose(
            part - old, rate * (all_ - old), rtol=1e-3, atol=1e-6
        ),
        *(lite_params, plain, scaled, rates),
    )


@pytest.mark.parametrize(("kind", "frozen"), [("adamw", 1), ("adamw", 8), ("muon", 5)])
def test_frozen_stages_neither_change_nor_have_a_gradient(lite_params, kind, frozen):
    """Nor do they decay; and the rest has the gradient that it has without them frozen."""
    config = make_config(frozen_stages=frozen, kind=kind)
    model = HybridConvViT(
        "Lite-test", channels=2, hint_channels=3, dtype="float32", remat=False, rngs=nnx.Rngs(0)
    )
    graph = nnx.graphdef(model)
    luma = jax.random.uniform(jax.random.key(1), (2, 32, 32, 1), minval=-1)

    @jax.jit
    def gradients(params):
        def loss(params, freeze):
            params = optim.without_frozen(params, config) if freeze else params
            return jnp.square(nnx.merge(graph, params)(luma, None).bins).mean()

        return jax.grad(loss)(params, True), jax.grad(loss)(params, False)

    frozen_grads, grads = jax.tree.map(np.asarray, gradients(lite_params))
    changed = moved(lite_params, one_update(lite_params, frozen_grads, frozen_stages=frozen, kind=kind))
    for i, stage in enumerate(STAGE_NAMES):
        here, free = (of_encoder(tree)[stage] for tree in (frozen_grads, grads))
        if i < frozen:
            assert not any(x.any() for x in jax.tree.leaves(here))
            assert max(jax.tree.leaves(of_encoder(changed)[stage])) == 0
            assert any(x.any() for x in jax.tree.leaves(free))
        else:
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-3), here, free)
            assert max(jax.tree.leaves(of_encoder(changed)[stage])) > 0
    assert changed["bins"]["kernel"] > 0


def test_parts_that_are_not_named_stay(lite_params):
    trained = ("offset", "bins")
    grads = jax.tree.map(np.ones_like, lite_params)
    changed = moved(lite_params, one_update(lite_params, grads, trained=trained))
    for name, part in changed.items():
        assert (min(jax.tree.leaves(part)) > 0) == (name in trained)
        assert (max(jax.tree.leaves(part)) > 0) == (name in trained)
    with pytest.raises(ValueError, match=r"^config\.optim\.trained: 'ofset' is not one of bins, blocks, "):
        optim.learning_rates(lite_params, make_config(trained=("ofset",)))


def test_muon_makes_the_updates_of_matrices_orthogonal_and_leaves_the_others_to_adamw():
    rng = np.random.default_rng(0)
    grads = {
        "kernel": jnp.asarray(rng.normal(size=(6, 4)), jnp.float32),
        "bias": jnp.asarray(rng.normal(size=4), jnp.float32),
        "depthwise": {"kernel": jnp.asarray(rng.normal(size=(3, 3, 4)), jnp.float32)},
    }
    params = jax.tree.map(jnp.zeros_like, grads)  # nothing decays
    muon, adamw = (one_update(params, grads, kind=kind) for kind in ("muon", "adamw"))
    np.testing.assert_allclose(muon["bias"], adamw["bias"], rtol=1e-4)
    np.testing.assert_allclose(muon["depthwise"]["kernel"], adamw["depthwise"]["kernel"], rtol=1e-4)
    # 0.2 of its root mean square for AdamW's 1, times the rate: Liu et al. 2025, section 2.2
    singular = np.linalg.svd(muon["kernel"], compute_uv=False)
    assert singular.max() / singular.min() < 2  # five Newton-Schulz steps leave them within 0.7..1.2
    rms = np.sqrt(np.square(muon["kernel"]).mean())
    assert 0.2 * 1e-2 * 0.6 < rms < 0.2 * 1e-2 * 1.4
    assert np.square(muon["kernel"]).mean() < np.square(adamw["kernel"]).mean()
    u, _, v = np.linalg.svd(grads["kernel"], full_matrices=False)
    alike = -(muon["kernel"] * (u @ v)).sum() / np.linalg.norm(muon["kernel"]) / np.linalg.norm(u @ v)
    assert alike > 0.95


def test_muon_decays_kernels_only():
    ones = {"kernel": jnp.ones((4, 4)), "scale": jnp.ones(4)}
    changed = one_update(ones, jax.tree.map(jnp.zeros_like, ones), kind="muon")
    np.testing.assert_allclose(changed["kernel"], 1 - 1e-2 * 0.1, rtol=1e-5)
    np.testing.assert_array_equal(changed["scale"], ones["scale"])


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind='sgd' is not adamw or muon"):
        optim.make_optimizer(make_config(kind="sgd"), total_steps=20)


def test_a_checkpoint_of_0_1_can_be_gone_on_from(lite_params):
    """The generator's optimizer keeps what it kept there: nothing of the rates."""
    config = make_config(frozen_stages=2)
    optimizer = optim.at_their_rates(optim.make_optimizer(config, total_steps=20)[0], config)
    schedule = optim.make_schedule(config, 20)
    older = optax.chain(
        optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=0.1, mask=optim.decayed_parameters)
    )
    states = (jax.eval_shape(one.init, lite_params) for one in (optimizer, older))
    paths = [[path for path, _ in jax.tree_util.tree_flatten_with_path(state)[0]] for state in states]
    assert paths[0] == paths[1]
