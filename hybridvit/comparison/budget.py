"""One budget for all: how many steps of each system are as much as the others get.

    images    labeled and unlabeled pictures seen, each time that they are
    minutes   of computing: CPU time of the whole process on a CPU (whatever else the machine does), else of the clock

For minutes, some steps are timed after they are compiled. The number of steps is written down before the first one, so
that a run that goes on keeps it. Schedules are those of the recipe, stretched or shrunk to this number of steps.
"""

import dataclasses
import json
import math
import pathlib
import time
from operator import attrgetter

import jax
from ml_collections import ConfigDict

from hybridvit.data.pipeline import make_train_dataset, make_train_iterator
from hybridvit.runtime.mesh import build_mesh, put_batch
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.phases import plan_phases
from hybridvit.training.state import abstract_state, build_networks, create_state

SCALED = {  # fields that count steps, and the least that they may be
    "optim.warmup_steps": 0,
    "consistency.warmup_steps": 0,
    "restoration.pretrain_steps": 0,
    "adversarial.start_step": 0,
    "growing.steps": 1,
}
CHECKPOINTS = 10  # over a run: what a kill costs at most is a tenth of it
WARM_STEPS = 2
TIMED_STEPS = 10
TIMED_SECONDS = 30.0  # of the clock; slow steps are timed fewer times, but LEAST_TIMED
LEAST_TIMED = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the budget comes to. `seconds_per_step` is None where it was not needed."""

    steps: int
    images: int
    seconds_per_step: float | None


def check_budget(budget: ConfigDict) -> None:
    """Raises ValueError unless exactly one of images and minutes is above 0."""
    if (budget.images > 0) == (budget.minutes > 0) or min(budget.images, budget.minutes) < 0:
        raise ValueError(
            f"config.budget.images={budget.images} and config.budget.minutes={budget.minutes}: "
            "set one of them above 0 and the other to 0"
        )


def budget_of(budget: ConfigDict, name: str) -> dict:
    """What the system of that name gets of it, as JSON."""
    share = budget.shares.get(name, 1.0)
    return {"images": round(share * budget.images), "minutes": share * budget.minutes}


def plan_budget(config: ConfigDict, budget: dict, folder: pathlib.Path) -> Plan:
    """The plan in `folder`/budget.json; where there is none yet it is made, timing some steps for minutes, and kept."""
    path = folder / "budget.json"
    if path.exists():
        return Plan(**json.loads(path.read_text())["plan"])
    seconds = None
    images = config.data.batch_size + config.data.unlabeled_batch_size
    if budget["minutes"] > 0:
        seconds = time_step(config)
        steps = round(60 * budget["minutes"] / seconds)
    else:
        steps = round(budget["images"] / images)
    plan = Plan(max(1, steps), max(1, steps) * images, seconds)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"budget": budget, "plan": dataclasses.asdict(plan)}, indent=1))
    temporary.replace(path)
    return plan


def fit_schedule(config: ConfigDict, steps: int) -> ConfigDict:
    """The recipe over `steps` steps: what it counts in steps keeps its share of the run; evaluated at the end only."""
    fitted = config.copy_and_resolve_references()
    share = steps / config.train.steps
    for field, least in SCALED.items():
        scaled = round(share * attrgetter(field)(config))
        fitted.update_from_flattened_dict({field: max(least, min(scaled, steps - 1))})
    fitted.train.steps = fitted.train.eval_every = steps
    fitted.train.checkpoint_every = math.ceil(steps / CHECKPOINTS)
    return fitted


def time_step(config: ConfigDict) -> float:
    """Seconds of computing a training step of the recipe takes on average, with its input; compilation left out."""
    mesh, networks = build_mesh(config.mesh.fsdp), build_networks(config)
    abstract = abstract_state(networks, mesh)
    clock = time.process_time if jax.default_backend() == "cpu" else time.perf_counter
    batches = make_train_iterator(make_train_dataset(config.data, config.seed), config.data)
    phases = plan_phases(config)
    ends = [*(phase.start for phase in phases[1:]), config.train.steps]
    seconds = 0.0
    for phase, end in zip(phases, ends, strict=True):
        step = jit_train_step(networks, config, abstract, mesh, phase)
        state = create_state(networks, mesh, config.seed)
        for _ in range(WARM_STEPS):
            state, metrics = step(state, put_batch(next(batches), mesh), seed_of(config))
        jax.block_until_ready((state, metrics))
        start, since, timed = clock(), time.perf_counter(), 0
        while timed < TIMED_STEPS and (timed < LEAST_TIMED or time.perf_counter() - since < TIMED_SECONDS):
            state, metrics = step(state, put_batch(next(batches), mesh), seed_of(config))
            jax.block_until_ready(metrics)
            timed += 1
        jax.block_until_ready(state)
        seconds += (clock() - start) / timed * (end - phase.start) / config.train.steps
    batches.close()
    return seconds
