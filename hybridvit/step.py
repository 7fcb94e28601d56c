"""The train step and the evaluation step: pure functions, jitted by their callers.

    (state, batch of uint8 pictures) -> (state, metrics)

The step draws everything random from fold_in(seed, step), has the task make luma, chroma, hints and aged views of the
labeled pictures on the device, lets the EMA teacher label the grayscale ones, runs the student once over both together,
sums the objectives of the config, and updates the state. A loss, gradient or update that is not finite changes nothing
but counters.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, UInt8
from ml_collections import ConfigDict

from hybridvit.color import bins
from hybridvit.data.cutmix import make_exchange
from hybridvit.data.degrade import degrade
from hybridvit.hints.simulate import simulate_hints
from hybridvit.metrics import colorfulness
from hybridvit.models.generator import join
from hybridvit.models.prediction import Prediction
from hybridvit.objectives import adversarial, bin_cross_entropy, consistency, restoration
from hybridvit.objectives.bin_cross_entropy import pool
from hybridvit.objectives.supervised import supervised_loss
from hybridvit.optim import ema_update
from hybridvit.state import Networks, TrainState, advance
from hybridvit.tasks.task import Task, Views

Batch = dict[str, UInt8[Array, "b h w c"]]
Metrics = dict[str, Float[Array, ""]]


def make_train_step(
    networks: Networks, config: ConfigDict
) -> Callable[[TrainState, Batch], tuple[TrainState, Metrics]]:
    """The update of one step, from the whole config.

    The batch holds `labeled` uint8 `[B, S, S, 3 or 4]` (see `tasks.task`) and, if `config.data.unlabeled_batch_size`,
    `unlabeled` uint8 `[U, S, S, 1]`. Metrics are float32 scalars.
    """
    task = networks.task
    use_bins = config.bins.weight > 0
    learns_from_gray = config.consistency.weight > 0 or config.restoration.weight > 0
    use_unlabeled = learns_from_gray and config.data.unlabeled_batch_size > 0
    use_adversarial = config.adversarial.weight > 0
    use_restoration = networks.restorer is not None

    def view_unlabeled(
        key: Array, gray: Float[Array, "b h w 1"], state: TrainState
    ) -> tuple[Array, Views, consistency.PseudoLabels, Metrics]:
        """The weak views of the grayscale pictures, the strong ones, and what the teacher says of the weak ones."""
        age_key, hint_key = jax.random.split(key)
        luma = task.gray_to_luma(gray)
        teacher = state.ema if config.consistency.teacher == "ema" else join(state.params, state.stats)
        log_rarity = bin_cross_entropy.log_rarity(state.bin_prior, config.bins)
        weak = []
        for columns in (slice(None), slice(None, None, -1))[: config.consistency.views]:  # as it is, mirrored
            seen = networks.generate(teacher, luma[:, :, columns], None)
            weak.append(Prediction(seen.chroma[:, :, columns], seen.bins[:, :, columns]))
        labels = consistency.make_pseudo_labels(weak, log_rarity, state.ring_confidence, config.consistency)
        hints = None
        if config.model.hints:
            hints = jnp.zeros((*luma.shape[:3], task.channels + 1))
            if config.consistency.pseudo_hints:
                hints = simulate_hints(hint_key, labels.chroma, labels.gate_pixels(), config.hints)
        metrics = consistency.gate_statistics(labels)
        metrics["colorfulness/teacher"] = _colorfulness(task, luma, labels.chroma)
        return luma, Views(degrade(age_key, luma, config.degrade), hints), labels, metrics

    def gradients(state: TrainState, batch: Batch, key: Array) -> tuple[Any, Any, dict[str, Any]]:
        """Gradients of generator and discriminator on one microbatch, and what else the update needs."""
        labeled_key, unlabeled_key, network_key = jax.random.split(key, 3)
        pictures = batch["labeled"].astype(jnp.float32) / 255
        views, chroma = task.view(labeled_key, pictures)
        aux: dict[str, Any] = {"metrics": {}}
        age = state.step - config.restoration.pretrain_steps  # since colours are learnt
        labels = None
        if use_bins:
            target = bin_cross_entropy.encode_truth(chroma, config.bins.sigma)
            aux["bin_prior"] = bin_cross_entropy.update_prior(state.bin_prior, target, config.bins)
        if use_unlabeled:
            gray = batch["unlabeled"].astype(jnp.float32) / 255
            weak_luma, strong, labels, aux["metrics"] = view_unlabeled(unlabeled_key, gray, state)
            if use_restoration:
                whole = task.examine(jax.random.split(labeled_key, len(chroma)), pictures)
                undamaged = interleave(whole.luma, weak_luma)
            aux["ring_confidence"] = consistency.update_ring_confidence(state.ring_confidence, labels)

        def judge(params: Any, chroma: Array) -> tuple[Array, Any]:
            return networks.discriminate(params, state.disc_stats, jnp.concatenate([views.luma, chroma], -1))

        def generator_objective(both: tuple[Any, Any]) -> tuple[Array, tuple[Prediction, Any, Metrics]]:
            params, restorer = both
            # One forward pass over both sets
            given = views if labels is None else jax.tree.map(interleave, views, strong)
            exchange = lambda maps: maps  # noqa: E731
            if config.cutmix.probability > 0:
                cutmix_key, size = jax.random.fold_in(key, 3), given.luma.shape[:3]
                exchange = make_exchange(cutmix_key, *size, config.cutmix.probability)
                given = jax.tree.map(exchange, given)
            prediction, stats = networks.learn(params, state.stats, *given, network_key)
            prediction = jax.tree.map(exchange, prediction)  # every loss is of whole pictures
            features = prediction.features
            if labels is not None:
                prediction, student = separate(prediction, len(chroma), len(labels.chroma))
            metrics = {"loss/chroma": supervised_loss(prediction, chroma, config.supervised)}
            loss = config.supervised.weight * metrics["loss/chroma"]
            if use_bins:
                metrics["loss/bins"] = bin_cross_entropy.bin_loss(
                    prediction.bins, target, state.bin_prior, config.bins.uniform_mix
                )
                loss += config.bins.weight * metrics["loss/bins"]
            if labels is not None:
                metrics["loss/consistency"] = consistency.consistency_loss(
                    student, labels, config.supervised.delta, config.bins.weight
                )
                metrics["colorfulness/student"] = _colorfulness(task, strong.luma, student.chroma)
                ramp = jnp.minimum(1.0, (age + 1) / max(config.consistency.warmup_steps, 1))
                loss += config.consistency.weight * ramp * metrics["loss/consistency"]
            if use_adversarial:
                fake, _ = judge(state.disc_params, prediction.chroma)
                metrics["loss/generator"] = adversarial.generator_loss(config.adversarial.loss, fake)
                heard = state.step >= config.adversarial.start_step
                loss += config.adversarial.weight * heard * metrics["loss/generator"]
            if use_restoration:
                metrics["loss/restoration"] = restoration.restoration_loss(restorer, features, undamaged)
                loss = (age >= 0) * loss + config.restoration.weight * metrics["loss/restoration"]
            metrics["loss"] = loss
            return loss, (prediction, stats, metrics)

        objective = jax.value_and_grad(generator_objective, has_aux=True)
        (_, (prediction, aux["stats"], metrics)), grads = objective((state.params, state.restorer))
        aux["metrics"] |= metrics
        if not use_adversarial:
            return grads, {}, aux

        def discriminator_objective(params: Any) -> tuple[Array, Any]:
            return adversarial.discriminator_objective(
                lambda colors: judge(params, colors), chroma, prediction.chroma, config.adversarial
            )

        (disc_loss, aux["disc_stats"]), disc_grads = jax.value_and_grad(
            discriminator_objective, has_aux=True
        )(state.disc_params)
        aux["metrics"]["loss/discriminator"] = disc_loss
        return grads, disc_grads, aux

    def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)
        grads, disc_grads, aux = accumulate(gradients, state, batch, key, config.optim.accumulate)
        grad_norm = optax.tree.norm((grads, disc_grads))
        grads, restorer_grads = grads
        updates, opt_state = networks.optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        variables = join(params, aux["stats"])
        changed = {
            "params": params,
            "ema": ema_update(state.ema, variables, state.step, config.optim.ema_decay),
            "opt_state": opt_state,
        }
        if use_restoration:
            updates, changed["restorer_opt_state"] = networks.optimizer.update(
                restorer_grads, state.restorer_opt_state, state.restorer
            )
            changed["restorer"] = optax.apply_updates(state.restorer, updates)
        if use_adversarial:
            updates, changed["disc_opt_state"] = networks.disc_optimizer.update(
                disc_grads, state.disc_opt_state, state.disc_params
            )
            changed["disc_params"] = optax.apply_updates(state.disc_params, updates)
        trained = [changed[name] for name in ("params", "disc_params", "restorer") if name in changed]
        param_norm = optax.tree.norm(trained)
        finite = jnp.isfinite(aux["metrics"]["loss"]) & jnp.isfinite(grad_norm) & jnp.isfinite(param_norm)
        changed |= {name: value for name, value in aux.items() if name != "metrics"}
        state = advance(state, changed, finite)
        metrics = aux["metrics"] | {
            "grad_norm": grad_norm,
            "param_norm": param_norm,
            "skipped": state.skipped,
            "skipped_in_row": state.skipped_in_row,
        }
        return state, jax.tree.map(lambda x: x.astype(jnp.float32), metrics)

    return train_step


def accumulate(
    gradients: Callable, state: TrainState, batch: Batch, key: Array, count: int
) -> tuple[Any, Any, dict[str, Any]]:
    """Mean of `gradients(state, microbatch, key)` over `count` microbatches, one after the other.

    Microbatch i takes the rows i, i + count, ..., so that each stays spread over all devices.
    """
    if count == 1:
        return gradients(state, batch, key)
    micro = jax.tree.map(lambda x: x.reshape(-1, count, *x.shape[1:]).swapaxes(0, 1), batch)

    def body(total: Any, i_and_part: tuple[Array, Batch]) -> tuple[Any, None]:
        i, part = i_and_part
        return jax.tree.map(jnp.add, total, gradients(state, part, jax.random.fold_in(key, i))), None

    shapes = jax.eval_shape(gradients, state, jax.tree.map(lambda x: x[0], micro), key)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    total, _ = jax.lax.scan(body, zeros, (jnp.arange(count), micro))
    return jax.tree.map(lambda x: x / count, total)


def interleave(first: Float[Array, "m ..."], second: Float[Array, "n ..."]) -> Float[Array, "mn ..."]:
    """Joins two batches in equal groups of both, so that no picture changes its device (a concatenation would)."""
    groups = math.gcd(len(first), len(second))
    parts = [x.reshape(groups, -1, *x.shape[1:]) for x in (first, second)]
    return jnp.concatenate(parts, 1).reshape(-1, *first.shape[1:])


def separate(both: Prediction, m: int, n: int) -> tuple[Prediction, Prediction]:
    """Undoes `interleave` of `m` and `n` pictures."""
    groups = math.gcd(m, n)
    grouped = jax.tree.map(lambda x: x.reshape(groups, -1, *x.shape[1:]), both)
    first = jax.tree.map(lambda x: x[:, : m // groups].reshape(m, *x.shape[2:]), grouped)
    second = jax.tree.map(lambda x: x[:, m // groups :].reshape(n, *x.shape[2:]), grouped)
    return first, second


def _colorfulness(
    task: Task, luma: Float[Array, "b h w 1"], chroma: Float[Array, "b h w c"]
) -> Float[Array, ""]:
    """Mean colorfulness, at 1/8 resolution, where it is cheap: teacher above student and both falling is a collapse."""
    return jnp.mean(colorfulness(task.draw(pool(luma), pool(jax.lax.stop_gradient(chroma)))))


class Evaluated(NamedTuple):
    """What a model makes of a picture; the last two are None of a generator without a distribution.

    `logits` are calibrated (the weights of the bin loss taken off); `confidence`, 0..1, is their radial mass.
    """

    rgb: Float[Array, "b h w 3"]
    logits: Float[Array, "b h8 w8 q"] | None
    confidence: Float[Array, "b h8 w8"] | None


def make_eval_step(
    networks: Networks, config: ConfigDict
) -> Callable[[Any, Array | None, Array, Array | None], Evaluated]:
    """`(variables, bin_prior [313] or None, luma, hints) -> Evaluated`, from the whole config.

    The confidence is the mass within `config.consistency.radius` (ab units) of the distribution's annealed mean.
    """

    def eval_step(variables: Any, bin_prior: Array | None, luma: Array, hints: Array | None) -> Evaluated:
        prediction = networks.generate(variables, luma, hints)
        rgb = networks.task.draw(luma, prediction.chroma)
        if prediction.bins is None:
            return Evaluated(rgb, None, None)
        logits = prediction.bins - bin_cross_entropy.log_rarity(bin_prior, config.bins)
        mean = bins.annealed_mean(logits)
        return Evaluated(
            rgb, logits, bins.radial_mass(jax.nn.softmax(logits), mean, config.consistency.radius)
        )

    return eval_step
