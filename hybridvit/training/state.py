"""The networks as pure functions over plain dict pytrees, and the TrainState: what it holds, how it is born sharded."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Integer
from ml_collections import ConfigDict

from hybridvit.color.bins import NUM_BINS, NUM_RINGS
from hybridvit.models.discriminator import build_discriminator
from hybridvit.models.generator import Generator, build_generator, join
from hybridvit.models.prediction import Prediction
from hybridvit.objectives.neighbours import init_memory
from hybridvit.objectives.restoration import init_restoration
from hybridvit.runtime.mesh import state_shardings
from hybridvit.tasks.colorize import make_colorize
from hybridvit.tasks.restore import make_restore
from hybridvit.tasks.task import Task
from hybridvit.training.cycle import Cycle, build_cycle
from hybridvit.training.optim import at_their_rates, make_optimizer

TASKS = {"colorize": make_colorize, "restore": make_restore}


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class TrainState:
    """All that training changes; nothing else is needed to continue a run bit for bit.

    A tree of arrays, or of what stands for them: shapes, shardings, booleans. The discriminator's fields are empty
    dicts where `config.adversarial.weight` is 0.
    """

    step: Any  # int32 []: updates done, skipped ones counted
    params: Any
    stats: Any  # running statistics of the generator's batch norms; mostly empty
    ema: Any  # running mean of both, in one tree: the teacher, and what is evaluated and released
    opt_state: Any
    disc_params: Any
    disc_stats: Any  # power-iteration vectors of the spectral norm
    disc_opt_state: Any
    bin_prior: Any  # float32 [313]: running share of each ab bin among labeled pixels
    ring_confidence: Any  # float32 [rings]: running mean of the teacher's radial mass by chroma ring
    skipped: Any  # int32 []: updates skipped, as they were not finite
    skipped_in_row: Any  # int32 []
    # The parameters of `objectives.restoration`, else empty
    restorer: Any = dataclasses.field(default_factory=dict)
    restorer_opt_state: Any = dataclasses.field(default_factory=dict)
    # Labeled cells that gray ones are compared with: what `objectives.neighbours.init_memory` gives, else empty
    memory: Any = dataclasses.field(default_factory=dict)
    # CycleGAN's way back: what `cycle.Cycle.init` gives, and the optimizers' states. Else empty
    cycle: Any = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Networks:
    """Pure functions over parameter pytrees, and the optimizers.

    `generate` and `train_forward` are those of `Generator`, `discriminate` is that of `Discriminator`.
    """

    task: Task
    generate: Callable[[Any, Array, Array | None], Prediction]
    train_forward: Callable[[Any, Any, Array, Array | None, Array], tuple[Prediction, Any]]
    discriminate: Callable[[Any, Any, Array], tuple[Array, Any]] | None
    init: Callable[[Array], tuple[Any, Any, Any, Any]]  # key -> params, stats, disc_params, disc_stats
    optimizer: Any  # of generators
    restorer_optimizer: Any
    disc_optimizer: Any
    schedule: Callable[[int], float]
    cycle: Cycle | None  # CycleGAN's way back
    restorer: Callable[[Array], Any] | None  # key -> parameters of `objectives.restoration`
    describe_cells: Callable[[Any, Array], list[Array]] | None  # that of `Generator`
    memory: Callable[[], Any] | None  # () -> an empty one of `objectives.neighbours`


def build_networks(config: ConfigDict) -> Networks:
    """The generator named by `config.model`, and what `config.adversarial` and `config.cycle` add to it.

    The discriminator judges luma and chroma, CycleGAN's the chroma alone: the colour pictures are no answers to the
    gray ones. Raises ValueError for an unknown name or variant.
    """
    task = TASKS[config.task](config)
    generator = build_generator(config.model, task.channels)
    cycle = build_cycle(config, task.channels) if config.cycle.weight > 0 else None
    discriminator = None
    if config.adversarial.weight > 0:
        judged = task.channels if cycle else 1 + task.channels
        discriminator = build_discriminator(config.adversarial, judged, config.model.dtype)

    def init(key: Array) -> tuple[Any, Any, Any, Any]:
        generator_key, discriminator_key = jax.random.split(key)
        nothing = ({}, {})
        return generator.init(generator_key) + (
            discriminator.init(discriminator_key) if discriminator else nothing
        )

    features = check_outputs(generator, config)
    restorer = None
    if config.restoration.weight > 0 and config.data.unlabeled_batch_size > 0:
        restorer = functools.partial(init_restoration, width=features)
    restorer_optimizer, schedule = make_optimizer(config.optim, config.train.steps)
    disc_optim = config.optim.copy_and_resolve_references()
    with disc_optim.unlocked():
        disc_optim.update(
            kind="adamw",
            learning_rate=config.adversarial.learning_rate,
            b1=config.adversarial.b1,
            b2=config.adversarial.b2,
            weight_decay=0.0,
        )
    disc_optimizer, _ = make_optimizer(disc_optim, config.train.steps)
    return Networks(
        task=task,
        generate=generator.generate,
        train_forward=generator.train_forward,
        discriminate=discriminator and discriminator.judge,
        init=init,
        optimizer=at_their_rates(restorer_optimizer, config.optim),
        restorer_optimizer=restorer_optimizer,
        disc_optimizer=disc_optimizer,
        schedule=schedule,
        cycle=cycle,
        restorer=restorer,
        describe_cells=generator.describe_cells,
        memory=build_memory(generator, config),
    )


def build_memory(generator: Generator, config: ConfigDict) -> Callable[[], Any] | None:
    """Makes the memory of labeled cells, if the whole config asks for one; ValueError if nothing describes cells."""
    if config.consistency.neighbours == 0 or config.data.unlabeled_batch_size == 0:
        return None
    if generator.describe_cells is None:
        raise ValueError(
            f"config.consistency.neighbours={config.consistency.neighbours:g}: {config.model.name} "
            f"{config.model.variant} has no pretrained encoder to compare places by: set it to 0, or "
            "config.model.variant to Lite0, Lite2 or Lite4"
        )
    luma = jax.ShapeDtypeStruct((1, 64, 64, 1), jnp.float32)
    variables = join(*generator.shapes)
    widths = [x.shape[-1] for x in jax.eval_shape(generator.describe_cells, variables, luma)]
    return functools.partial(init_memory, widths)


def check_outputs(generator: Generator, config: ConfigDict) -> int | None:
    """Width of the generator's features, None if it shows none; ValueError if objectives need what it does not give.

    `config` is the whole one. Only shapes are asked for, and only where an objective needs more than chroma.
    """
    unlabeled = config.data.unlabeled_batch_size > 0
    needed = {  # the output, by the objective that is made of it
        "bins": config.bins.weight > 0 and "bins",
        "consistency": unlabeled and config.consistency.weight > 0 and "bins",
        "restoration": unlabeled and config.restoration.weight > 0 and "features",
    }
    if not any(needed.values()):
        return None

    def predict(key: Array) -> Prediction:
        return generator.train_forward(*generator.init(key), jnp.zeros((1, 64, 64, 1)), None, key)[0]

    prediction = jax.eval_shape(predict, jax.random.key(0))
    said = {
        "bins": "predicts no distribution over bins",
        "features": "shows no features to restore pictures from",
    }
    for objective, output in needed.items():
        if output and getattr(prediction, output) is None:
            raise ValueError(
                f"config.{objective}.weight={config[objective].weight:g}: {config.model.name} {said[output]}: "
                f"set config.{objective}.weight to 0, or config.model.name to HybridConvViT"
            )
    return prediction.features.shape[-1] if prediction.features is not None else None


def init_state(networks: Networks, seed: int | Integer[Array, ""]) -> TrainState:
    """A fresh state (traceable): the EMA equals the parameters, the prior is uniform, nothing is learnt yet."""
    key = jax.random.key(seed)
    params, stats, disc_params, disc_stats = networks.init(key)
    cycle = {}
    if networks.cycle is not None:
        cycle = networks.cycle.init(jax.random.fold_in(key, 1))
        cycle["opt_state"] = networks.optimizer.init(cycle["params"])
        cycle["disc_opt_state"] = networks.disc_optimizer.init(cycle["disc_params"])
    restorer = networks.restorer(jax.random.fold_in(key, 2)) if networks.restorer else {}
    return TrainState(
        step=jnp.int32(0),
        params=params,
        stats=stats,
        ema=jax.tree.map(jnp.copy, join(params, stats)),
        opt_state=networks.optimizer.init(params),
        disc_params=disc_params,
        disc_stats=disc_stats,
        disc_opt_state=networks.disc_optimizer.init(disc_params) if disc_params else {},
        # With a dtype: what is weakly typed here is not after a step, and the second step would compile anew
        bin_prior=jnp.full(NUM_BINS, 1 / NUM_BINS, jnp.float32),
        ring_confidence=jnp.full(NUM_RINGS, 1 / NUM_RINGS, jnp.float32),
        skipped=jnp.int32(0),
        skipped_in_row=jnp.int32(0),
        restorer=restorer,
        restorer_opt_state=networks.restorer_optimizer.init(restorer) if restorer else {},
        memory=networks.memory() if networks.memory else {},
        cycle=cycle,
    )


def advance(state: TrainState, changed: dict[str, Any], finite: Bool[Array, ""]) -> TrainState:
    """The state of the next step: with the fields `changed` if `finite`, else as they were and one more skipped."""
    kept = {name: getattr(state, name) for name in changed}
    changed = jax.tree.map(lambda new, old: jnp.where(finite, new, old), changed, kept)
    skipped = 1 - finite.astype(jnp.int32)
    return dataclasses.replace(
        state,
        **changed,
        step=state.step + 1,
        skipped=state.skipped + skipped,
        skipped_in_row=(state.skipped_in_row + 1) * skipped,
    )


def abstract_state(networks: Networks, mesh: Mesh) -> TrainState:
    """Shapes, types and shardings of the state, without its memory: what a checkpoint is restored into."""
    shapes = jax.eval_shape(lambda: init_state(networks, 0))
    return jax.tree.map(
        lambda x, sharding: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
        shapes,
        state_shardings(shapes, mesh),
    )


def create_state(networks: Networks, mesh: Mesh, seed: int) -> TrainState:
    """A fresh state, each array born on the devices where it will live."""
    shardings = jax.tree.map(lambda x: x.sharding, abstract_state(networks, mesh))
    # The seed is given, not compiled in: every seed has the same program
    return jax.jit(functools.partial(init_state, networks), out_shardings=shardings)(np.uint32(seed))
