"""The optimizer: AdamW with warm-up and a schedule, decay on kernels only, clipping; and the parameters' EMA."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict


def make_optimizer(
    config: ConfigDict, total_steps: int
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """AdamW and its schedule (step -> learning rate), from `config.optim` and the number of training steps.

    Gradients are clipped to a global norm of `clip_norm`. Raises ValueError as `make_schedule`.
    """
    schedule = make_schedule(config, total_steps)
    adamw = optax.adamw(
        schedule, b1=config.b1, b2=config.b2, weight_decay=config.weight_decay, mask=decayed_parameters
    )
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), adamw), schedule


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


def ema_update(ema: Any, params: Any, step: jax.typing.ArrayLike, decay: float) -> Any:
    """The running mean of the parameters after update number `step` (from 0; may be traced).

    Its decay is min(decay, (1 + step) / (10 + step)): young, it forgets its random start quickly.
    """
    warm = jnp.minimum(decay, (1 + step) / (10 + step))
    return optax.incremental_update(params, ema, 1 - warm)
