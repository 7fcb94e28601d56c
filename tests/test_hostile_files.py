"""Files are data: whatever a model file, a sidecar or a picture holds, it is read or refused in a line; nothing is run.

`python -m tests.benchmarks.fuzz` tries 10,000 of each, within bounded memory.
"""

import ast
import pathlib
import random

import pytest

from tests.hostile import Target, make_targets, try_one

PACKAGE = pathlib.Path(__file__).parent.parent / "hybridvit"
READERS = ("safetensors", "pth", "old pth", "ViT npz", "checkpoint", "config", "sidecar")
READERS += ("photograph, as reference", "training picture", "photograph, by Pillow", "decoder's answer")
COUNTS = {"checkpoint": 20, "pth": 40, "old pth": 40, "ViT npz": 40}  # the slower ones; else 100
UNPICKLERS = {
    "pickle",
    "_pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "marshal",
    "shelve",
    "torch",
    "yaml",
}
RUNNERS = {"eval", "exec", "compile", "__import__"}


@pytest.fixture(scope="module")
def targets(tmp_path_factory) -> dict[str, Target]:
    return make_targets(tmp_path_factory.mktemp("hostile"))


def test_the_list_of_readers_is_whole(targets):
    assert set(READERS) == set(targets)


@pytest.mark.parametrize("reader", READERS)
def test_read_or_refused_in_one_line(targets, reader):
    target = targets[reader]
    assert try_one(target, None) == "read"
    outcomes = {}
    for number in range(COUNTS.get(reader, 100)):
        outcomes[number] = try_one(target, random.Random(f"{reader} {number}"))
    assert not {n: outcome for n, outcome in outcomes.items() if outcome not in ("read", "refused")}
    assert "refused" in outcomes.values()


def test_nothing_is_unpickled_or_evaluated():
    """Of the configs, which are Python by design, ml_collections takes care; they are the user's own."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            at = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
                )
                assert not {name.split(".")[0] for name in names} & UNPICKLERS, at
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert not (isinstance(node.func, ast.Name) and name in RUNNERS), at
                assert not any(word.arg == "allow_pickle" for word in node.keywords), at
                owner = getattr(getattr(node.func, "value", None), "id", "")
                assert (owner, name) not in {("np", "load"), ("numpy", "load"), ("jnp", "load")}, at
