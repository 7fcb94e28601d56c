"""The networks as pure functions over plain dict pytrees, and the TrainState: what it holds, how it is born sharded."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array
from ml_collections import ConfigDict

from hybridvit.color.bins import NUM_BINS, NUM_RINGS
from hybridvit.mesh import state_shardings
from hybridvit.models.generator import build_generator, join
from hybridvit.models.patch_gan import PatchGAN
from hybridvit.models.prediction import Prediction
from hybridvit.optim import make_optimizer
from hybridvit.tasks.colorize import make_colorize
from hybridvit.tasks.restore import make_restore
from hybridvit.tasks.task import Task

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


@dataclasses.dataclass(frozen=True)
class Networks:
    """Pure functions over parameter pytrees, and the optimizers.

    `generate` and `learn` are those of `Generator`; `discriminate(params, stats, luma, chroma) -> (logits, stats)`.
    """

    task: Task
    generate: Callable[[Any, Array, Array | None], Prediction]
    learn: Callable[[Any, Any, Array, Array | None, Array], tuple[Prediction, Any]]
    discriminate: Callable[[Any, Any, Array, Array], tuple[Array, Any]]
    init: Callable[[Array], tuple[Any, Any, Any, Any]]  # key -> params, stats, disc_params, disc_stats
    optimizer: Any
    disc_optimizer: Any
    schedule: Callable[[int], float]


def build_networks(config: ConfigDict) -> Networks:
    """The generator named by `config.model`, and the discriminator if `config.adversarial.weight` is not 0.

    Raises ValueError for an unknown name or variant.
    """
    task = TASKS[config.task](config)
    generator = build_generator(config.model, task.channels)
    adversarial = config.adversarial.weight > 0

    def make_discriminator(rngs: nnx.Rngs) -> PatchGAN:
        return PatchGAN(
            1 + task.channels,
            width=config.adversarial.width,
            num_layers=config.adversarial.num_layers,
            spectral_norm=config.adversarial.spectral_norm,
            dtype=config.model.dtype,
            rngs=rngs,
        )

    discriminator_def = (
        nnx.split(nnx.eval_shape(lambda: make_discriminator(nnx.Rngs(0))), nnx.Param, nnx.BatchStat)[0]
        if adversarial
        else None
    )

    def discriminate(params: Any, stats: Any, luma: Array, chroma: Array) -> tuple[Array, Any]:
        module = nnx.merge(discriminator_def, params, stats)
        logits = module(jnp.concatenate([luma, chroma], -1))
        return logits, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def init(key: Array) -> tuple[Any, Any, Any, Any]:
        generator_key, discriminator_key = jax.random.split(key)
        params, stats = generator.init(generator_key)
        if not adversarial:
            return params, stats, {}, {}
        _, disc_params, disc_stats = nnx.split(
            make_discriminator(nnx.Rngs(discriminator_key)), nnx.Param, nnx.BatchStat
        )
        return params, stats, nnx.to_pure_dict(disc_params), nnx.to_pure_dict(disc_stats)

    optimizer, schedule = make_optimizer(config.optim, config.train.steps)
    disc_optim = config.optim.copy_and_resolve_references()
    with disc_optim.unlocked():
        # Discriminators are trained without momentum (Miyato et al. 2018 use beta1 = 0) and without decay.
        disc_optim.update(learning_rate=config.adversarial.learning_rate, b1=0.0, b2=0.99, weight_decay=0.0)
    disc_optimizer, _ = make_optimizer(disc_optim, config.train.steps)
    return Networks(
        task, generator.generate, generator.learn, discriminate, init, optimizer, disc_optimizer, schedule
    )


def init_state(networks: Networks, seed: int) -> TrainState:
    """A fresh state (traceable): the EMA equals the parameters, the prior is uniform, nothing is learnt yet."""
    params, stats, disc_params, disc_stats = networks.init(jax.random.key(seed))
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
    return jax.jit(lambda: init_state(networks, seed), out_shardings=shardings)()
