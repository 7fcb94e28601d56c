"""The optimizer: AdamW with warm-up and cosine, decay on kernels only, clipping; and the parameters' EMA."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict


def make_optimizer(
    config: ConfigDict, total_steps: int
) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """AdamW and its schedule (step -> learning rate), from `config.optim` and the number of training steps.

    The learning rate rises linearly from 0 to `learning_rate` over `warmup_steps`, then falls along a cosine
    to `final_fraction` of it at `total_steps`, and stays there. Gradients are clipped to a global norm of
    `clip_norm`.
    Raises ValueError if the warm-up takes all the steps.
    """
    if not 0 <= config.warmup_steps < total_steps:
        raise ValueError(
            f"config.optim.warmup_steps={config.warmup_steps} leaves none of "
            f"config.train.steps={total_steps}: set it lower"
        )
    schedule = optax.warmup_cosine_decay_schedule(
        init_value=0.0,
        peak_value=config.learning_rate,
        warmup_steps=config.warmup_steps,
        decay_steps=total_steps,
        end_value=config.final_fraction * config.learning_rate,
    )
    adamw = optax.adamw(
        schedule, b1=config.b1, b2=config.b2, weight_decay=config.weight_decay, mask=decayed_parameters
    )
    return optax.chain(optax.clip_by_global_norm(config.clip_norm), adamw), schedule


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
