"""The step of every recipe against its objectives written out one below the other, on a network of one layer."""

import dataclasses
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from ml_collections import ConfigDict

from hybridvit.augment.cutmix import make_exchange
from hybridvit.augment.degrade import degrade
from hybridvit.hints.simulate import simulate_hints
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import adversarial, bin_cross_entropy, consistency, restoration, supervised
from hybridvit.training.phases import phase_at, plan_phases
from hybridvit.training.state import Networks, build_networks, init_state
from hybridvit.training.step import make_train_step
from hybridvit.training.validate import check_config

SIDE, BATCH, FEATURES = 32, 4, 16
TINY = {
    "data.image_size": SIDE,
    "data.batch_size": BATCH,
    "model.variant": "test",
    "model.encoder_weights": "",
    "degrade.blur": 0.0,  # these four take long to compile
    "degrade.scratches": 0.0,
    "degrade.dust": 0.0,
    "degrade.jpeg": 0.0,
    "hints.min_count": 1,
    "hints.max_count": 8,
    "train.steps": 8,
    "optim.warmup_steps": 0,
    "consistency.warmup_steps": 4,
    "restoration.pretrain_steps": 0,
}
RECIPES = {  # and what else of them is other
    "ssl_vit:bundled": {},
    "ssl_vit:few": {"optim.frozen_stages": 0, "consistency.neighbours": 0.0},
    "ssl_vit:folder": {"restoration.pretrain_steps": 2},
    "ssl_vit:imagenet": {"mesh.fsdp": 1, "adversarial.start_step": 1, "consistency.gate": "radial_mass"},
    "supervised_vit:bundled": {},
    "collection:semi": {"consistency.neighbours": 0.0},
    "release:last": {"model.variant": "Lite-test", "optim.trained": ()},  # whose parts are not this network's
    "restore_vit:bundled": {},
    "hsv_cifar100:hsv": {},
    "pix2pix:unet": {},
    "pix2pix:unetpp": {},
    "hscau:bundled": {"supervised.weight": 2.0},
    "colorful:bundled": {},
    "siggraph:bundled": {"hints.min_count": 1},
    "autoencoder:alpha": {"model.variant": "alpha"},
}


def load(recipe: str) -> ConfigDict:
    module, variant = recipe.split(":")
    config = importlib.import_module(f"configs.{module}").get_config(variant)
    config.update_from_flattened_dict(TINY | RECIPES[recipe])
    if config.data.unlabeled_batch_size:
        config.data.unlabeled_batch_size = BATCH // 2
    check_config(config)
    return config


