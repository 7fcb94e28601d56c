"""Does the input pipeline keep up? Time between steps with real batches against a constant batch, in turn.

    python -m tests.benchmarks.input_overhead.py --config=configs/ssl_vit

Rounds of `--steps` steps alternate between the two, so that a busy machine disturbs both alike; the ratio printed is
that of the medians.
"""

import statistics
import time

import jax
from absl import app, flags
from ml_collections import config_flags

from hybridvit.data.pipeline import make_train_dataset, make_train_iterator
from hybridvit.mesh import build_mesh, put_batch
from hybridvit.state import abstract_state, build_networks, create_state
from hybridvit.train import jit_train_step

CONFIG = config_flags.DEFINE_config_file("config", "configs/ssl_vit.py", lock_config=True)
STEPS = flags.DEFINE_integer("steps", 20, "Steps a round.", lower_bound=1)
ROUNDS = flags.DEFINE_integer("rounds", 6, "Rounds of each kind.", lower_bound=1)


def main(_: list[str]) -> None:
    config = CONFIG.value
    mesh = build_mesh(config.mesh.fsdp)
    networks = build_networks(config)
    state = create_state(networks, mesh, config.seed)
    step = jit_train_step(networks, config, abstract_state(networks, mesh), mesh)
    batches = make_train_iterator(make_train_dataset(config.data, config.seed), config.data, 0)
    constant = next(batches)
    state, _ = step(state, put_batch(constant, mesh))
    times: dict[str, list[float]] = {"constant": [], "pipeline": []}
    for _ in range(ROUNDS.value):
        for name, seconds in times.items():
            for _ in range(STEPS.value):
                start = time.perf_counter()
                batch = constant if name == "constant" else next(batches)
                state, metrics = step(state, put_batch(batch, mesh))
                jax.block_until_ready(metrics)
                seconds.append(time.perf_counter() - start)
    batches.close()
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in medians.items():
        print(f"{name:8} {seconds * 1e3:7.1f} ms between steps")
    print(f"ratio    {medians['pipeline'] / medians['constant']:7.3f}")


if __name__ == "__main__":
    app.run(main)
