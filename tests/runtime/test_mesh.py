import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from hybridvit.runtime import mesh as mesh_lib


@pytest.mark.parametrize("fsdp", [1, 2, 4, 8])
def test_mesh_holds_every_device_with_auto_axes(fsdp):
    mesh = mesh_lib.build_mesh(fsdp)
    assert dict(mesh.shape) == {"data": 8 // fsdp, "fsdp": fsdp}
    assert set(mesh.devices.flat) == set(jax.devices())
    assert mesh.axis_types == (AxisType.Auto, AxisType.Auto)


@pytest.mark.parametrize("fsdp", [0, 3, 16, -1])
def test_fsdp_that_does_not_divide_is_refused_in_one_line(fsdp):
    with pytest.raises(ValueError, match=rf"^config\.mesh\.fsdp={fsdp} .* 8 devices: .* 1, 2, 4, 8$"):
        mesh_lib.build_mesh(fsdp)


def test_specs_take_the_largest_divisible_dimension():
    mesh = mesh_lib.build_mesh(4)
    shapes = {
        "kernel": (3, 3, 64, 128),
        "wide": (512, 128),
        "square": (64, 64),
        "odd_last": (64, 333),
        "no_dimension": (333, 35),
        "small": (31, 32),
        "vector": (1024,),
        "scalar": (),
    }
    expected = {
        "kernel": P(None, None, None, "fsdp"),
        "wide": P("fsdp"),
        "square": P("fsdp"),
        "odd_last": P("fsdp"),
        "no_dimension": P(),
        "small": P(),
        "vector": P("fsdp"),
        "scalar": P(),
    }
    structs = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in shapes.items()}
    shardings = mesh_lib.state_shardings(structs, mesh)
    assert {name: sharding.spec for name, sharding in shardings.items()} == expected
    replicated = mesh_lib.state_shardings(structs, mesh_lib.build_mesh(1))
    assert all(sharding.is_fully_replicated for sharding in replicated.values())


@given(
    shape=st.lists(st.integers(1, 200), max_size=4).map(tuple),
    fsdp=st.sampled_from([1, 2, 4, 8]),
)
def test_every_shape_can_be_sharded_and_large_divisible_ones_are(shape, fsdp):
    sharding = mesh_lib.state_shardings(jax.ShapeDtypeStruct(shape, jnp.float32), mesh_lib.build_mesh(fsdp))
    size = np.prod(shape, dtype=int)
    shard = np.prod(sharding.shard_shape(shape), dtype=int)  # raises if a dimension does not divide
    divisible = any(n % fsdp == 0 for n in shape)
    assert shard == (size // fsdp if divisible and size >= mesh_lib.MIN_SHARDED_SIZE else size)


@pytest.mark.parametrize("fsdp", [1, 4])
def test_put_batch_spreads_the_rows_over_all_devices(fsdp):
    mesh = mesh_lib.build_mesh(fsdp)
    batch = {
        "labeled": np.arange(16 * 4 * 4 * 3, dtype=np.uint8).reshape(16, 4, 4, 3),
        "unlabeled": np.ones((8, 4, 4, 1), np.uint8),
    }
    placed = mesh_lib.put_batch(batch, mesh)
    assert {len(x.addressable_shards) for x in placed.values()} == {8}
    assert {shard.data.shape for shard in placed["labeled"].addressable_shards} == {(2, 4, 4, 3)}
    for name, array in batch.items():
        assert placed[name].sharding == mesh_lib.batch_sharding(mesh)
        np.testing.assert_array_equal(placed[name], array)


def test_jit_over_a_sharded_batch_equals_the_single_device():
    x = np.random.default_rng(0).normal(size=(16, 64)).astype(np.float32)
    w = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32)
    results = []
    for mesh in [
        mesh_lib.build_mesh(1, jax.devices()[:1]),
        mesh_lib.build_mesh(1),
        mesh_lib.build_mesh(4),
    ]:
        weights = jax.device_put(w, mesh_lib.state_shardings(w, mesh))
        results.append(
            np.asarray(jax.jit(lambda x, w: (x @ w).mean(0))(mesh_lib.put_batch(x, mesh), weights))
        )
    np.testing.assert_allclose(results[1], results[0], atol=1e-5)
    np.testing.assert_allclose(results[2], results[0], atol=1e-5)


def test_batch_size_error_names_the_field_and_the_neighbours():
    mesh = mesh_lib.build_mesh(2)
    mesh_lib.check_batch_size("config.data.batch_size", 24, mesh)
    with pytest.raises(
        ValueError, match=r"^batch 30 does not divide over 8 devices: set config\.x to 24 or 32$"
    ):
        mesh_lib.check_batch_size("config.x", 30, mesh)
    with pytest.raises(ValueError, match=r"set config\.x to 8$"):
        mesh_lib.check_batch_size("config.x", 3, mesh)
