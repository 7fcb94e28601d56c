import dataclasses

import numpy as np
import pytest

from hybridvit.colorize.batch import colorize_files
from hybridvit.colorize.inputs import find_sources
from hybridvit.colorize.naming import plan
from hybridvit.colorize.summary import Summary
from hybridvit.hints.sidecar import load_hints


@pytest.fixture
def coloured(tmp_path, scans, stub_colorizer):
    """Results of two of the three photographs."""
    output = tmp_path / "coloured"
    jobs = plan(find_sources([str(scans)], output).sources, output).jobs
    jobs = [job for job in jobs if job.source.suffix != ".tif"]
    colorize_files(stub_colorizer, jobs, Summary(total=2), sidecar_of=lambda path: None)
    return output


@pytest.fixture
def client(enter, coloured):
    return enter(output=coloured)


def by_name(client) -> dict[str, dict]:
    return {one["name"]: one for one in client.get("/api/review").json()["photos"]}


def test_the_queue_says_what_there_is(client):
    queue = client.get("/api/review").json()["photos"]
    assert [one["name"] for one in queue][-1] == "box/deep.tif"  # not coloured: nothing is in doubt
    assert queue[0]["doubt"] == pytest.approx(0.7)
    assert {one["state"] for one in queue} == {"unreviewed"}
    assert queue[-1]["colored"] is None


def test_a_verdict_is_in_the_sidecar_and_who_comes_second_looks_again(client, scans):
    one = by_name(client)["photo 2.png"]
    address, match = f"/api/photos/{one['id']}/review", {"If-Match": f'"{one["revision"]}"'}
    said = client.put(address, json={"state": "accepted", "by": "Ada"}, headers=match).json()
    review = load_hints(scans / "photo 2.hints.json").review
    assert dataclasses.asdict(review) == {name: said[name] for name in ("state", "by", "when")}
    late = client.put(address, json={"state": "rejected", "by": "Bob"}, headers=match)
    assert late.status_code == 409
    assert "meanwhile" in late.json()["error"]
    assert by_name(client)["photo 2.png"]["state"] == "accepted"
    again = client.put(address, json={"state": "redo"}, headers={"If-Match": f'"{said["revision"]}"'})
    assert again.json()["state"] == "redo"


def test_new_hints_are_for_a_new_review(client, scans):
    one = by_name(client)["photo 2.png"]
    client.put(f"/api/photos/{one['id']}/review", json={"state": "accepted"})
    sidecar = client.get(f"/api/photos/{one['id']}").json()["sidecar"]
    sidecar.pop("review", None)
    sidecar["hints"] = [{"type": "point", "x": 5, "y": 5, "color": "#2e6b3a"}]
    client.put(f"/api/photos/{one['id']}/sidecar", json=sidecar)
    assert by_name(client)["photo 2.png"]["state"] == "unreviewed"


def test_pictures_of_result_and_original(client):
    photos = by_name(client)
    address = f"/api/photos/{photos['photo 2.png']['id']}/review/picture"
    result, original = (client.get(address, params={"of": of}) for of in ("result", "original"))
    assert result.headers["content-type"] == original.headers["content-type"] == "image/jpeg"
    assert result.content != original.content
    assert client.get(address, headers={"If-None-Match": result.headers["etag"]}).status_code == 304
    none = client.get(f"/api/photos/{photos['box/deep.tif']['id']}/review/picture")
    assert (none.status_code, none.json()["error"]) == (404, "box/deep.tif: it has no result yet")


def test_an_accepted_result_is_exported_once(client, coloured, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    one = by_name(client)["photo 2.png"]
    address, folder = f"/api/photos/{one['id']}/review/export", {"folder": "out"}
    assert client.post(address, json=folder).status_code == 409  # nobody accepted it
    client.put(f"/api/photos/{one['id']}/review", json={"state": "accepted"})
    first, second = (client.post(address, json=folder).json() for _ in range(2))
    copy = tmp_path / "out" / "photo 2.png"
    assert (first, second["copied"]) == ({"file": str(copy), "copied": True}, False)
    assert copy.read_bytes() == (coloured / "photo 2.png").read_bytes()
    copy.write_bytes(b"another's")
    assert "choose another folder" in client.post(address, json=folder).json()["error"]
    assert copy.read_bytes() == b"another's"
    assert client.post(address, json={"folder": "/etc"}).status_code == 400


def test_small_pictures_are_made_once(client, enter, coloured, monkeypatch):
    one = by_name(client)["photo 2.png"]
    asked = {"size": "small", "tag": one["colored"]}
    first = client.get(f"/api/photos/{one['id']}/review/picture", params=asked)
    assert "immutable" in first.headers["cache-control"]
    another = enter(output=coloured)  # started anew, with the same data
    monkeypatch.setattr("hybridvit.studio.review_routes.decode_photo", None)
    assert another.get(f"/api/photos/{one['id']}/review/picture", params=asked).content == first.content


@pytest.mark.parametrize(
    "body", [{"state": "fine"}, {}, {"state": "redo", "by": "a\nb"}, {"state": "redo", "x": 1}]
)
def test_mistakes(client, body):
    one = by_name(client)["photo 2.png"]
    answer = client.put(f"/api/photos/{one['id']}/review", json=body)
    assert answer.status_code == 400
    assert np.char.count(answer.json()["error"], "\n") == 0
