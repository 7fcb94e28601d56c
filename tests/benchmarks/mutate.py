"""Which changes of the code would no test see? Small mistakes are made on purpose, one at a time, and the tests run.

    python -m tests.benchmarks.mutate --sample 60 --seed 0     # 60 of all mutants; without it all of them, for hours
    python -m tests.benchmarks.mutate --only models/blocks     # of one file

A mutant swaps + and -, * and /, < and <=, > and >=, == and !=, `and` and `or`; moves a number; leaves out a keyword
argument; or swaps the first two arguments of a call. Each runs the tests of its file in a copy of the project, in a
process forked from one that has JAX imported. What is printed last are the survivors: for each a test is missing, or
it changes nothing that counts (docs/tests.md says which is which).
"""

import argparse
import ast
import copy
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[2]
SECONDS = 600  # a mutant that runs longer loops, and is seen
TESTS = {  # of each file below hybridvit/, the quickest first
    "objectives/adversarial": "objectives/test_terms.py objectives/test_adversarial.py training/test_step.py",
    "objectives/bin_cross_entropy": "objectives/test_terms.py objectives/test_bin_cross_entropy.py",
    "objectives/consistency": "objectives/test_terms.py objectives/test_consistency_reference.py training/test_step.py",
    "objectives/restoration": "objectives/test_terms.py objectives/test_restoration.py training/test_step.py",
    "objectives/ssim_loss": "objectives/test_ssim_loss.py",
    "objectives/supervised": "objectives/test_terms.py objectives/test_supervised.py training/test_step.py",
    "objectives/terms": "objectives/test_terms.py",
    "models/blocks": "models/test_vit_block.py models/test_blocks.py",
    "hints/raster": "hints/test_raster.py",
    "hints/recipe": "hints/test_recipe.py hints/test_sidecar.py hints/test_shapes.py",
    "hints/settings": "hints/test_settings.py hints/test_sidecar.py",
    "hints/shapes": "hints/test_shapes.py hints/test_raster.py",
    "hints/sidecar": "hints/test_sidecar.py",
    "hints/simulate": "hints/test_simulate.py",
    "hints/user_points": "hints/test_user_points.py",
}
SWAPS = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div},
    **{
        ast.Lt: ast.LtE,
        ast.LtE: ast.Lt,
        ast.Gt: ast.GtE,
        ast.GtE: ast.Gt,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
    },
    **{ast.And: ast.Or, ast.Or: ast.And},
}
ALIKE = (
    "min",
    "max",
    "minimum",
    "maximum",
    "array_equal",
    "hypot",
    "swapaxes",
    "isclose",
)  # whichever argument is first
IMPORTS = (
    "jax jax.numpy flax.nnx optax numpy scipy.ndimage skimage hypothesis ml_collections pytest PIL.Image"
)


class Mutant(NamedTuple):
    """One change of one file: its source, and how it is told."""

    file: str
    line: int
    what: str
    source: str


def mutants_of(file: str, text: str) -> Iterator[Mutant]:
    """All of a file's; messages, annotations and docstrings are left alone."""
    tree = ast.parse(text)
    for index, node in enumerate(_places(tree)):
        for change in range(len(_changes(node))):
            changed = copy.deepcopy(tree)
            place = _places(changed)[index]
            before = ast.unparse(place)
            _changes(place)[change]()
            after = ast.unparse(place)
            if after != before:
                yield Mutant(file, node.lineno, f"{before}  ->  {after}", ast.unparse(changed))


def _places(tree: ast.AST) -> list[ast.expr]:
    """Expressions that may be changed, in one order for all copies of a tree."""
    found = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Raise):
            return
        if isinstance(node, ast.expr):
            found.append(node)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    visit(child)

    visit(tree)
    return found


def _changes(node: ast.expr) -> list:
    """What can be done to it: functions that do."""
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            return [lambda: setattr(node, "op", SWAPS[type(op)]())]
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            return [lambda: setattr(node, "ops", [SWAPS[type(op)]()])]
        case ast.Constant(value=value) if type(value) in (int, float):
            return [lambda: setattr(node, "value", value + 1 if isinstance(value, int) else 2 * value + 0.1)]
        case ast.Call(args=args, keywords=keywords):
            changes = [lambda i=i: keywords.pop(i) for i, one in enumerate(keywords) if one.arg]
            alike = ast.unparse(node.func).rpartition(".")[2] in ALIKE
            if len(args) > 1 and not alike and not any(isinstance(one, ast.Starred) for one in args[:2]):
                changes.append(lambda: args.__setitem__(slice(2), args[1::-1]))
            return changes
    return []


def is_seen(mutant: Mutant, project: pathlib.Path) -> bool:
    """Whether a test of its file fails, or does not end."""
    path = project / "hybridvit" / f"{mutant.file}.py"
    original = path.read_text()
    path.write_text(mutant.source)
    try:
        child = os.fork()
        if child == 0:
            os._exit(_run(TESTS[mutant.file].split(), project))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status != 0
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return True
    finally:
        path.write_text(original)


def _run(tests: list[str], project: pathlib.Path) -> int:
    import pytest

    os.chdir(project)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    return int(pytest.main(["-x", "-n0", "-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)]))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="how many mutants (all)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice (0)")
    parser.add_argument("--only", default="", help="files whose names begin so, as models/blocks")
    options = parser.parse_args()
    mutants = [
        mutant
        for file in TESTS
        if file.startswith(options.only)
        for mutant in mutants_of(file, (ROOT / "hybridvit" / f"{file}.py").read_text())
    ]
    chosen = random.Random(options.seed).sample(mutants, min(options.sample or len(mutants), len(mutants)))
    for name in IMPORTS.split():
        __import__(name)
    sys.dont_write_bytecode = True
    os.environ.setdefault(
        "JAX_COMPILATION_CACHE_DIR", os.path.join(tempfile.gettempdir(), "hybridvit-mutants-jax-cache")
    )
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder, "project")
        shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        sys.path.insert(0, str(project))
        for file in sorted({mutant.file for mutant in chosen}):
            unchanged = Mutant(file, 0, "", (project / "hybridvit" / f"{file}.py").read_text())
            assert not is_seen(unchanged, project), f"the tests of {file} fail without a change"
        for number, mutant in enumerate(chosen, 1):
            seen = is_seen(mutant, project)
            told = f"{mutant.file}.py:{mutant.line}: {mutant.what}"
            print(f"{number}/{len(chosen)} {'seen    ' if seen else 'SURVIVES'} {told}", flush=True)
            survivors += [] if seen else [told]
    print(f"\n{len(mutants)} mutants, {len(chosen)} tried, {len(survivors)} survive:", *survivors, sep="\n  ")


if __name__ == "__main__":
    main()
