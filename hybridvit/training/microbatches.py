"""A batch in parts, one after the other, where the whole would not fit into memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array


def accumulate(gradients: Callable, state: Any, batch: dict[str, Array], key: Array, count: int) -> Any:
    """Mean of the trees `gradients(state, microbatch, key)` over `count` microbatches, one after the other.

    Microbatch i takes the rows i, i + count, ..., so that each stays spread over all devices.
    """
    if count == 1:
        return gradients(state, batch, key)
    micro = jax.tree.map(lambda x: x.reshape(-1, count, *x.shape[1:]).swapaxes(0, 1), batch)

    def body(total: Any, i_and_part: tuple[Array, dict[str, Array]]) -> tuple[Any, None]:
        i, part = i_and_part
        return jax.tree.map(jnp.add, total, gradients(state, part, jax.random.fold_in(key, i))), None

    shapes = jax.eval_shape(gradients, state, jax.tree.map(lambda x: x[0], micro), key)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    total, _ = jax.lax.scan(body, zeros, (jnp.arange(count), micro))
    return jax.tree.map(lambda x: x / count, total)
