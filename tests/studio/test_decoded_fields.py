import dataclasses
import json

import numpy as np
import pytest

from hybridvit.photo.metadata import Metadata
from hybridvit.photo.photo import photo_of
from hybridvit.photo.resources import Resource
from hybridvit.photo.tiff_tags import EXIF, Directory, text
from hybridvit.studio.decoded_fields import from_text, to_text


@pytest.fixture
def fields() -> dict:
    return json.loads(to_text(photo_of(np.zeros((2, 3), np.uint8))))


def test_what_is_told_is_what_was_there(fields):
    found = from_text(json.dumps(fields).encode())
    assert (found["bits"], found["alpha"], found["pixels"][0][:2]) == (8, None, (2, 3))


def test_all_metadata_is_told():
    resources = (Resource(b"8BIM", 0x040B, b"name", b"http://example.org"),)
    exif = Directory({0x013B: text("J. Foto"), EXIF: {0x9003: text("1912")}}, ">", 40)
    metadata = Metadata(
        exif, b"<xmp/>", b"\x1c", (300.0, 200.0), (3.0, 2.0), resources, (("Comment", "Łódź"),)
    )
    photo = dataclasses.replace(photo_of(np.zeros((2, 3), np.uint8)), metadata=metadata)
    assert from_text(to_text(photo).encode())["metadata"] == metadata


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bits", float("inf")),  # JSON's Infinity, which Python reads
        ("bits", float("nan")),
        ("dpi", [300, float("inf")]),
        ("dpi", [300]),
        ("aspect", [0, 1]),
        ("resources", [["OEJJTQ==", 1]]),
        ("resources", [["OEJJTQ==", 1, None, "AA=="]]),
        ("exif", {"tags": {"315": [2, None]}, "order": ">", "note_at": None}),
        ("texts", [["Comment"]]),
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
