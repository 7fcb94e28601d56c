"""What is installed: the two lists of requirements agree, and colouring asks for no package of the extra `train`."""

import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Import names of what `train` brings, and of what comes with it. Not optax: Flax itself imports that
TRAINING = (
    "array_record",
    "clu",
    "grain",
    "matplotlib",
    "orbax",
    "tensorboardX",
    "tensorflow_datasets",
    "tensorstore",
)
BARE = f"""
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {TRAINING}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Nothing())
from hybridvit import cli

sys.argv[0] = "hybridvit"
try:
    cli.run()
finally:
    ours = [module for name, module in sys.modules.items() if name.startswith("hybridvit")]
    print([module.__name__ for module in ours if hasattr(module, "optax")])
"""


def listed(path: str) -> set[str]:
    lines = (ROOT / path).read_text().splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


def test_requirements_are_the_dependencies_and_those_of_training():
    core, train = PROJECT["dependencies"], PROJECT["optional-dependencies"]["train"]
    assert listed("requirements.txt") == {*core, *train}
    assert not set(core) & set(train)


@pytest.mark.parametrize("extra", ["beam", "onnx", "heic"])
def test_extras_are_tested_in_the_versions_that_are_asked_for(extra):
    assert set(PROJECT["optional-dependencies"][extra]) <= listed("requirements-test.txt")


def test_every_remedy_names_an_extra():
    """`pip install '.[onnx]'` works in a clone alone."""
    for path in (ROOT / "hybridvit").rglob("*.py"):
        for extras in re.findall(r"pip install .?.?(?:hybridvit|\.)\[(\w+)\]", path.read_text()):
            assert extras in PROJECT["optional-dependencies"], path
        assert not re.search(r"pip install .?.?\.", path.read_text()), path


def bare(folder: pathlib.Path, *words: str) -> subprocess.CompletedProcess:
    """`hybridvit` without the packages of training, in `folder`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", BARE, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_colouring_imports_nothing_of_training(tmp_path):
    Image.linear_gradient("L").resize((40, 30)).save(tmp_path / "a.png")
    done = bare(tmp_path, "colorize", "a.png", "--output", "out", "--size", "32")
    assert (done.returncode, done.stdout) == (0, "out: 1 coloured\n[]\n"), done.stderr
    assert Image.open(tmp_path / "out" / "a.png").mode == "RGB"


def test_the_studio_imports_nothing_of_training(tmp_path):
    script = "from hybridvit.studio import app, server\nfrom hybridvit.inference.colorizer import load"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            BARE.replace("from hybridvit import cli", script).replace("cli.run()", "pass"),
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "--config=ssl_vit"), "training and evaluating need "),
        (("eval", "--checkpoint=pretrained"), "training and evaluating need "),
        (("compare", "--config=compare"), "comparing needs "),
        (("pack", "--input=.", "--output=x"), "hybridvit pack needs array_record"),
        (("colorize", "a.png", "--output=out", "--weights=run"), "reading a training's folder needs "),
    ],
)
def test_what_trains_names_the_extra(tmp_path, words, said):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "run" / "checkpoints" / "3").mkdir(parents=True)
    done = bare(tmp_path, *words)
    assert done.returncode == 2, done.stderr
    *_, line = done.stderr.splitlines()
    assert line.startswith(f"hybridvit: {said}")
    assert line.endswith("pip install 'hybridvit[train]'")
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "run"}


def test_importing_the_package_alone_imports_nothing_else():
    """In 0.02 s of CPU then; JAX would be 0.6."""
    code = "import sys; before = set(sys.modules); import hybridvit; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"hybridvit", "hybridvit.version"}
