import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.comparison.label_runs import Run
from hybridvit.comparison.label_worth import share_of, worth, worth_table, worths

RIVALS = ["supervised", "strong-views"]
SHARES = (1.0, 5.0, 10.0, 100.0)


def run(arm: str, percent: float, seed: int, level: float) -> Run:
    """Of photographs aged as no arm has seen it the gray ones are worth twice as many labels."""
    levels = {"clean": level, "aged": level, "unseen": level + math.log10(2) * (arm == "semi")}
    return Run(arm, percent, seed, {name: {"log_likelihood": one} for name, one in levels.items()})


@pytest.fixture
def runs() -> list[Run]:
    """Labels alone gain a nat with each factor ten; the gray ones are worth three times the labels at 1 %, 2 at 5 %."""
    found = [run("strong-views", p, s, math.log10(p) + s) for p in SHARES for s in (0, 1)]
    found += [run("supervised", p, s, math.log10(p) + s - 0.5) for p in SHARES for s in (0, 1)]
    gray = {1.0: 3.0, 5.0: 2.0, 10.0: 30.0}
    return found + [run("semi", p, s, math.log10(p * gray[p]) + s) for p in gray for s in (0, 1)]


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_what_gray_photographs_are_worth(runs, seed):
    assert worth(runs, "semi", RIVALS, 1.0, seed) == pytest.approx(3)
    assert worth(runs, "semi", RIVALS, 5.0, seed) == pytest.approx(2)
    assert worth(runs, "semi", RIVALS, 10.0, seed) == math.inf  # three times all labels
    assert worth(runs, "semi", RIVALS, 100.0, seed) is None  # there are no gray ones


def test_the_better_of_the_others_counts(runs):
    worse = [one for one in runs if one.arm != "strong-views"]
    assert worth(worse, "semi", RIVALS, 1.0) == pytest.approx(3 * 10**0.5)


def test_below_the_curve_gray_photographs_cost_labels(runs):
    others = [one for one in runs if one.arm != "semi"]
    assert worth([*others, run("semi", 10.0, 0, math.log10(5))], "semi", RIVALS, 10.0, 0) == pytest.approx(
        0.5
    )


def test_as_json_and_as_a_table(runs):
    found = worths(runs, "semi", RIVALS)
    assert list(found) == ["1 %", "5 %", "10 %"]
    assert found["1 %"]["worth"] == found["1 %"]["by_seed"]["1"] == 3
    assert found["10 %"]["worth"] is None
    assert found["1 %"]["log_likelihood"] == pytest.approx(math.log10(3) + 0.5)
    lines = worth_table(runs, "semi", RIVALS).splitlines()
    assert lines[2] == "| 1 % | 3.00x | 3.00x, 3.00x | 3.00x | 6.00x |"
    assert lines[4].startswith("| 10 % | more than all labels |")


@given(
    st.lists(st.floats(-10, 0), min_size=2, max_size=6),
    st.floats(-12, 2),
)
def test_a_curve_is_read_where_it_first_reaches_the_level(heights, level):
    curve = {float(2**i): height for i, height in enumerate(heights)}
    share = share_of(curve, level)
    if level > max(heights):
        assert share == math.inf
        return
    assert 1 <= share <= 2.0 ** (len(heights) - 1)
    before = [height for place, height in curve.items() if place < share * (1 - 1e-9)]
    assert level <= min(heights[0], level) or max(before) <= level + 1e-9
    assert np.isfinite(share)
