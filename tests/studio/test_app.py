"""The API, from outside: what is answered, and that nothing wrong is answered with more than a line."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point
from hybridvit.hints.sidecar import load_hints
from hybridvit.inference.photo import read_photo


def hinted(sidecar: dict, **changes) -> dict:
    """The sidecar with a green point."""
    return {**sidecar, "hints": [{"type": "point", "x": 30, "y": 40, "color": "#2e6b3a"}], **changes}


def picture(response) -> np.ndarray:
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_about(enter, scans):
    about = enter(first=scans / "photo 10.jpg").get("/api/").json()
    assert about["folder"] == "scans"
    assert about["settings"] == {"size": 256, "strength": 1.0, "decode": "vivid", "seed": 0}
    assert enter().get("/api/").json()["first"] is None
    photos = enter().get("/api/photos").json()["photos"]
    assert [photo["name"] for photo in photos] == ["box/deep.tif", "photo 2.png", "photo 10.jpg"]
    assert about["first"] == photos[2]["id"]


def test_a_hint_changes_the_tiles_and_is_on_the_disk(client, ids, scans):
    url = f"/api/photos/{ids['photo 2.png']}"
    opened = client.get(url).json()
    assert (opened["width"], opened["height"], opened["levels"], opened["gray"]) == (150, 90, 1, True)
    assert not (scans / "photo 2.hints.json").exists()
    before = picture(client.get(f"{url}/tiles/{opened['revision']}/0/0/0"))
    original = picture(client.get(f"{url}/tiles/original/0/0/0"))
    np.testing.assert_array_equal(original, read_photo(scans / "photo 2.png").pixels[..., 0])
    answer = client.put(f"{url}/sidecar", json=hinted(opened["sidecar"]))
    revision = answer.json()["revision"]
    assert load_hints(scans / "photo 2.hints.json").recipe == Recipe((Point(30, 40, "#2e6b3a"),))
    after = client.get(f"{url}/tiles/{revision}/0/0/0")
    assert "immutable" in after.headers["cache-control"]
    assert picture(after)[40, 30, 1] > picture(after)[40, 30, 0] + 20  # green
    assert (picture(after) != before).any()
    assert client.get(f"{url}/sidecar").json() == hinted(opened["sidecar"])
    assert client.get("/api/photos").json()["photos"][1]["hints"] == 1
    back = client.put(f"{url}/sidecar", json=opened["sidecar"]).json()["revision"]
    assert back == opened["revision"] != revision
