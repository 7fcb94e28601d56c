"""How long a step takes on a chip, whether it fits, and which mesh to use: arithmetic on a `Program`.

    memory     state + gradients + what the forward pass keeps for the backward pass
    compute    FLOPs of the products / (peak rate x assumed utilisation)
    HBM        all of that is written once and read once, and so is what is gathered or reduced
    sending    the compiled program's collectives over the chip's links
    step       the longer of compute and HBM; then the sending, hidden behind it at best and after it at worst

The utilisation is the share of the peak rate that one chip reaches with nothing to send (`tests/benchmarks/step_speed`
measures it); 0.45 is what is aimed at.
"""

import dataclasses

from hybridvit.planning.chips import Chip
from hybridvit.planning.program import Program

UTILISATION = 0.45
USABLE = 0.92  # of the memory; the rest is the run-time system's, and lost between arrays


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Bytes and seconds of a step on one chip."""

    memory: int
    fits: bool
    compute: float
    traffic: float
    sending: float

    @property
    def best(self) -> float:
        """Seconds a step, if all sending is hidden."""
        return max(self.compute, self.traffic, self.sending)

    @property
    def worst(self) -> float:
        """Seconds a step, if none is."""
        return max(self.compute, self.traffic) + self.sending

    @property
    def efficiency(self) -> float:
        """Of one chip's speed, what each chip keeps at worst."""
        return max(self.compute, self.traffic) / self.worst


def estimate(program: Program, chip: Chip, dtype: str, utilisation: float = UTILISATION) -> Estimate:
    """The estimate for one program, with matrix products in `dtype`."""
    gradients = program.state["parameters"]
    memory = sum(program.state.values()) + gradients + program.saved
    return Estimate(
        memory=memory,
        fits=memory <= USABLE * chip.memory,
        compute=program.flops / (chip.flops[dtype] * utilisation),
        traffic=2 * (memory + sum(one.times * one.bytes for one in program.collectives)) / chip.memory_rate,
        sending=sum(map(chip.seconds, program.collectives), 0.0),
    )


def advise(estimates: dict[int, Estimate], chip: Chip, devices: int) -> str:
    """One line: of the meshes by their fsdp, the smallest that fits, and the fastest if it is another."""
    fitting = {fsdp: one for fsdp, one in estimates.items() if one.fits}
    if not fitting:
        nearest = min(estimates.values(), key=lambda one: one.memory)
        return (
            f"{devices} x {chip.name}: nothing fits ({nearest.memory / 1e9:.1f} GB of {chip.memory / 1e9:.0f} at "
            "least): take fewer pictures a device, --config.optim.accumulate, or --config.model.remat"
        )
    smallest, fastest = min(fitting), min(fitting, key=lambda fsdp: (fitting[fsdp].worst, fsdp))
    line = f"{devices} x {chip.name}: --config.mesh.fsdp={smallest}, the smallest that fits"
    if fastest == smallest:
        return line + ", and the fastest"
    gain = fitting[smallest].worst / fitting[fastest].worst - 1
    return line + f"; --config.mesh.fsdp={fastest} is {gain:.0%} faster"
