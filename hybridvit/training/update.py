"""How a step ends: gradients become a new state, unless something is not finite, and metrics."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from hybridvit.models.generator import join
from hybridvit.objectives.term import Metrics
from hybridvit.training.optim import ema_update
from hybridvit.training.state import Networks, TrainState, advance

OPTIMIZERS = {  # of what learns: the optimizer, the field with its state
    "params": ("optimizer", "opt_state"),
    "restorer": ("restorer_optimizer", "restorer_opt_state"),
    "disc_params": ("disc_optimizer", "disc_opt_state"),
}


def update_state(
    networks: Networks,
    config: ConfigDict,
    state: TrainState,
    grads: dict[str, Any],
    changed: dict[str, Any],
    metrics: Metrics,
) -> tuple[TrainState, Metrics]:
    """The state after a step, from the section `optim`; a loss, gradient or update that is not finite changes nothing.

    `grads` are by field of the state, of `params` at least, or by field of its `cycle`: {"params": ..., "cycle":
    {"params": ...}}. `changed` are further fields, of which `stats` is one. Of the metrics, `loss` is.
    """
    back = grads.get("cycle", {})
    here = {name: grads[name] for name in OPTIMIZERS if name in grads}
    changed = changed | descend(networks, vars(state), here)
    learnt = [changed[name] for name in here]
    if back:
        changed["cycle"] = changed["cycle"] | descend(networks, state.cycle, back)
        learnt += [changed["cycle"][name] for name in back]
    variables = join(changed["params"], changed["stats"])
    changed["ema"] = ema_update(state.ema, variables, state.step, config.ema_decay, config.ema_warmup)
    grad_norm, param_norm = (optax.tree.norm(tree) for tree in ([*here.values(), *back.values()], learnt))
    finite = jnp.isfinite(metrics["loss"]) & jnp.isfinite(grad_norm) & jnp.isfinite(param_norm)
    state = advance(state, changed, finite)
    counters = {"skipped": state.skipped, "skipped_in_row": state.skipped_in_row}
    metrics = metrics | counters | {"grad_norm": grad_norm, "param_norm": param_norm}
    return state, jax.tree.map(lambda x: x.astype(jnp.float32), metrics)


def descend(networks: Networks, fields: Mapping[str, Any], grads: dict[str, Any]) -> dict[str, Any]:
    """The parameters and the states of their optimizers after a step, by field."""
    changed = {}
    for name, own in grads.items():
        optimizer, opt_state = OPTIMIZERS[name]
        updates, changed[opt_state] = getattr(networks, optimizer).update(
            own, fields[opt_state], fields[name]
        )
        changed[name] = optax.apply_updates(fields[name], updates)
    return changed
