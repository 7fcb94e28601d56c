"""Does the input pipeline keep up? Time between steps with real batches against a constant batch, in turn.

    python -m tests.benchmarks.input_overhead --config=configs/ssl_vit.py

Rounds of `--steps` steps alternate between the two, so that a busy machine disturbs both alike; the ratio printed is
that of the medians. Then the pipeline alone: pictures that a core reads a second (of the CPU, so that a busy machine
matters little), and how many cores the step's demand needs. An accelerator's demand is that of its own step.
"""

import functools
import statistics
import time

import grain
import jax
from absl import app, flags
from jax.sharding import Mesh
from ml_collections import ConfigDict, config_flags

from hybridvit.data.pipeline import make_train_dataset, make_train_iterator
from hybridvit.runtime.mesh import build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.state import abstract_state, build_networks, create_state

CONFIG = config_flags.DEFINE_config_file("config", "configs/ssl_vit.py", lock_config=True)
STEPS = flags.DEFINE_integer("steps", 20, "Steps a round.", lower_bound=1)
ROUNDS = flags.DEFINE_integer("rounds", 6, "Rounds of each kind.", lower_bound=1)


def main(_: list[str]) -> None:
    config = CONFIG.value
    mesh = build_mesh(config.mesh.fsdp)
    networks = build_networks(config)
    state = create_state(networks, mesh, config.seed)
    step = jit_train_step(networks, config, abstract_state(networks, mesh), mesh)
    dataset = make_train_dataset(config.data, config.seed)
    put = functools.partial(put_batch, mesh=mesh)
    batches = make_train_iterator(dataset, config.data, 0, put)
    constant = next(batches)
    seed = seed_of(config)
    state, _ = step(state, constant, seed)
    times: dict[str, list[float]] = {"constant": [], "pipeline": []}
    for _ in range(ROUNDS.value):
        for name, seconds in times.items():
            for _ in range(STEPS.value):
                start = time.perf_counter()
                batch = constant if name == "constant" else next(batches)
                state, metrics = step(state, batch, seed)
                jax.block_until_ready(metrics)
                seconds.append(time.perf_counter() - start)
    batches.close()
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in medians.items():
        print(f"{name:8} {seconds * 1e3:7.1f} ms between steps")
    print(f"ratio    {medians['pipeline'] / medians['constant']:7.3f}")
    a_core, putting = pipeline_rate(config, dataset[1:], mesh)
    demand = sum(map(len, constant.values())) / medians["constant"]
    print(
        f"{a_core:.0f} pictures/s a core are read; the step takes {demand:.0f} pictures/s: {demand / a_core:.2f} cores"
    )
    print(f"{putting * 1e3:.2f} ms to put a batch onto the devices, while they are at work")


def pipeline_rate(config: ConfigDict, dataset: grain.MapDataset, mesh: Mesh) -> tuple[float, float]:
    """Pictures that one core reads a second, and the seconds of putting a batch onto the devices."""
    before, pictures, putting = time.process_time(), 0, []
    for index in range(STEPS.value):
        batch = dataset[index]
        pictures += sum(map(len, batch.values()))
    seconds = time.process_time() - before
    for _ in range(STEPS.value):
        start = time.perf_counter()
        jax.block_until_ready(put_batch(batch, mesh))
        putting.append(time.perf_counter() - start)
    return pictures / seconds, statistics.median(putting)


if __name__ == "__main__":
    app.run(main)
