"""The notebook runs from top to bottom on the weights that come with the package, without a network."""

import os
import pathlib

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = pathlib.Path(__file__).parents[2] / "launch" / "colab" / "evaluate.ipynb"
SMALL = 'PACKAGE, WEIGHTS, PHOTOS = "", "pretrained", ""\nSIDE, MOST_PHOTOS, HINT_COUNTS = 32, 2, (0, 2)'
# Whatever asks for another machine fails; the kernel and the studio talk over this one
ALONE = """
import socket

connect = socket.socket.connect
def refuse(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise OSError(f"no network in this test: {address}")
    return connect(self, address)
socket.socket.connect = refuse
"""


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_is_kept_without_outputs_and_tidy(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
    assert NOTEBOOK.read_text() == nbformat.writes(notebook, indent=1) + "\n"
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}


@pytest.fixture(scope="module")
def executed(notebook, tmp_path_factory) -> NotebookNode:
    """The notebook after its run on two small pictures."""
    copy = nbformat.from_dict(notebook)
    (settings,) = [cell for cell in copy.cells if "parameters" in cell.metadata.get("tags", ())]
    assert {line.split(" ")[0] for line in settings.source.splitlines()} == {
        "PACKAGE",
        "WEIGHTS",
        "PHOTOS",
        "SIDE",
        "MOST_PHOTOS",
        "HINT_COUNTS",
    }
    settings.source = ALONE + SMALL
    home = tmp_path_factory.mktemp("notebook")
    environment = {
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(NOTEBOOK.parents[2]), os.environ.get("PYTHONPATH")])),
        "XDG_DATA_HOME": str(home),
    }
    client = NotebookClient(
        copy, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    )
    return client.execute(env=os.environ | environment)


def outputs(notebook: NotebookNode, source: str) -> list[NotebookNode]:
    """What the cell with `source` in it gave."""
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source]
    return cell.outputs


def test_shows_pictures_measures_and_curves(executed):
    for source in ("rows.append(row)", "hints = true_points(0, 5)", "plt.show()"):
        assert any("image/png" in output.get("data", {}) for output in outputs(executed, source)), source
    (table,) = [output.data["text/markdown"] for output in outputs(executed, "display(Markdown")]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()]
    rows = {name: list(map(float, values)) for name, *values in cells[2:]}
    assert cells[0][1:] == ["PSNR dB", "SSIM", "CIEDE2000", "colorfulness"]
    assert rows["truth"][:3] == pytest.approx([50, 1, 0], abs=1e-3)
    assert rows["2 hints"][0] > rows["gray"][0]
    assert rows["gray"][3] < 1 < rows["0 hints"][3]


def test_opens_the_studio(executed):
    shown = outputs(executed, "hybridvit.studio.show")
    assert any("hybridvit studio: http://127.0.0.1:" in output.get("text", "") for output in shown)
    assert any("iframe" in output.get("data", {}).get("text/html", "") for output in shown)


def test_installs_in_colab_alone(notebook):
    (installing,) = [cell.source for cell in notebook.cells if '"pip"' in cell.source]
    before, _, after = installing.partition('if "google.colab" in sys.modules:')
    assert '"pip"' not in before
    assert next(line for line in after.splitlines() if '"pip"' in line).startswith("    ")
