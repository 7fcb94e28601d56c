"""Programs are dropped between files, when they have become many."""

import pathlib
from types import SimpleNamespace

import jax
import pytest

from tests import memory

FILES = [SimpleNamespace(path=pathlib.Path(name)) for name in ("test_a.py", "test_b.py")]


@pytest.mark.skipif(not memory.STATUS.exists(), reason="no /proc")
@pytest.mark.parametrize(
    ("following", "most", "traces"),
    [(FILES[1], 0, 2), (None, 0, 2), (FILES[0], 0, 1), (FILES[1], 1e15, 1)],
)
def test_a_program_is_made_again_after_a_file_that_left_much(monkeypatch, following, most, traces):
    monkeypatch.setattr(memory, "MOST_BYTES", most)
    traced = []

    @jax.jit
    def add(x):
        traced.append(x)
        return x + 1

    assert add(1) == 2
    memory.pytest_runtest_teardown(FILES[0], following)
    assert add(1) == 2
    assert len(traced) == traces
