"""The plan of README: B and L at 256 and 512 px on 1, 8, 64 and 256 chips of both kinds, in one Markdown table.

    python -m tests.benchmarks.plan_table

What `launch/plan.py` prints at length, for configs/ssl_vit.py in bfloat16, with the most colour pictures of 16, 8 ...
a chip (and half as many gray ones) that fit without sharing the parameters. Six programs are compiled, about a
CPU-minute each; nothing of their size is allocated.
"""

import functools
import os

import jax
from absl import app
from ml_collections import ConfigDict

from configs import ssl_vit
from hybridvit.planning.chips import CHIPS, Chip
from hybridvit.planning.estimate import estimate
from hybridvit.planning.program import GROUPS, Program, compile_step, enlarge, saved_bytes, state_bytes
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import abstract_state, build_networks

COUNTS = (1, 8, 64, 256)
COLUMNS = (
    "model, px",
    "chip",
    "pictures a chip",
    "state + kept, GB a chip",
    "sent on 8, 64, 256 chips, MB a step and chip",
    "ms a step on 1, 8, 64, 256",
    "pictures/s",
    "efficiency",
)


def build_config(variant: str, side: int, each: int) -> ConfigDict:
    """For `GROUPS` devices with `each` colour pictures and half as many gray ones."""
    config = ssl_vit.get_config()
    config.model.update(variant=variant, dtype="bfloat16")
    config.data.update(
        image_size=side, batch_size=each * GROUPS, unlabeled_batch_size=max(1, each // 2) * GROUPS
    )
    return config


def fits(variant: str, side: int, each: int, chip: Chip) -> bool:
    """By the trace alone."""
    config = build_config(variant, side, each)
    mesh = build_mesh(1, jax.devices()[:1])
    pictures = each + max(1, each // 2)
    state = state_bytes(abstract_state(build_networks(config), mesh))
    program = Program(1, 1, pictures, state, 0.0, 0, saved_bytes(config) * pictures, ())
    return estimate(program, chip, config.model.dtype).fits


@functools.cache
def compile_for(variant: str, side: int, each: int) -> Program:
    """The program of two devices, which tells of any number."""
    return compile_step(build_config(variant, side, each), 1, jax.devices()[:GROUPS])


def row(variant: str, side: int, chip: Chip) -> str:
    """A line of the table."""
    each = next(count for count in (16, 8, 4, 2, 1) if fits(variant, side, count, chip))
    program = compile_for(variant, side, each)
    programs = [enlarge(program, count) for count in COUNTS]
    costs = [estimate(one, chip, "bfloat16") for one in programs]
    batches = [one.pictures * one.devices for one in programs]
    sent = [sum(one.sent for one in program.collectives) / 1e6 for program in programs]
    cells = (
        f"{variant}, {side}",
        chip.name,
        f"{each} + {program.pictures - each}",
        f"{sum(program.state.values()) / 1e9:.2f} + {program.saved / 1e9:.1f} of {chip.memory / 1e9:.0f}",
        ", ".join(f"{amount:.0f}" for amount in sent[1:]),
        ", ".join(f"{cost.worst * 1e3:.1f}" for cost in costs),
        ", ".join(f"{batch / cost.worst:,.0f}" for batch, cost in zip(batches, costs, strict=True)),
        ", ".join(f"{cost.efficiency:.2f}" for cost in costs[1:]),
    )
    return f"| {' | '.join(cells)} |"


def main(_: list[str]) -> None:
    print(f"| {' | '.join(COLUMNS)} |\n|---|---|" + "--:|" * (len(COLUMNS) - 2))
    for variant in ("B", "L"):
        for side in (256, 512):
            for chip in CHIPS.values():
                print(row(variant, side, chip), flush=True)


if __name__ == "__main__":
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {quick}".strip()
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", GROUPS)
    app.run(main)
