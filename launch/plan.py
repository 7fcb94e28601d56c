"""Which mesh to train on: memory, communication and expected step time of any config, before a chip is rented.

    python launch/plan.py --config=configs/ssl_vit.py --devices=1,8,64,256 --chip=v5e,h100 --per_device=16 \
        --config.model.variant=B --config.data.image_size=256 --config.model.dtype=bfloat16

The train step is compiled here, on fake devices, once for each way of sharing the parameters (`--fsdp`); its own
collectives, and the arithmetic of `hybridvit/planning/estimate.py` with the makers' figures (`planning/chips.py`), give
Markdown tables, and a line of advice for each number of devices. In them, a device:

    state      parameters, their average and the optimizer's moments; gradients come on top
    kept       what the forward pass keeps for the backward pass, by the trace; compilers keep less of it
    temporary  what the compiler of this machine's processor sets aside for everything that is no state
    sent       bytes a step, on a ring
    ms         all sending hidden behind the computing - nothing hidden
    efficiency of one chip's speed, what each chip keeps if nothing is hidden

Each device keeps its pictures (`--per_device` colour ones, and gray ones in the config's proportion), so the batch
grows with the devices. Takes a minute or more for each fsdp; nothing of the model's size is allocated.
"""

import os
import sys
from collections.abc import Sequence

import jax
from absl import app, flags, logging

sys.path.insert(0, os.getcwd())  # as `python -m` does: configs, and the package where it is not installed

from hybridvit.command_line import fail
from hybridvit.config_flags import CONFIG, parse_flags
from hybridvit.planning.chips import CHIPS, Chip
from hybridvit.planning.estimate import UTILISATION, Estimate, advise, estimate
from hybridvit.planning.program import GROUPS, Program, compile_step, enlarge
from hybridvit.training.validate import check_config

DEVICES = flags.DEFINE_list("devices", ["1", "8", "64", "256"], "Numbers of devices.")
FSDP = flags.DEFINE_list("fsdp", ["1", "8"], "Ways of sharing the parameters: config.mesh.fsdp.")
CHIP = flags.DEFINE_list("chip", ["v5e"], f"Of {', '.join(CHIPS)}.")
PER_DEVICE = flags.DEFINE_integer(
    "per_device",
    None,
    "Colour pictures a device; default: the config's over the most devices.",
    lower_bound=1,
)
SHARE = flags.DEFINE_float(
    "utilisation",
    UTILISATION,
    "Share of the peak rate that one chip reaches.",
    lower_bound=0.01,
    upper_bound=1,
)
COLUMNS = (
    "devices",
    "fsdp",
    "batch",
    "state GB",
    "kept GB",
    "temporary GB",
    "fits",
    "TFLOP",
    "sent MB",
    "ms",
    "pictures/s",
    "efficiency",
)
SHORT = {"all-reduce": "reduced", "all-gather": "gathered", "reduce-scatter": "scattered"}


def main(argv: Sequence[str]) -> None:
    """Prints the tables; a user's mistake ends in one line and exit code 2."""
    if len(argv) > 1:
        fail(f"unexpected argument {argv[1]!r}: flags start with --")
    logging.set_verbosity(logging.WARNING)
    if CONFIG.value is None:
        fail("--config=FILE is missing: try --config=configs/ssl_vit.py")
    try:
        counts, ways = whole_numbers("devices", DEVICES.value), whole_numbers("fsdp", FSDP.value)
        ways = [fsdp for fsdp in ways if any(count % fsdp == 0 for count in counts)]
        if unknown := set(CHIP.value) - CHIPS.keys():
            raise ValueError(f"--chip={unknown.pop()} is none of {', '.join(CHIPS)}")
        if not ways:
            raise ValueError(
                f"none of --fsdp={','.join(FSDP.value)} divides any of --devices={','.join(DEVICES.value)}"
            )
        jax.config.update("jax_num_cpu_devices", GROUPS * max(ways))
        programs = {fsdp: compile_for(fsdp, max(counts)) for fsdp in ways}
    except ValueError as error:
        fail(str(error))
    for name in CHIP.value:
        print(table(programs, counts, CHIPS[name]))


def whole_numbers(name: str, values: Sequence[str]) -> list[int]:
    """The flag's numbers, ascending; raises ValueError for what is none."""
    if not values or not all(value.isdecimal() and int(value) > 0 for value in values):
        raise ValueError(f"--{name}={','.join(values)}: give whole numbers, such as --{name}=1,8")
    return sorted({int(value) for value in values})


def compile_for(fsdp: int, most: int) -> Program:
    """The program of two groups of `fsdp` devices, with the flags' pictures a device."""
    config = CONFIG.value.copy_and_resolve_references()
    labeled, unlabeled = config.data.batch_size, config.data.unlabeled_batch_size
    each = PER_DEVICE.value or max(1, labeled // most)
    with config.unlocked():
        config.data.batch_size = each * GROUPS * fsdp
        config.data.unlabeled_batch_size = -(-each * unlabeled // labeled) * GROUPS * fsdp
    check_config(config)
    print(f"compiling for fsdp={fsdp} ...", file=sys.stderr, flush=True)
    return compile_step(config, fsdp, jax.devices()[: GROUPS * fsdp])


def table(programs: dict[int, Program], counts: Sequence[int], chip: Chip) -> str:
    """The Markdown table for one chip, and the advice below it."""
    config = CONFIG.value
    lines = [
        f"**{config.name}, {config.model.variant}, {config.data.image_size} px, {config.model.dtype}, {chip.name}** "
        f"({chip.memory / 1e9:.0f} GB; {SHARE.value:.0%} of the peak rate assumed)",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|" + "--:|" * len(COLUMNS),
    ]
    advice = []
    for count in counts:
        rows = {fsdp: enlarge(one, count // fsdp) for fsdp, one in programs.items() if count % fsdp == 0}
        estimates = {fsdp: estimate(one, chip, config.model.dtype, SHARE.value) for fsdp, one in rows.items()}
        lines += [row(program, estimates[fsdp]) for fsdp, program in rows.items()]
        advice.append(f"- {advise(estimates, chip, count)}")
    return "\n".join([*lines, "", *advice, ""])


def row(program: Program, cost: Estimate) -> str:
    """One line of the table."""
    sent = {}
    for one in program.collectives:
        name = SHORT.get(one.kind, "other")
        sent[name] = sent.get(name, 0) + one.sent / 1e6
    batch = program.pictures * program.devices
    cells = (
        program.devices,
        program.fsdp,
        batch,
        f"{sum(program.state.values()) / 1e9:.2f}",
        f"{program.saved / 1e9:.1f}",
        f"{program.temporary / 1e9:.1f}",
        "yes" if cost.fits else "no",
        f"{program.flops / 1e12:.2f}",
        ", ".join(f"{amount:.0f} {name}" for name, amount in sent.items() if amount >= 1) or "0",
        f"{cost.best * 1e3:.1f}-{cost.worst * 1e3:.1f}",
        f"{batch / cost.worst:.0f}",
        f"{cost.efficiency:.2f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def run() -> None:
    """The entry point: devices that are not there, and a compiler that does not polish what will not run."""
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {quick}".strip()
    jax.config.update("jax_platforms", "cpu")
    app.run(main, flags_parser=parse_flags)


if __name__ == "__main__":
    run()
