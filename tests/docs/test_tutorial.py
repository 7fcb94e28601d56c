"""The tutorial runs from top to bottom on what is in the packages, without a network."""

import os
import pathlib

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = pathlib.Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "researcher" / "tutorial.ipynb"


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(notebook, tmp_path_factory) -> NotebookNode:
    home = tmp_path_factory.mktemp("tutorial")
    environment = {
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "TMPDIR": str(home),
    }
    copy = nbformat.from_dict(notebook)
    client = NotebookClient(
        copy, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    )
    return client.execute(env=os.environ | environment)


def outputs(notebook: NotebookNode, source: str) -> list[NotebookNode]:
    """What the cell with `source` in it gave."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source]
    return cell.outputs


def text(notebook: NotebookNode, source: str) -> str:
    return "".join(output.get("text", "") for output in outputs(notebook, source))


def test_is_kept_without_outputs(notebook):
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_shows_pictures(executed):
    for source in ("show(gray=gray", "with_four_hints=hinted.rgb", "show(doubt=", "twelve_steps="):
        assert any("image/png" in output.get("data", {}) for output in outputs(executed, source)), source


def test_hints_bring_it_nearer_to_the_truth_and_lessen_the_doubt(executed):
    lines = text(executed, "def psnr").splitlines()
    values = {line[:10].strip(): float(line[10:].split()[0]) for line in lines}
    assert values["four hints"] > values["automatic"]
    words = text(executed, "on average").replace(",", " ").split()
    before, after = (float(word) for word in words if word[0].isdigit())
    assert after < before


def test_trains(executed):
    assert '"step": 4' in text(executed, "metrics.jsonl")
