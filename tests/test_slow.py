"""tests/slow.txt names tests that there are."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
LINES = [line for line in (ROOT / "tests" / "slow.txt").read_text().splitlines() if not line.startswith("#")]


def names_in(path: pathlib.Path) -> set[str]:
    """Names as pytest has them: `test_a`, `TestB::test_c`."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return names


@pytest.mark.parametrize("file", sorted({line.partition("::")[0] for line in LINES}))
def test_what_is_called_slow_is_there(file):
    assert (ROOT / file).exists()
    named = {line.partition("::")[2] for line in LINES if line.startswith(f"{file}::")}
    assert named <= names_in(ROOT / file)


def test_it_is_marked(request):
    assert request.node.get_closest_marker("slow") is None
    assert len(LINES) == len(set(LINES))
