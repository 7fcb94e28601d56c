import io
import json
import threading
import zipfile

import jsonschema
import numpy as np
import pytest
from PIL import Image

from hybridvit.inference.colorizer import Colorizer
from hybridvit.serve import archives
from hybridvit.serve.app import describe_service
from hybridvit.serve.archives import unpack
from tests.serve.conftest import StubPredict, picture, wait, zipped


def results(client, batch) -> dict[str, bytes]:
    answer = client.get(f"/api/batches/{batch['id']}/result")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_a_zip_comes_back_in_colour_with_its_hints_and_says_what_failed(enter):
    client = enter()
    hints = {"version": 1, "picture": {"width": 24, "height": 24}, "hints": []}
    hints["hints"].append({"type": "point", "x": 12, "y": 12, "color": "#2e6b3a"})
    body = zipped(
        **{"box/a.png": picture(), "box/a.hints.json": json.dumps(hints).encode(), "b.png": picture(30)},
        **{"broken.png": b"no picture", "notes.txt": b"left alone", "__MACOSX/._a.png": b"x"},
    )
    answer = client.post("/api/batches?format=tiff&decode=mean&size=32", content=body)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/batches/{answer.json()['id']}"
    said = wait(client, answer.json())
    schemas = describe_service()["components"]
    jsonschema.validate(said, {"$ref": "#/components/schemas/Batch", "components": schemas})
    assert (said["state"], said["total"], said["coloured"]) == ("done", 3, 2)
    assert list(said["failed"]) == ["broken.png"]
    assert "/" not in said["failed"]["broken.png"].replace("and/or", "")  # no path of the server
    found = results(client, said)
    assert sorted(found) == ["b.tif", "box/a.tif"]
    first, second = (np.asarray(Image.open(io.BytesIO(found[name]))) for name in ("box/a.tif", "b.tif"))
    assert second.shape == (30, 30, 3)
    assert second[15, 15, 0] > second[15, 15, 1]
    assert first[12, 12, 1] > first[12, 12, 0]  # the hint is green
    assert client.delete(f"/api/batches/{said['id']}").status_code == 204
    assert client.get(f"/api/batches/{said['id']}").status_code == 404


class SlowPredict(StubPredict):
    def __init__(self):
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, L, hints=None):
        self.began.set()
        assert self.go.wait(30)
        return super().__call__(L, hints)


def test_a_full_queue_says_when_to_come_again(enter):
    slow = SlowPredict()
    client = enter(queue=2, colorizer=Colorizer(slow))
    try:
        running = client.post("/api/batches", content=zipped(**{"a.png": picture()})).json()
        assert slow.began.wait(30)
        waiting = [client.post("/api/batches", content=zipped(**{"a.png": picture()})).json() for _ in "ab"]
        assert [one["before"] for one in waiting] == [1, 2]
        refused = client.post("/api/batches", content=zipped(**{"a.png": picture()}))
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"].startswith("the queue is full: come again in ")
        early = client.get(f"/api/batches/{running['id']}/result")
        assert (early.status_code, early.json()["error"]) == (
            409,
            "the batch is running: ask again when it is done",
        )
        assert client.delete(f"/api/batches/{running['id']}").status_code == 409
        assert client.delete(f"/api/batches/{waiting[0]['id']}").status_code == 204  # there is room again
        metrics = client.get("/metrics").text
        assert "hybridvit_batches_waiting 1\n" in metrics
        assert "hybridvit_batches_refused_total 1\n" in metrics
    finally:
        slow.go.set()
    assert wait(client, waiting[1])["state"] == "done"
    metrics = client.get("/metrics").text
    assert 'hybridvit_photographs_total{outcome="coloured"} 2\n' in metrics
    assert 'hybridvit_requests_total{method="POST",status="429"} 1\n' in metrics


def test_who_has_no_token_learns_its_health_alone(enter):
    client = enter()
    assert client.get("/health").json() == {"status": "ok", "model": "stub", "waiting": 0}
    assert client.get("/api/").json()["name"]  # the studio's API is there
    assert client.get("/").status_code == 404  # and its page is not
    client.headers.pop("Authorization")
    assert client.get("/health").status_code == 200
    for method, path in (
        ("GET", "/metrics"),
        ("POST", "/api/batches"),
        ("GET", "/openapi.json"),
        ("GET", "/api/"),
    ):
        assert client.request(method, path).status_code == 401, path


def test_a_black_pixel_has_no_lightness_below_zero(enter):
    """Found by schemathesis over the whole API."""
    client, file = enter(), io.BytesIO()
    Image.fromarray(np.zeros((24, 24), np.uint8)).save(file, "png")
    photo = client.post("/api/photos?name=black.png", content=file.getvalue()).json()["id"]
    assert client.get(f"/api/photos/{photo}/gamut?x=0&y=0").json() == {"lightness": 0.0}


@pytest.mark.parametrize(
    ("query", "body", "status", "said"),
    [
        ("", b"no zip", 400, "the body is no zip"),
        ("", b"", 400, "the request is empty"),
        ("?format=bmp", b"", 400, "is none of"),
        ("?strength=-1", b"", 400, "strength: "),
        ("?size=9999", b"", 400, "size: "),
    ],
)
def test_mistakes(enter, query, body, status, said):
    answer = enter().post(f"/api/batches{query}", content=body)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_batch_that_cannot_be_unpacked_fails_and_the_next_does_not(enter):
    client = enter()
    broken = zipped(**{"a.png": picture()})[:-30]
    first = client.post("/api/batches", content=broken).json()
    second = client.post("/api/batches", content=zipped(**{"a.png": picture()})).json()
    assert wait(client, first)["error"].startswith("it is no sound zip")
    assert wait(client, second)["coloured"] == 1


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png", "..\\a.png", "C:/a.png"])
def test_no_archive_points_out_of_its_folder(name, tmp_path):
    (inner := tmp_path / "in").mkdir()
    (archive := tmp_path / "a.zip").write_bytes(zipped(**{name: picture()}))
    with pytest.raises(ValueError, match="points out of the archive"):
        unpack(archive, inner)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_what_unpacks_to_too_much_or_holds_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "BATCH_BYTES", 2**20)
    for files, said in (
        ({"bomb.png": bytes(2**21)}, "unpacks to more than 1 MB"),
        ({"a.txt": b"x"}, "no photograph"),
    ):
        (archive := tmp_path / "a.zip").write_bytes(zipped(**files))
        with pytest.raises(ValueError, match=said):
            unpack(archive, tmp_path)
