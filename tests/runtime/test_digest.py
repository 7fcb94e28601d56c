import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from hybridvit.runtime import mesh as mesh_lib
from hybridvit.runtime.digest import array_digests, json_digest


def mix(x):
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def digest(x):
    return array_digests([jnp.asarray(x)])[0]


@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint32])
def test_equals_the_sum_by_hand(shape, dtype):
    x = np.asarray(np.random.default_rng(0).normal(size=shape) * 100).astype(dtype)
    words = x.ravel().view(np.uint32).tolist()
    expected = sum(word * (mix(place + 1) | 1) for place, word in enumerate(words)) % 2**32
    assert digest(x) == expected


@pytest.mark.parametrize(
    "spec", [P(), P("data"), P("fsdp"), P(None, "fsdp"), P(("data", "fsdp")), P("fsdp", "data")]
)
def test_is_the_same_for_any_sharding(spec):
    x = np.random.default_rng(0).normal(size=(16, 24)).astype(np.float32)
    sharded = jax.device_put(x, NamedSharding(mesh_lib.build_mesh(4), spec))
    assert array_digests([sharded]) == [digest(x)]


def test_every_flipped_bit_and_every_swap_shows():
    x = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    changed = []
    for bit in range(32):
        y = x.copy()
        y.view(np.uint32)[bit % 4, bit // 8] ^= np.uint32(1 << bit)
        changed.append(y)
    changed += [x.T, x[::-1], np.where(x == x[0, 0], -x, x)]
    assert digest(x) not in [digest(y) for y in changed]
    assert digest(np.float32(0.0)) != digest(np.float32(-0.0))


def test_json_digest_minds_content_and_not_order():
    assert json_digest({"a": 1, "b": [1, 2]}) == json_digest({"b": [1, 2], "a": 1})
    assert json_digest({"a": 1}) != json_digest({"a": 2})
