"""A number for the content of arrays, to tell whether what was read is what was written."""

import functools
import json
import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec


def json_digest(value: dict) -> int:
    """CRC-32 of JSON, whatever the order of its keys."""
    return zlib.crc32(json.dumps(value, sort_keys=True).encode())


def array_digests(leaves: dict[str, jax.Array]) -> np.ndarray:
    """uint32 for each leaf, of any shape and any type of 1, 2 or 4 bytes; computed where the arrays live.

    The same bits give the same digest on any number of devices and processes; a change within one element
    always changes it, others with probability 1 - 2^-32.
    """
    if not leaves:
        return np.zeros(0, np.uint32)
    sharding = next(iter(leaves.values())).sharding
    replicated = (
        NamedSharding(sharding.mesh, PartitionSpec()) if isinstance(sharding, NamedSharding) else None
    )
    return np.asarray(_digest_function(replicated)(list(leaves.values())))


@functools.cache
def _digest_function(replicated: NamedSharding | None) -> Any:
    return jax.jit(lambda leaves: jnp.stack([_digest(leaf) for leaf in leaves]), out_shardings=replicated)


def _digest(x: jax.Array) -> jax.Array:
    # Each word is mixed with its place, one-to-one, and the integers wrap around: the order of adding is no
    # matter.
    words = jax.lax.bitcast_convert_type(x, f"uint{8 * x.dtype.itemsize}").astype(jnp.uint32)
    place = jnp.zeros(x.shape, jnp.uint32)
    for axis, length in enumerate(x.shape):
        place = place * np.uint32(length) + jax.lax.broadcasted_iota(jnp.uint32, x.shape, axis)
    return jnp.sum(_mix(words ^ _mix(place + np.uint32(1))), dtype=jnp.uint32)


def _mix(x: jax.Array) -> jax.Array:
    # The 32-bit finalizer of MurmurHash3.
    x = (x ^ (x >> 16)) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * np.uint32(0xC2B2AE35)
    return x ^ (x >> 16)
