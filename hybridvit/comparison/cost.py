"""What a generator costs to run: parameters, FLOPs and time of one picture."""

import dataclasses
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from hybridvit.models.generator import join
from hybridvit.training.state import build_networks

REPEATS = 30
LONGEST = 10.0  # s of the clock after which no further repeat is begun


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one picture, batch 1. `parameters` and `gflops` are None of a method that is no network."""

    parameters: int | None
    gflops: float | None  # a multiply-add is two
    milliseconds: float


def measure_cost(config: ConfigDict) -> Cost:
    """Of the generator, at the size of the evaluation.

    FLOPs are XLA's own count for the compiled forward pass. The values of the parameters do not matter.
    """
    networks = build_networks(config)
    params = jax.eval_shape(networks.init, jax.random.key(0))[0]
    parameters = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))
    side = config.eval.image_size
    luma = jnp.zeros((1, side, side, 1))
    hints = jnp.zeros((1, side, side, networks.task.channels + 1)) if config.model.hints else None

    def forward(variables: Any, luma: jax.Array, hints: jax.Array | None) -> jax.Array:
        return networks.generate(variables, luma, hints).chroma

    variables = jax.jit(lambda key: join(*networks.init(key)[:2]))(jax.random.key(0))
    compiled = jax.jit(forward).lower(variables, luma, hints).compile()
    analysis = compiled.cost_analysis()
    milliseconds = median_milliseconds(lambda: jax.block_until_ready(compiled(variables, luma, hints)))
    return Cost(parameters, analysis["flops"] / 1e9, milliseconds)


def median_milliseconds(run: Callable[[], Any]) -> float:
    """Median time of the clock of some repeats, after a first one."""
    run()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < REPEATS and time.perf_counter() - began < LONGEST:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)
