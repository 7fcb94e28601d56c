"""How fast the train step is, against the rate at which this machine multiplies matrices, in the same process.

    python -m tests.benchmarks.step_speed --config=configs/supervised_vit.py --config.model.variant=S \
        --config.data.image_size=256 --config.data.batch_size=8

Prints the median and best time of a step on a constant batch, pictures a second, the compiler's own count of floating
point operations, what they come to a second, and the share of the matmul rate (2048 x 2048, float32 or the model's
dtype); pictures a CPU-second of the host, which other work disturbs less; the CPU-seconds of tracing, lowering and
compiling; the most memory that an accelerator held, or this process did while it stepped. Then pictures a second of the
run's earlier phases, if it has any (steps that only restore, smaller pictures). An idle machine is assumed; run it
twice.
"""

import statistics
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from ml_collections import ConfigDict, config_flags

from hybridvit.runtime.mesh import build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.phases import plan_phases
from hybridvit.training.state import TrainState, abstract_state, build_networks, create_state
from hybridvit.training.step import Batch
from tests.benchmarks.memory import forget_peak, peak

CONFIG = config_flags.DEFINE_config_file("config", "configs/ssl_vit.py", lock_config=True)
STEPS = flags.DEFINE_integer("steps", 10, "Timed steps.", lower_bound=1)


def matmul_rate(dtype: str, size: int = 2048, repeats: int = 10) -> float:
    """FLOP/s of a square matrix product, the best of `repeats`."""
    a = jnp.ones((size, size), dtype)
    multiply = jax.jit(lambda a: a @ a)
    multiply(a).block_until_ready()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        multiply(a).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def constant_batch(config: ConfigDict) -> dict[str, np.ndarray]:
    """Random pictures of the config's shapes."""
    rng = np.random.default_rng(0)
    size = config.data.image_size
    batch = {"labeled": rng.integers(0, 256, (config.data.batch_size, size, size, 3), np.uint8)}
    if config.data.unlabeled_batch_size:
        batch["unlabeled"] = rng.integers(0, 256, (config.data.unlabeled_batch_size, size, size, 1), np.uint8)
    return batch


def time_steps(
    step: Any, state: TrainState, batch: Batch, seed: np.uint32
) -> tuple[TrainState, list[float], list[float]]:
    """The last state, and of each of STEPS steps after a first one the seconds and the CPU-seconds of the host."""
    times, worked = [], []
    for _ in range(STEPS.value + 1):
        start, before = time.perf_counter(), time.process_time()
        state, metrics = step(state, batch, seed)
        jax.block_until_ready((state, metrics))
        times.append(time.perf_counter() - start)
        worked.append(time.process_time() - before)
    return state, times[1:], worked[1:]


def main(_: list[str]) -> None:
    config = CONFIG.value
    mesh = build_mesh(config.mesh.fsdp)
    networks = build_networks(config)
    abstract = abstract_state(networks, mesh)
    state = create_state(networks, mesh, config.seed)
    batch = put_batch(constant_batch(config), mesh)
    before = time.process_time()
    lowered = jit_train_step(networks, config, abstract, mesh).lower(state, batch, seed_of(config))
    traced, before = time.process_time() - before, time.process_time()
    step = lowered.compile()
    compiled = time.process_time() - before
    flops = step.cost_analysis()["flops"]
    rate = matmul_rate(config.model.dtype)
    forget_peak()
    state, times, worked = time_steps(step, state, batch, seed_of(config))
    most, holder = peak()
    rate = max(rate, matmul_rate(config.model.dtype))
    held = sum(x.nbytes for x in jax.tree.leaves(state))
    pictures = sum(len(x) for x in batch.values())
    count = sum(x.size for x in jax.tree.leaves(abstract.params))
    for name, seconds in (("median", statistics.median(times)), ("best", min(times))):
        print(
            f"{name:6} {seconds * 1e3:7.0f} ms a step, {pictures / seconds:6.2f} pictures/s, "
            f"{flops / seconds / 1e9:6.0f} GFLOP/s, {flops / seconds / rate:.2f} of the matmul rate"
        )
    print(f"{pictures / statistics.median(worked):.2f} pictures a CPU-second")
    print(
        f"{config.name}, {config.model.variant} ({count / 1e6:.2f} M parameters), {config.data.image_size} px, "
        f"batch {'+'.join(str(len(x)) for x in batch.values())}: {flops / pictures / 1e9:.2f} GFLOP a picture, "
        f"matmul {rate / 1e9:.0f} GFLOP/s, {mesh.size} x {jax.devices()[0].device_kind}"
    )
    print(
        f"traced and lowered in {traced:.1f}, compiled in {compiled:.1f} CPU-seconds; at most {most / 1e9:.2f} GB "
        f"held by {holder}, of which the state {held / 1e9:.2f}"
    )
    for phase in plan_phases(config)[:-1]:
        step = jit_train_step(networks, config, abstract, mesh, phase)
        state, times, _ = time_steps(step, state, batch, seed_of(config))
        what = "restoring alone" if phase.restoring else f"{phase.stage.side} px"
        print(f"from step {phase.start} ({what}): {pictures / statistics.median(times):.2f} pictures/s")


if __name__ == "__main__":
    app.run(main)
