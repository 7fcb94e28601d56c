import io

import numpy as np
import pytest
from PIL import Image

from hybridvit.hints.sidecar import from_json
from tests.serve.conftest import picture


def layer(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def test_a_painted_layer_becomes_a_sidecar(enter):
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[5:9, 3:10] = (200, 10, 20, 255)
    answer = enter().post("/api/hints", content=layer(pixels))
    assert answer.status_code == 200
    sidecar = from_json(answer.json())
    assert (sidecar.width, sidecar.height, sidecar.sha256) == (30, 20, None)
    (hint,) = sidecar.recipe.hints
    assert hint.color == "#c80a14"
    assert sum(hint.area.runs[1::2]) == 28
    gray = np.zeros((20, 30, 2), np.uint8)
    gray[5:9, 3:10] = (90, 255)
    (hint,) = from_json(enter().post("/api/hints", content=layer(gray)).json()).recipe.hints
    assert hint.color == "#5a5a5a"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "the request is empty"),
        (b"no picture", 415, "the layer: "),
        (picture(), 415, "it has no transparency: save the painted layer alone"),
        (layer(np.random.default_rng(0).integers(128, 255, (30, 30, 4), np.uint8)), 415, "more than 200"),
    ],
)
def test_what_is_no_layer(enter, body, status, said):
    answer = enter().post("/api/hints", content=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]
