"""What settings are without being told, and how far they may go."""

import dataclasses

import pytest

from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import HintError


def test_without_being_told():
    told = {"size": 256, "strength": 1.0, "decode": "vivid", "seed": 0, "borders": "auto"}
    assert dataclasses.asdict(Settings()) == told


@pytest.mark.parametrize(
    ("name", "least", "most", "beyond"),
    [
        ("size", 16, 4096, (15, 4097)),
        ("strength", 0, 10, (-0.01, 10.01)),
        ("seed", 0, 2_147_483_647, (-1, 2_147_483_648)),
    ],
)
def test_ranges_hold_both_ends(name, least, most, beyond):
    for value in (least, most):
        assert getattr(Settings(**{name: value}), name) == value
    for value in beyond:
        with pytest.raises(HintError, match=name):
            Settings(**{name: value})
