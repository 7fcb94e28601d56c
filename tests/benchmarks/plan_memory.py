"""The plan's memory against what a run really takes, on one device of this machine's processor.

    python -m tests.benchmarks.plan_memory --config=configs/ssl_vit.py --config.data.image_size=128

Prints, in MB: the state, planned and as it lies in memory; what the compiler sets aside (`temporary`) and what the
forward pass keeps by the trace (`kept`), beside what the process grew by while it made its first step. A process that
allocates elsewhere at the same time does no harm: only this one is looked at. Linux.
"""

import jax
import numpy as np
from absl import app
from ml_collections import config_flags

from hybridvit.planning.program import compile_step
from hybridvit.runtime.mesh import build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.state import abstract_state, build_networks, create_state
from tests.benchmarks.memory import forget_peak, resident

CONFIG = config_flags.DEFINE_config_file("config", "configs/ssl_vit.py", lock_config=True)


def main(_: list[str]) -> None:
    config = CONFIG.value
    program = compile_step(config, 1, jax.devices()[:1])
    mesh = build_mesh(1, jax.devices()[:1])
    networks = build_networks(config)
    state = create_state(networks, mesh, 0)
    side = config.data.image_size
    batch = {"labeled": np.zeros((config.data.batch_size, side, side, 3), np.uint8)}
    if config.data.unlabeled_batch_size:
        batch["unlabeled"] = np.zeros((config.data.unlabeled_batch_size, side, side, 1), np.uint8)
    batch = put_batch(batch, mesh)
    held = sum(x.nbytes for x in jax.tree.leaves(state))
    given = state, batch, seed_of(config)
    step = jit_train_step(networks, config, abstract_state(networks, mesh), mesh).lower(*given).compile()
    jax.block_until_ready((state, batch))
    forget_peak()
    before = resident("VmRSS")
    jax.block_until_ready(step(*given))
    grown = resident("VmHWM") - before
    print(
        f"{config.name}, {config.model.variant}, {side} px, {program.pictures} pictures: "
        f"state {sum(program.state.values()) / 1e6:.1f} planned, {held / 1e6:.1f} held; "
        f"temporary {program.temporary / 1e6:.0f}, kept {program.saved / 1e6:.0f}, grown by {grown / 1e6:.0f}"
    )


if __name__ == "__main__":
    app.run(main)
