"""The train step: a pure function, jitted by its callers.

    (state, batch of uint8 pictures) -> (state, metrics)

The step draws everything random from fold_in(seed, step), has the task make luma, chroma, hints and aged views of the
pictures on the device, runs the student once over the labeled and the unlabeled ones, adds up the terms of the
objectives (`objectives/terms.py`), and updates the state.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, UInt8
from ml_collections import ConfigDict

from hybridvit.augment.cutmix import make_exchange
from hybridvit.augment.degrade import degrade
from hybridvit.objectives.joint_batch import interleave, separate
from hybridvit.objectives.term import Material, Metrics, Seen
from hybridvit.objectives.terms import make_terms
from hybridvit.tasks.task import Views
from hybridvit.training.microbatches import accumulate
from hybridvit.training.optim import without_frozen
from hybridvit.training.state import Networks, TrainState
from hybridvit.training.update import update_state

Batch = dict[str, UInt8[Array, "b h w c"]]


def make_train_step(
    networks: Networks, config: ConfigDict, restoring: bool = False
) -> Callable[[TrainState, Batch], tuple[TrainState, Metrics]]:
    """The update of one step, from the whole config.

    `restoring`: the one of the first `config.restoration.pretrain_steps` steps, which computes nothing of colours. The
    batch holds `labeled` uint8 `[B, S, S, 3 or 4]` (see `tasks.task`) and, if `config.data.unlabeled_batch_size`,
    `unlabeled` uint8 `[U, S, S, 1]`. Metrics are float32 scalars.
    """
    task = networks.task
    terms = make_terms(networks, config, restoring)
    use_gray = any(term.needs_gray for term in terms)

    def view(batch: Batch, labeled_key: Array, unlabeled_key: Array) -> Material:
        pictures = batch["labeled"].astype(jnp.float32) / 255
        views, target = task.view(labeled_key, pictures)
        age_key, hint_key = jax.random.split(unlabeled_key)
        gray = unlabeled = None
        if use_gray:
            gray = task.gray_to_luma(batch["unlabeled"].astype(jnp.float32) / 255)
            hints = jnp.zeros((*gray.shape[:3], task.channels + 1)) if config.model.hints else None
            unlabeled = Views(degrade(age_key, gray, config.degrade), hints)
        return Material(pictures, views, target, gray, unlabeled, labeled_key, hint_key)

    def see(params: Any, stats: Any, material: Material, key: Array) -> tuple[Seen, Any]:
        """The student's predictions, in one pass; and the running statistics afterwards."""
        given = material.labeled
        if use_gray:
            given = jax.tree.map(interleave, given, material.unlabeled)
        exchange = lambda maps: maps  # noqa: E731
        if config.cutmix.probability > 0:
            cutmix_key, size = jax.random.fold_in(key, 3), given.luma.shape[:3]
            exchange = make_exchange(cutmix_key, *size, config.cutmix.probability)
            given = jax.tree.map(exchange, given)
        network_key = jax.random.split(key, 3)[2]
        params = without_frozen(params, config.optim)
        prediction, stats = networks.train_forward(params, stats, *given, network_key)
        prediction = jax.tree.map(exchange, prediction)  # every loss is of whole pictures
        if not use_gray:
            return Seen(prediction, None, prediction.features), stats
        one, other = separate(prediction, len(material.target), len(material.gray))
        return Seen(one, other, prediction.features), stats

    def gradients(state: TrainState, batch: Batch, key: Array) -> tuple[Any, Any, Metrics]:
        """Of one microbatch, by field of the state; the fields that change otherwise; metrics."""
        labeled_key, unlabeled_key, _ = jax.random.split(key, 3)
        material = view(batch, labeled_key, unlabeled_key)
        prepared = [term.prepare(state, material) for term in terms]
        for hints in (one.hints for one in prepared if one.hints is not None):
            material = material._replace(unlabeled=material.unlabeled._replace(hints=hints))

        def objective(learnt: dict[str, Any]) -> tuple[Array, tuple[Seen, Any, Metrics]]:
            seen, stats = see(learnt["params"], state.stats, material, key)
            losses, metrics = zip(
                *(
                    term.loss(learnt.get(term.own), own.given, seen)
                    for term, own in zip(terms, prepared, strict=True)
                    if term.loss
                ),
                strict=True,
            )
            loss = losses[0]
            for more in losses[1:]:
                loss += more
            return loss, (seen, stats, merge(*metrics, {"loss": loss}))

        learnt = {
            name: getattr(state, name) for name in ("params", *(term.own for term in terms if term.own))
        }
        grads, (seen, stats, metrics) = jax.grad(objective, has_aux=True)(learnt)
        answers = [
            term.oppose(own.given, seen) for term, own in zip(terms, prepared, strict=True) if term.oppose
        ]
        return (
            merge(grads, *(answer.grads for answer in answers)),
            merge({"stats": stats}, *(one.changed for one in (*prepared, *answers))),
            merge(metrics, *(one.metrics for one in (*prepared, *answers))),
        )

    def train_step(state: TrainState, batch: Batch, seed: Any = config.seed) -> tuple[TrainState, Metrics]:
        key = jax.random.fold_in(jax.random.key(seed), state.step)
        grads, changed, metrics = accumulate(gradients, state, batch, key, config.optim.accumulate)
        return update_state(networks, config.optim, state, grads, changed, metrics)

    return train_step


def merge(*parts: dict[str, Any]) -> dict[str, Any]:
    """One dict of several that have no name in common."""
    merged = {}
    for part in parts:
        assert not merged.keys() & part.keys(), f"two terms give {merged.keys() & part.keys()}"
        merged |= part
    return merged
