"""The optimizer: AdamW or Muon, warm-up and a schedule, decay on kernels only, clipping; and the parameters' EMA.

A pretrained encoder (`models.pretrained_half`) may learn more slowly than the rest, its early stages more slowly still
or not at all: what they see is alike in all pictures, and their gradient is the dearest part of a step on a CPU.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
import optax.contrib
from ml_collections import ConfigDict

from hybridvit.models.efficientnet_lite import STAGES


def make_optimizer(
    config: ConfigDict, total_steps: int
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """The optimizer and its schedule (step -> learning rate), from `config.optim` and the number of training steps.

    Gradients are clipped to a global norm of `clip_norm`. "muon" (Jordan et al. 2024) makes the updates of matrices
    orthogonal, scaled so that they are as large as AdamW's (Liu et al. 2025, section 2.2). Raises ValueError for
    another kind, or as `make_schedule`.
    """
    schedule = make_schedule(config, total_steps)
    if config.kind not in ("adamw", "muon"):
        raise ValueError(f"config.optim.kind={config.kind!r} is not adamw or muon")
    rule = adamw = optax.adamw(
        schedule, b1=config.b1, b2=config.b2, weight_decay=config.weight_decay, mask=decayed_parameters
    )
    if config.kind == "muon":  # optax's own for what is no matrix is Adam with Nesterov's momentum
        muon = optax.contrib.muon(schedule, weight_decay=config.weight_decay, consistent_rms=0.2)
        rule = optax.partition({"muon": muon, "adamw": adamw}, rule_of)
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), rule), schedule


def at_their_rates(
    optimizer: optax.GradientTransformation, config: ConfigDict
) -> optax.GradientTransformation:
    """The optimizer of the generator: its updates times `learning_rates`, from `config.optim`; its state is the same.

    So a checkpoint of 0.1 can be gone on from.
    """

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        updates, state = optimizer.update(grads, state, params)
        return jax.tree.map(lambda u, rate: u * rate, updates, learning_rates(updates, config)), state

    return optax.GradientTransformation(optimizer.init, update)


def rule_of(params: Any) -> Any:
    """A tree of "muon" for kernels that are matrices, and "adamw"."""
    return jax.tree.map(
        lambda x, is_kernel: "muon" if is_kernel and x.ndim == 2 else "adamw",
        params,
        decayed_parameters(params),
    )


def learning_rates(params: Any, config: ConfigDict) -> Any:
    """A tree of floats: each parameter's learning rate as a share of the schedule's, from `config.optim`.

    Raises ValueError for a name in `trained` that the parameters do not have.
    """

    if left := set(config.trained) - set(params):
        raise ValueError(f"config.optim.trained: {min(left)!r} is not one of {', '.join(sorted(params))}")

    def rate(path: tuple, _: Any) -> float:
        if config.trained and path[0].key not in config.trained:
            return 0.0
        stage = encoder_stage(path)
        if stage is None:
            return 1.0
        if stage < config.frozen_stages:
            return 0.0
        return config.encoder_scale * config.layer_decay ** (len(STAGES) - stage)

    return jax.tree_util.tree_map_with_path(rate, params)


def encoder_stage(path: tuple) -> int | None:
    """The number of the pretrained encoder's stage that a parameter is of, 0 for its stem; None for all others."""
    names = [key.key for key in path if isinstance(key, jax.tree_util.DictKey)]
    return ("stem", *STAGES).index(names[2]) if names[:2] == ["half", "encoder"] else None


def without_frozen(params: Any, config: ConfigDict) -> Any:
    """The same parameters, the frozen ones as constants: no gradient is computed for them, nor through them."""
    return jax.tree.map(
        lambda x, rate: x if rate else jax.lax.stop_gradient(x), params, learning_rates(params, config)
    )


def make_schedule(config: ConfigDict, total_steps: int) -> optax.Schedule:
    """Learning rate by step: linearly from 0 to `learning_rate` over `warmup_steps`, then by `config.schedule`.

    cosine    falls along a cosine to `final_fraction` of the peak at `total_steps`
    constant  stays
    linear    stays for the first half of the run, then falls linearly to `final_fraction` of the peak
    steps     at each of `step_shares` of the run it is multiplied by the one of `step_factors` in the same place

    After `total_steps` it stays as it is. Raises ValueError if the warm-up takes all the steps.
    """
    if not 0 <= config.warmup_steps < total_steps:
        raise ValueError(
            f"config.optim.warmup_steps={config.warmup_steps} leaves none of "
            f"config.train.steps={total_steps}: set it lower"
        )
    peak, warmup = config.learning_rate, config.warmup_steps
    end = config.final_fraction * peak
    if config.schedule == "cosine":
        return optax.warmup_cosine_decay_schedule(0.0, peak, warmup, decay_steps=total_steps, end_value=end)
    if config.schedule == "linear":
        half = max(total_steps // 2, warmup)
        after = optax.linear_schedule(peak, end, total_steps - half, transition_begin=half - warmup)
    elif config.schedule == "steps":
        boundaries = [round(share * total_steps) - warmup for share in config.step_shares]
        after = optax.piecewise_constant_schedule(
            peak, dict(zip(boundaries, config.step_factors, strict=True))
        )
    else:
        after = optax.constant_schedule(peak)
    return optax.join_schedules([optax.linear_schedule(0.0, peak, warmup), after], [warmup])


def decayed_parameters(params: Any) -> Any:
    """A tree of bools: True for kernels, False for whatever is a vector or is named a norm or a bias."""

    def is_kernel(path: tuple, leaf: Any) -> bool:
        name = jax.tree_util.keystr(path).lower()
        return leaf.ndim >= 2 and "norm" not in name and "bias" not in name

    return jax.tree_util.tree_map_with_path(is_kernel, params)


def ema_update(ema: Any, params: Any, step: jax.typing.ArrayLike, decay: float, warmup: bool) -> Any:
    """The running mean of the parameters after update number `step` (from 0; may be traced).

    With `warmup` its decay is min(decay, (1 + step) / (10 + step)): young, it forgets its random start quickly.
    Without, it begins with the start, which keeps a share of decay ** steps.
    """
    if warmup:
        decay = jnp.minimum(decay, (1 + step) / (10 + step))
    return optax.incremental_update(params, ema, 1 - decay)
