"""Reading collectives: hand-written HLO of each form, and programs of which one knows what they must send."""

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from hybridvit.planning.collectives import Collective, read_collectives
from hybridvit.runtime.mesh import build_mesh

ENTRY = """HloModule jit_step, entry_computation_layout={()->f32[]}

%add (x: f32[], y: f32[]) -> f32[] {
  ROOT %sum = f32[] add(%x, %y)
}

ENTRY %main (p: f32[8]) -> f32[8] {
LINES
}
"""


def read(*lines: str, devices: int = 8) -> list[Collective]:
    return read_collectives(ENTRY.replace("LINES", "\n".join(f"  {line}" for line in lines)), devices)


@pytest.mark.parametrize(
    ("groups", "members"),
    [
        ("{}", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("{{0,1,2,3},{4,5,6,7}}", (0, 1, 2, 3)),
        ("{{0,4},{1,5},{2,6},{3,7}}", (0, 4)),
        ("[2,4]<=[8]", (0, 1, 2, 3)),
        ("[4,2]<=[2,4]T(1,0)", (0, 4)),
        ("mesh['axis_0'=2,'axis_1'=4] {'axis_1'}", (0, 1, 2, 3)),
        ("mesh['axis_0'=2,'axis_1'=4] {'axis_0'}", (0, 4)),
        ("mesh['a'=2,'b'=2,'c'=2] {'a','b','c'}", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("mesh['a'=4,'b'=2], device_ids=([2,4]T(1,0)) {'a'}", (0, 1, 2, 3)),
    ],
)
def test_every_way_of_naming_the_groups(groups, members):
    (one,) = read(
        f"%r = f32[16,4]{{1,0}} all-reduce(%p), channel_id=1, replica_groups={groups}, to_apply=%add"
    )
    assert one == Collective("all-reduce", 256, members)


@pytest.mark.parametrize(
    ("line", "kind", "size", "sent"),
    [
        ("%r = f32[100]{0} all-reduce(%p), replica_groups={}", "all-reduce", 400, 700),
        ("%r = (f32[60]{0}, bf16[80]{0}) all-reduce(%p, %q), replica_groups={}", "all-reduce", 400, 700),
        ("%r = f32[60]{0:T(128)S(1)} all-reduce-start(%p), replica_groups={}", "all-reduce", 240, 420),
        ("%r = bf16[8,16]{1,0} all-gather(%p), replica_groups={}, dimensions={0}", "all-gather", 256, 224),
        ("%r = (f32[2]{0}, f32[16]{0}) all-gather-start(%p), replica_groups={}", "all-gather", 64, 56),
        ("%r = f32[2,16]{1,0} reduce-scatter(%p), replica_groups={}", "reduce-scatter", 1024, 896),
        ("%r = (f32[4]{0}, f32[4]{0}) all-to-all(%p, %q), replica_groups={}", "all-to-all", 32, 28),
        (
            "%r = f32[4]{0} collective-permute(%p), source_target_pairs={{0,1},{1,0}}",
            "collective-permute",
            16,
            16,
        ),
    ],
)
def test_bytes_of_the_whole_and_what_a_device_sends(line, kind, size, sent):
    (one,) = read(line)
    assert (one.kind, one.bytes) == (kind, size)
    assert one.sent == pytest.approx(sent)


def test_one_channel_is_one_exchange_and_one_device_is_none():
    line = "%r = f32[4]{0} all-gather(%p), channel_id=3, replica_groups={}"
    assert len(read(line, line)) == 1
    assert len(read(line, line.replace("=3", "=4"))) == 2
    assert read("%r = f32[4]{0} all-reduce(%p), replica_groups={{0},{1}}") == []


def test_a_tpus_reduce_scatter():
    text = ENTRY.replace("%add (", "%all-reduce-scatter.1 (").replace(
        "  ROOT %sum", "  %r = f32[16]{0} all-reduce(%x), channel_id=1, replica_groups={}\n  ROOT %sum"
    )
    (one,) = read_collectives(
        text.replace("LINES", "  ROOT %f = f32[] fusion(), calls=%all-reduce-scatter.1"), 8
    )
    assert one == Collective("reduce-scatter", 64, tuple(range(8)))


def test_in_loops_each_turn_counts():
    mesh = build_mesh(1, jax.devices()[:4])
    split, whole = (NamedSharding(mesh, PartitionSpec(axes)) for axes in (("data", "fsdp"), None))

    def run(x):
        def turn(total, _):
            return jax.lax.with_sharding_constraint(jnp.sin(total) * jnp.sum(x + total[:1]), whole), None

        return jax.lax.scan(turn, jnp.ones(256), None, length=5)[0]

    compiled = jax.jit(run, in_shardings=split).lower(jax.ShapeDtypeStruct((1024,), "float32")).compile()
    found = read_collectives(compiled.as_text(), 4)
    assert [(one.kind, one.bytes, one.times) for one in found] == [("all-reduce", 4, 5)]


def test_sharded_weights_are_gathered_and_their_gradients_reduced():
    mesh = build_mesh(4, jax.devices()[:4])
    weights, batch = (NamedSharding(mesh, PartitionSpec(axes)) for axes in ("fsdp", ("data", "fsdp")))
    loss = lambda w, x: jnp.sum(jnp.square(x @ w))  # noqa: E731
    step = jax.jit(jax.grad(loss), in_shardings=(weights, batch), out_shardings=weights)
    shapes = [jax.ShapeDtypeStruct(shape, "float32") for shape in ((64, 32), (4096, 64))]
    totals = {}
    for one in read_collectives(step.lower(*shapes).compile().as_text(), 4):
        totals[one.kind] = totals.get(one.kind, 0) + one.bytes
    assert totals["all-gather"] == 64 * 32 * 4
    assert totals.get("all-reduce", 0) + totals.get("reduce-scatter", 0) == 64 * 32 * 4
