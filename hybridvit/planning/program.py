"""The train step of a config, compiled ahead of time for a mesh of devices that need not be there.

Nothing is allocated and nothing runs. What a device computes and sends depends on how many devices share the
parameters ('fsdp') and on its own pictures, hardly on how many such groups there are ('data'): so one program with two
groups tells of any number of them (`enlarge`), and the tests hold it against programs compiled for more.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
from ml_collections import ConfigDict

from hybridvit.planning.collectives import Collective, read_collectives
from hybridvit.runtime.mesh import batch_sharding, build_mesh
from hybridvit.train import jit_train_step, seed_of
from hybridvit.training.state import TrainState, abstract_state, build_networks

GROUPS = 2  # least that shows which exchanges are between groups
PARTS = {"parameters": "params", "average": "ema", "optimizer": "opt_state"}


@dataclasses.dataclass(frozen=True)
class Program:
    """What one of `data` x `fsdp` devices does in a step.

    `state` are bytes by part; `flops` those of the products; `temporary` the bytes that the compiler, of this machine's
    processor, sets aside beside arguments and results; `saved` the bytes that the network's forward pass keeps for its
    backward pass, before any compiler makes them fewer.
    """

    data: int
    fsdp: int
    pictures: int
    state: dict[str, int]
    flops: float
    temporary: int
    saved: int
    collectives: tuple[Collective, ...]

    @property
    def devices(self) -> int:
        """All of them."""
        return self.data * self.fsdp


def compile_step(config: ConfigDict, fsdp: int, devices: Sequence[Any]) -> Program:
    """The program of `config` on `devices`, `fsdp` of them sharing the parameters; the batches are the config's.

    Raises ValueError for a config that cannot work.
    """
    mesh = build_mesh(fsdp, devices)
    networks = build_networks(config)
    abstract = abstract_state(networks, mesh)
    batch = _batch(config, mesh)
    traced = jit_train_step(networks, config, abstract, mesh).trace(abstract, batch, seed_of(config))
    compiled = traced.lower().compile()
    pictures = sum(len(x) for x in batch.values()) // mesh.size
    return Program(
        data=mesh.shape["data"],
        fsdp=fsdp,
        pictures=pictures,
        state=state_bytes(abstract),
        # The compiler counts a loop's body once; the trace knows nothing of what several devices compute alike
        flops=max(
            config.optim.accumulate * compiled.cost_analysis()["flops"],
            product_flops(traced.jaxpr.jaxpr) / mesh.size,
        ),
        temporary=compiled.memory_analysis().temp_size_in_bytes,
        saved=saved_bytes(config) * pictures // config.optim.accumulate,
        collectives=tuple(read_collectives(compiled.as_text(), mesh.size)),
    )


def enlarge(program: Program, data: int) -> Program:
    """The program on `data` groups of devices, each device with as many pictures as before."""
    fsdp, devices = program.fsdp, data * program.fsdp
    collectives = []
    for one in program.collectives:
        members, size = one.members, one.bytes
        across = members[-1] - members[0] >= fsdp
        if one.kind != "collective-permute" and across:
            if len(members) not in (program.data, program.devices):
                raise ValueError(
                    f"a {one.kind} among {len(members)} of {program.devices} devices: not by groups"
                )
            members = tuple(range(0, devices, 1 if len(members) == program.devices else fsdp))
            # Between groups only pictures are gathered, and there are more of them
            size = size * data // program.data if one.kind == "all-gather" else size
        if len(members) > 1:
            collectives.append(dataclasses.replace(one, members=members, bytes=size))
    return dataclasses.replace(program, data=data, collectives=tuple(collectives))


def state_bytes(state: TrainState) -> dict[str, int]:
    """Bytes on a device by part, of an abstract or a real state: parameters, average, optimizer, other."""
    sizes = {
        part: sum(map(_bytes_of_shard, jax.tree.leaves(getattr(state, field))))
        for part, field in PARTS.items()
    }
    return sizes | {"other": sum(map(_bytes_of_shard, jax.tree.leaves(state))) - sum(sizes.values())}


def saved_bytes(config: ConfigDict) -> int:
    """Bytes a picture that the generator's forward pass keeps for its backward pass, by the trace alone."""
    networks = build_networks(config)
    variables = jax.eval_shape(networks.init, jax.random.key(0))
    side, channels = config.data.image_size, networks.task.channels

    def kept(params: Any, stats: Any, luma: jax.Array, hints: jax.Array | None) -> Any:
        forward = lambda params: networks.train_forward(params, stats, luma, hints, jax.random.key(0))  # noqa: E731
        return jax.vjp(lambda params: forward(params)[0], params)[1]

    def total(count: int) -> int:
        luma = jax.ShapeDtypeStruct((count, side, side, 1), "float32")
        hints = None
        if config.model.hints:
            hints = jax.ShapeDtypeStruct((count, side, side, channels + 1), "float32")
        leaves = jax.tree.leaves(jax.eval_shape(kept, variables[0], variables[1], luma, hints))
        return sum(x.size * x.dtype.itemsize for x in leaves)

    return total(2) - total(1)  # what does not grow with the pictures are the parameters themselves


def product_flops(jaxpr: Any) -> float:
    """Floating point operations of the matrix products and convolutions of a jaxpr, loops as often as they run."""
    total = 0.0
    for equation in jaxpr.eqns:
        times = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        total += times * sum(map(product_flops, _inner(equation.params.values())))
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            first = equation.invars[0].aval.shape
            total += 2 * equation.outvars[0].aval.size * math.prod(first[axis] for axis in contracted)
        elif equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval
            outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
            total += 2 * equation.outvars[0].aval.size * kernel.size / outputs
    return total


def _inner(values: Any) -> Iterator[Any]:
    """The jaxprs among an equation's parameters."""
    for value in values:
        if isinstance(value, tuple | list):
            yield from _inner(value)
        elif hasattr(value, "jaxpr"):
            yield value.jaxpr
        elif hasattr(value, "eqns"):
            yield value


def _batch(config: ConfigDict, mesh: jax.sharding.Mesh) -> dict[str, jax.ShapeDtypeStruct]:
    side, sharding = config.data.image_size, batch_sharding(mesh)
    channels = 4 if config.data.kind == "pairs" else 3
    shapes = {"labeled": (config.data.batch_size, side, side, channels)}
    if config.data.unlabeled_batch_size:
        shapes["unlabeled"] = (config.data.unlabeled_batch_size, side, side, 1)
    return {name: jax.ShapeDtypeStruct(shape, "uint8", sharding=sharding) for name, shape in shapes.items()}


def _bytes_of_shard(x: Any) -> int:
    return math.prod(x.sharding.shard_shape(x.shape)) * x.dtype.itemsize
