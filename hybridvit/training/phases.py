"""The phases of a run, each with a program of its own: restoring alone before colours are learnt, growing pictures."""

from typing import NamedTuple

from ml_collections import ConfigDict

from hybridvit.training.growing import Stage, plan_stages, stage_at


class Phase(NamedTuple):
    """From step `start` on: pictures as the `stage` of growing has them; `restoring`: no colours are learnt yet."""

    start: int
    stage: Stage
    restoring: bool


def plan_phases(config: ConfigDict) -> tuple[Phase, ...]:
    """Those of the whole config, in order; raises ValueError as `plan_stages`."""
    side = config.data.image_size
    stages = plan_stages(config.growing.first_side or side, side, config.growing.steps)
    restored = config.restoration.weight > 0 and config.data.unlabeled_batch_size > 0
    first_color = config.restoration.pretrain_steps if restored else 0
    starts = sorted({first_color, *(stage.start for stage in stages)})
    return tuple(Phase(start, stage_at(stages, start), start < first_color) for start in starts)


def phase_at(phases: tuple[Phase, ...], step: int) -> Phase:
    """The one that `step` (from 0) belongs to."""
    return max(phase for phase in phases if phase.start <= step)
