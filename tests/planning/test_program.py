"""What a device does in a step, against what JAX itself counts, allocates and compiles for a model that fits here."""

import dataclasses

import jax
import pytest

from hybridvit.planning.chips import CHIPS
from hybridvit.planning.collectives import Collective
from hybridvit.planning.program import (
    GROUPS,
    compile_step,
    enlarge,
    product_flops,
    saved_bytes,
    state_bytes,
)
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.state import build_networks, create_state


@pytest.fixture(scope="module")
def compile_tiny(build_tiny_config):
    """`compile_tiny(data, fsdp, **changes)`: a program with one colour picture a device."""
    programs = {}

    def compile_tiny(data: int, fsdp: int, **changes):
        key = data, fsdp, *changes.items()
        if key not in programs:
            config = build_tiny_config()
            count = data * fsdp * changes.get("optim.accumulate", 1)
            config.update_from_flattened_dict(
                {
                    "data.batch_size": count,
                    "data.unlabeled_batch_size": 0,
                    "consistency.weight": 0.0,
                    **changes,
                }
            )
            programs[key] = compile_step(config, fsdp, jax.devices()[: data * fsdp])
        return programs[key]

    return compile_tiny


@pytest.mark.parametrize("fsdp", [1, 4])
def test_state_is_what_a_device_holds(build_tiny_config, fsdp):
    config = build_tiny_config()
    mesh = build_mesh(fsdp, jax.devices()[:4])
    state = create_state(build_networks(config), mesh, 0)
    first = [x.addressable_shards[0].data.nbytes for x in jax.tree.leaves(state)]
    planned = state_bytes(state)
    assert sum(planned.values()) == sum(first)
    assert planned["optimizer"] == pytest.approx(2 * planned["parameters"], rel=0.01)  # two moments
    assert planned["average"] == planned["parameters"]


def test_data_parallel_sends_the_gradients_once(compile_tiny):
    """All-reduced: every parameter's gradient, and the statistics of the bins and metrics, which are few."""
    program = compile_tiny(2, 1)
    reduced = sum(one.bytes for one in program.collectives if one.kind == "all-reduce")
    assert reduced == pytest.approx(program.state["parameters"], rel=0.1)
    assert reduced >= program.state["parameters"]


def test_two_groups_tell_of_more(compile_tiny):
    """What `enlarge` says of four groups is what is compiled for four."""
    small, large = enlarge(compile_tiny(GROUPS, 2), 4), compile_tiny(4, 2)
    assert small.state == large.state
    assert small.saved == large.saved
    assert small.flops == pytest.approx(large.flops, rel=0.02)

    def cost(program):
        seconds = [sum(map(chip.seconds, program.collectives)) for chip in CHIPS.values()]
        return [*seconds, sum(one.sent for one in program.collectives)]

    # In what is small, the compiler chooses another exchange now and then
    assert cost(small) == pytest.approx(cost(large), rel=0.1)


def test_one_group_sends_nothing(compile_tiny):
    assert enlarge(compile_tiny(2, 1), 1).collectives == ()


def test_what_is_gathered_between_groups_grows_with_them(compile_tiny):
    gathered = Collective("all-gather", 100, (0, 1, 2, 3))
    reduced = Collective("all-reduce", 100, (0, 2))
    inside = Collective("all-gather", 100, (0, 1))
    program = dataclasses.replace(compile_tiny(2, 2), collectives=(gathered, reduced, inside))
    assert enlarge(program, 8).collectives == (
        Collective("all-gather", 400, tuple(range(16))),
        Collective("all-reduce", 100, tuple(range(0, 16, 2))),
        inside,
    )
    assert enlarge(program, 2) == program


def test_accumulation_computes_and_sends_for_every_part_and_keeps_one(compile_tiny):
    whole = compile_tiny(2, 1)
    parts = compile_tiny(2, 1, **{"optim.accumulate": 2})
    assert parts.pictures == 2 * whole.pictures
    assert parts.saved == whole.saved
    assert parts.flops == pytest.approx(2 * whole.flops, rel=0.2)
    sent = [sum(one.sent for one in program.collectives) for program in (whole, parts)]
    assert sent[1] == pytest.approx(2 * sent[0], rel=0.1)


def test_flops_are_those_of_the_compiler(build_tiny_config, compile_tiny):
    """The trace's products are most of what XLA counts; where a kernel hangs over the edge, it counts less."""
    config = build_tiny_config()
    networks = build_networks(config)
    variables = networks.init(jax.random.key(0))
    luma = jax.ShapeDtypeStruct((2, 64, 64, 1), "float32")
    run = jax.jit(lambda luma: networks.generate(variables[0], luma, None).chroma).trace(luma)
    counted = product_flops(run.jaxpr.jaxpr)
    by_xla = run.lower().compile().cost_analysis()["flops"]
    assert 0.5 * by_xla < counted < 1.25 * by_xla


def test_kept_grows_with_the_pixels(build_tiny_config):
    """The maps do, and attention's weights by their square."""
    config = build_tiny_config()
    small = saved_bytes(config)
    config.data.image_size = 64
    assert saved_bytes(config) == pytest.approx(4 * small, rel=0.35)
