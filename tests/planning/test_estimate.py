"""The arithmetic of the plan, on programs made by hand."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.planning.chips import CHIPS
from hybridvit.planning.collectives import Collective
from hybridvit.planning.estimate import advise, estimate
from hybridvit.planning.program import Program

H100, V5E = CHIPS["h100"], CHIPS["v5e"]
STATE = {"parameters": 10**9, "average": 10**9, "optimizer": 2 * 10**9, "other": 0}
PROGRAM = Program(
    data=1, fsdp=1, pictures=8, state=STATE, flops=1e12, temporary=0, saved=10**9, collectives=()
)


def reduce(members: range, kind: str = "all-reduce", size: int = 10**9) -> Collective:
    return Collective(kind, size, tuple(members))


def test_computing_alone():
    cost = estimate(PROGRAM, H100, "bfloat16", utilisation=0.5)
    assert cost.compute == pytest.approx(1e12 / 989.5e12 / 0.5)
    assert cost.memory == 6e9  # with the gradients
    assert cost.traffic == pytest.approx(12e9 / 3.35e12)
    assert cost.best == cost.worst == max(cost.compute, cost.traffic)
    assert cost.efficiency == 1


def test_a_node_is_left_only_for_what_is_not_in_it():
    inside = H100.seconds(reduce(range(8)))
    assert inside == pytest.approx(2 * 1e9 * 7 / 8 / 450e9)
    across = H100.seconds(reduce(range(16)))
    assert across == pytest.approx(inside + 2 * 1e9 / 8 / 2 / 50e9)
    apart = H100.seconds(reduce(range(0, 64, 8)))
    assert apart == pytest.approx(2 * 1e9 * 7 / 8 / 50e9)
    assert V5E.seconds(reduce(range(256))) == pytest.approx(2 * 1e9 * 255 / 256 / 100e9)


@given(st.sampled_from(sorted(CHIPS)), st.integers(1, 6), st.sampled_from(["all-reduce", "all-gather"]))
def test_more_devices_and_more_bytes_never_take_less(name, power, kind):
    chip, some = CHIPS[name], reduce(range(2**power), kind)
    assert chip.seconds(reduce(range(2 ** (power + 1)), kind)) >= chip.seconds(some)
    assert chip.seconds(dataclasses.replace(some, bytes=2 * some.bytes)) == pytest.approx(
        2 * chip.seconds(some)
    )
    assert chip.seconds(dataclasses.replace(some, times=3)) == pytest.approx(3 * chip.seconds(some))


@given(st.floats(1e9, 1e14), st.integers(0, 10**10))
def test_hiding_helps_and_no_chip_is_faster_than_alone(flops, size):
    program = dataclasses.replace(PROGRAM, flops=flops, collectives=(reduce(range(8), size=size),))
    cost = estimate(program, V5E, "bfloat16")
    assert cost.best <= cost.worst <= 2 * cost.best
    assert 0 < cost.efficiency <= 1


def test_advice_is_the_smallest_that_fits_and_the_fastest():
    small = estimate(PROGRAM, V5E, "bfloat16")
    large = dataclasses.replace(small, memory=20 * 10**9, fits=False)
    slow = dataclasses.replace(small, sending=2 * small.worst)
    assert advise({1: small, 8: slow}, V5E, 8).endswith("fsdp=1, the smallest that fits, and the fastest")
    assert "fsdp=8, the smallest that fits, and the fastest" in advise({1: large, 8: slow}, V5E, 8)
    assert advise({1: slow, 8: small}, V5E, 8).endswith("; --config.mesh.fsdp=8 is 200% faster")
    assert "nothing fits (20.0 GB of 16" in advise({8: large}, V5E, 8)