def of_one_layer(networks: Networks, config: ConfigDict) -> Networks:
    """The same, whose generator and discriminator multiply what each pixel is given by a matrix."""
    channels = networks.task.channels
    given = 1 + (channels + 1 if config.model.hints else 0)

    def train_forward(params, stats, luma, hints, key):
        hints = jnp.zeros((*luma.shape[:3], given - 1)) if hints is None else hints
        seen = jnp.concatenate([luma, hints], -1)
        coarse = seen.reshape(len(luma), SIDE // 8, 8, SIDE // 8, 8, -1).mean((2, 4))
        chroma = jnp.tanh(seen @ params["chroma"])
        return Prediction(
            chroma, coarse @ params["bins"], (chroma / 2,), seen[:, ::4, ::4] @ params["last"]
        ), stats

    def init(key):
        keys = jax.random.split(key, 4)
        widths = {"chroma": channels, "bins": 313, "last": FEATURES}
        params = {
            name: jax.random.normal(k, (given, n)) for k, (name, n) in zip(keys, widths.items(), strict=False)
        }
        judge = {"weights": jax.random.normal(keys[3], (1 + channels, 1))} if networks.discriminate else {}
        return params, {}, judge, {}

    def judge(params, stats, pictures):
        return jnp.square(pictures) @ params["weights"], stats

    return dataclasses.replace(
        networks,
        init=init,
        train_forward=train_forward,
        generate=lambda variables, luma, hints: train_forward(variables, {}, luma, hints, None)[0],
        discriminate=networks.discriminate and judge,
        restorer=networks.restorer and (lambda key: restoration.init_restoration(key, FEATURES)),
    )


def written_out(config, networks, state, batch, restoring):
    """The losses by name, and the norm of all gradients."""
    task, c = networks.task, config
    key = jax.random.fold_in(jax.random.key(c.seed), state.step)
    labeled_key, unlabeled_key, _ = jax.random.split(key, 3)
    pictures = batch["labeled"] / jnp.float32(255)
    views, truth = task.view(labeled_key, pictures)
    luma, hints, all_luma = views.luma, views.hints, None
    if "unlabeled" in batch:
        age_key, hint_key = jax.random.split(unlabeled_key)
        gray = task.gray_to_luma(batch["unlabeled"] / jnp.float32(255))
        aged, unknown = (
            degrade(age_key, gray, c.degrade),
            jnp.zeros((len(gray), SIDE, SIDE, task.channels + 1)),
        )
        if c.consistency.weight and not restoring:
            seen = [networks.generate(state.ema, x, None) for x in (gray, gray[:, :, ::-1])]
            turned = Prediction(seen[1].chroma[:, :, ::-1], seen[1].bins[:, :, ::-1])
            rarity = bin_cross_entropy.log_rarity(state.bin_prior, c.bins)
            labels = consistency.make_pseudo_labels(
                [seen[0], turned][: c.consistency.views], rarity, state.ring_confidence, c.consistency
            )
            if c.consistency.pseudo_hints and c.model.hints:
                unknown = simulate_hints(hint_key, labels.chroma, labels.gate_pixels(), c.hints)
        two_and_one = lambda a, b: jnp.stack([a[0], a[1], b[0], a[2], a[3], b[1]])  # noqa: E731
        luma, whole = two_and_one(luma, aged), task.examine(jax.random.split(labeled_key, BATCH), pictures)
        hints = two_and_one(hints, unknown) if c.model.hints else None
        all_luma = two_and_one(whole.luma, gray)
    exchange = lambda x: x  # noqa: E731
    if c.cutmix.probability:
        exchange = make_exchange(jax.random.fold_in(key, 3), len(luma), SIDE, SIDE, c.cutmix.probability)
    given = luma if hints is None else (luma, hints)

    def judge(params, chroma):
        return networks.discriminate(params, {}, jnp.concatenate([views.luma, chroma], -1))[0]

    def losses(params, restorer):
        view = jax.tree.map(exchange, given)
        view = view if isinstance(view, tuple) else (view, None)
        prediction = jax.tree.map(exchange, networks.train_forward(params, {}, *view, None)[0])
        found, total = {}, 0.0
        if restoring:
            found["restoration"] = restoration.restoration_loss(restorer, prediction.features, all_luma)
            return c.restoration.weight * found["restoration"], found
        rows = jnp.array([0, 1, 3, 4]) if "unlabeled" in batch else jnp.arange(BATCH)
        mine = jax.tree.map(lambda x: x[rows], prediction)
        found["chroma"] = supervised.supervised_loss(mine, truth, c.supervised)
        total = c.supervised.weight * found["chroma"]
        if c.bins.weight:
            target = bin_cross_entropy.encode_truth(truth, c.bins.sigma)
            found["bins"] = bin_cross_entropy.bin_loss(mine.bins, target, state.bin_prior, c.bins.uniform_mix)
            total += c.bins.weight * found["bins"]
        if c.consistency.weight and "unlabeled" in batch:
            other = jax.tree.map(lambda x: x[jnp.array([2, 5])], prediction)
            found["consistency"] = consistency.consistency_loss(
                other, labels, c.supervised.delta, c.bins.weight
            )
            risen = (state.step - c.restoration.pretrain_steps + 1) / c.consistency.warmup_steps
            total += c.consistency.weight * jnp.minimum(risen, 1) * found["consistency"]
        if c.adversarial.weight:
            fake = judge(state.disc_params, mine.chroma)
            found["generator"] = adversarial.generator_loss(c.adversarial.loss, fake)
            total += (
                jnp.where(state.step >= c.adversarial.start_step, c.adversarial.weight, 0)
                * found["generator"]
            )
            found["chroma of"] = mine.chroma
        if "unlabeled" in batch and c.restoration.weight:
            found["restoration"] = restoration.restoration_loss(restorer, prediction.features, all_luma)
            total += c.restoration.weight * found["restoration"]
        return total, found

    (total, found), grads = jax.value_and_grad(losses, (0, 1), has_aux=True)(state.params, state.restorer)
    if (fake := found.pop("chroma of", None)) is not None:
        opposed = lambda p: adversarial.discriminator_loss(  # noqa: E731
            c.adversarial.loss, judge(p, truth), judge(p, fake)
        )
        found["discriminator"], more = jax.value_and_grad(opposed)(state.disc_params)
        grads = (*grads, more)
    return {f"loss/{name}": x for name, x in found.items()} | {
        "loss": total,
        "grad_norm": optax.tree.norm(grads),
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_step_is_the_sum_of_its_objectives(recipe):
    config = load(recipe)
    networks = of_one_layer(build_networks(config), config)
    state = init_state(networks, config.seed)
    channels = 4 if config.data.kind == "pairs" else 3
    small = np.random.default_rng(0).integers(0, 256, (BATCH, 4, 4, channels), dtype=np.uint8)
    pictures = np.kron(small, np.ones((1, SIDE // 4, SIDE // 4, 1), np.uint8))
    batch = {"labeled": pictures}
    if config.data.unlabeled_batch_size:
        batch["unlabeled"] = pictures[: BATCH // 2, ::-1, :, :1]
    phases = plan_phases(config)
    for number in (0, 3) if phases[1:] else (3,):
        state = dataclasses.replace(state, step=jnp.int32(number))
        restoring = phase_at(phases, number).restoring
        step = jax.jit(make_train_step(networks, config, restoring))
        after, metrics = step(state, batch)
        expected = jax.jit(lambda *of, r=restoring: written_out(config, networks, *of, r))(state, batch)
        assert expected.keys() - {"grad_norm"} == {name for name in metrics if name.startswith("loss")}
        for name, value in expected.items():
            assert float(metrics[name]) == pytest.approx(float(value), rel=2e-5, abs=1e-6), name
        assert np.isfinite([float(value) for value in metrics.values()]).all()
        assert int(after.step) == number + 1
        state = after
