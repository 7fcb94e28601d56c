"""The node as ComfyUI calls it: by the names that its interface publishes. ComfyUI itself is in no package registry."""

import importlib.util
import inspect
import pathlib

import numpy as np
import pytest

from hybridvit.inference.colorizer import Colorizer
from tests.serve.conftest import StubPredict

torch = pytest.importorskip("torch", reason="ComfyUI's pictures are PyTorch's")
FILE = pathlib.Path(__file__).parents[2] / "plugins" / "comfyui_hybridvit" / "__init__.py"


@pytest.fixture
def module(monkeypatch):
    spec = importlib.util.spec_from_file_location("comfyui_hybridvit", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "_load", lambda weights: Colorizer(StubPredict()))
    return module


def run(module, **inputs):
    """As ComfyUI does: an instance, the method that FUNCTION names, all inputs by name."""
    node = module.NODE_CLASS_MAPPINGS["HybridvitColorize"]
    return getattr(node(), node.FUNCTION)(**inputs)


SETTINGS = {"decode": "mean", "strength": 1.0, "size": 64, "seed": 0, "weights": "pretrained"}


def test_its_inputs_are_those_that_it_declares(module):
    node = module.NODE_CLASS_MAPPINGS["HybridvitColorize"]
    declared = node.INPUT_TYPES()
    parameters = list(inspect.signature(getattr(node, node.FUNCTION)).parameters)[1:]
    assert parameters == [*declared["required"], *declared["optional"]]
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == 2
    assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == module.NODE_CLASS_MAPPINGS.keys()


def test_a_batch_is_coloured_and_hints_are_met(module):
    gray = torch.linspace(0.2, 0.8, 40)[None, :, None, None].expand(2, 40, 50, 3).contiguous()
    image, doubt = run(module, image=gray, **SETTINGS)
    assert (image.shape, image.dtype, doubt.shape) == ((2, 40, 50, 3), torch.float32, (2, 40, 50))
    assert (image[..., 0] > image[..., 2]).all()  # the stub's tint
    hints, mask = torch.zeros(1, 40, 50, 3), torch.ones(1, 40, 50)
    hints[:, 10:20, 10:20], mask[:, 10:20, 10:20] = torch.tensor([0.1, 0.6, 0.1]), 0.0
    hinted, _ = run(module, image=gray, hints=hints, hints_mask=mask, **SETTINGS)
    inside = hinted[0, 15, 15].numpy()
    assert inside[1] > inside[0]
    assert np.allclose(hinted[0, 35, 45], image[0, 35, 45], atol=0.02)


def test_mistakes_are_one_line(module):
    gray = torch.zeros(1, 8, 8, 3)
    with pytest.raises(ValueError, match="connect both, or neither"):
        run(module, image=gray, hints=gray, **SETTINGS)
    with pytest.raises(ValueError, match=r"the hints are \(4, 4\) px and the picture \(8, 8\)"):
        run(module, image=gray, hints=torch.zeros(1, 4, 4, 3), hints_mask=torch.zeros(1, 4, 4), **SETTINGS)
