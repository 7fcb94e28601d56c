import json

import numpy as np
import pytest

from hybridvit.inference.photo import photo_of
from hybridvit.studio.decoded_fields import from_text, to_text


@pytest.fixture
def fields() -> dict:
    return json.loads(to_text(photo_of(np.zeros((2, 3), np.uint8))))


def test_what_is_told_is_what_was_there(fields):
    found = from_text(json.dumps(fields).encode())
    assert (found["bits"], found["alpha"], found["pixels"][0][:2]) == (8, None, (2, 3))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bits", float("inf")),  # JSON's Infinity, which Python reads
        ("bits", float("nan")),
        ("dpi", [300, float("inf")]),
        ("dpi", [300]),
        ("pixels", [[2, -3], "|u1"]),
        ("pixels", [[2, 3], "|O"]),
        ("icc", "not base64"),
        ("remarks", 7),
        ("another", 1),
    ],
)
def test_anything_else_is_refused_in_one_line(fields, field, value):
    with pytest.raises(ValueError, match=r"^what its decoder says is no photograph \(\w+\)$"):
        from_text(json.dumps(fields | {field: value}).encode())
