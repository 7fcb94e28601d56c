"""Devices as a mesh, and which slice of each array lives where.

One code path from a single device to a pod: a ('data', 'fsdp') mesh with Auto axes (the compiler inserts the
collectives). Batches are split over both axes; parameters, their EMA and the optimizer's moments over 'fsdp'
along the largest dimension that it divides, and replicated over 'data'.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

AXES = ("data", "fsdp")
MIN_SHARDED_SIZE = 1024  # elements; splitting less costs more in messages than it saves in memory


def build_mesh(fsdp: int, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """The ('data', 'fsdp') mesh over `devices` (default: all, of all processes), `fsdp` of them along 'fsdp'.

    Raises ValueError if `fsdp` does not divide the number of devices.
    """
    devices = jax.devices() if devices is None else devices
    if fsdp < 1 or len(devices) % fsdp:
        divisors = [str(n) for n in range(1, len(devices) + 1) if len(devices) % n == 0]
        raise ValueError(
            f"config.mesh.fsdp={fsdp} does not divide the {len(devices)} devices: "
            f"set it to one of {', '.join(divisors)}"
        )
    shape = (len(devices) // fsdp, fsdp)
    return jax.make_mesh(shape, AXES, axis_types=(AxisType.Auto,) * 2, devices=devices)


def state_shardings(shapes: Any, mesh: Mesh) -> Any:
    """A NamedSharding for each leaf of `shapes`, a tree of ShapeDtypeStruct (or arrays), in the same tree."""
    return jax.tree.map(lambda leaf: NamedSharding(mesh, _spec(leaf.shape, mesh.shape["fsdp"])), shapes)


def _spec(shape: tuple[int, ...], fsdp: int) -> PartitionSpec:
    if fsdp == 1 or np.prod(shape, dtype=np.int64) < MIN_SHARDED_SIZE:
        return PartitionSpec()
    for axis in sorted(range(len(shape)), key=lambda axis: -shape[axis]):
        if shape[axis] % fsdp == 0:
            return PartitionSpec(*[None] * axis, "fsdp")
    return PartitionSpec()


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Leading dimension over all devices."""
    return NamedSharding(mesh, PartitionSpec(AXES))


def kernel_mesh(mesh: Mesh) -> contextlib.AbstractContextManager:
    """While a function is traced in it on GPUs, `on_each_device` knows the mesh; nothing else needs to."""
    if jax.default_backend() != "gpu":
        return contextlib.nullcontext()
    return jax.sharding.use_abstract_mesh(mesh.abstract_mesh)


def has_kernel_mesh() -> bool:
    """Whether it is traced within `kernel_mesh`, or there is but one device."""
    return jax.device_count() == 1 or not jax.sharding.get_abstract_mesh().empty


def on_each_device(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """`function` of arrays [b, ...] to [b, ...], done by each device for its own part of the batch.

    For kernels that the compiler cannot split, as it may want to where parameters are.
    """
    if jax.sharding.get_abstract_mesh().empty:
        return function
    split = PartitionSpec(AXES)
    return jax.shard_map(function, in_specs=split, out_specs=split, check_vma=False)


def put_batch(batch: Any, mesh: Mesh) -> Any:
    """This process's part of a batch (numpy arrays [B / processes, ...]) -> global jax.Arrays [B, ...]."""
    sharding = batch_sharding(mesh)
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)


def check_batch_size(name: str, size: int, mesh: Mesh) -> None:
    """Raises ValueError, naming the config field `name`, if batches of `size` do not divide over `mesh`."""
    count = mesh.size
    if size > 0 and size % count == 0:
        return
    below = size // count * count
    choice = f"{below} or {below + count}" if below > 0 else f"{count}"
    raise ValueError(f"batch {size} does not divide over {count} devices: set {name} to {choice}")
