"""Depthwise convolutions: as XLA lowers them, and as `hybridvit.models.depthwise` writes them on a CPU.

    python -m tests.benchmarks.depthwise [--batch 32]

For maps of EfficientNet-Lite2 at 128 px: milliseconds of the forward pass and of it with both gradients, the least of
`--repeats`, one form after the other in each round, so that what else runs on the machine slows both.
"""

import argparse
import functools
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from hybridvit.models.depthwise import convolved, depthwise

MAPS = ((64, 96, 3), (32, 144, 5), (16, 288, 3), (8, 720, 5))  # px, channels, kernel


def seconds(
    functions: dict[str, Callable], x: jax.Array, kernel: jax.Array, repeats: int
) -> dict[str, float]:
    """The least time of each function of (x, kernel)."""
    least = dict.fromkeys(functions, float("inf"))
    for function in functions.values():
        jax.block_until_ready(function(x, kernel))
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function(x, kernel))
            least[name] = min(least[name], time.perf_counter() - start)
    return least


def total(forward: Callable, x: jax.Array, kernel: jax.Array) -> jax.Array:
    """A number that depends on all of the output."""
    return jnp.sum(forward(x, kernel) * x)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print("| map, channels, kernel | convolution | written out | with gradients: convolution | written out |")
    print("|---|--:|--:|--:|--:|")
    for side, channels, size in MAPS:
        x = jax.random.normal(jax.random.key(0), (options.batch, side, side, channels))
        kernel = jax.random.normal(jax.random.key(1), (size, size, channels))
        functions = {}
        for name, form in (("convolution", convolved), ("written out", depthwise)):
            forward = functools.partial(form, stride=1, padding=(size // 2, size // 2))
            functions[name] = jax.jit(forward)
            functions[f"{name}, gradients"] = jax.jit(jax.grad(functools.partial(total, forward), (0, 1)))
        least = seconds(functions, x, kernel, options.repeats)
        cells = [
            f"{least[name] * 1e3:.1f}"
            for name in ("convolution", "written out", "convolution, gradients", "written out, gradients")
        ]
        print(f"| {side}x{side}, {channels}, {size}x{size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
