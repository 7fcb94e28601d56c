"""Broken uploads and requests, the same ones each time: always an answer, never a 5xx, and the studio goes on.

`python -m tests.benchmarks.studio_load --fuzz 500` sends more of them.
"""

import contextlib
import random
import socket

import httpx
import pytest

from hybridvit.studio.app import create_app
from hybridvit.studio.decode import warm_up_decoder
from hybridvit.studio.limits import BYTES
from hybridvit.studio.security import secure
from hybridvit.studio.server import BackgroundServer, listen
from tests.studio.fuzzing import broken_calls, broken_files, complaint, pictures

LOCAL = ("localhost", "127.0.0.1", "::1")


@pytest.fixture
def gated(tmp_path, scans, tiny_colorizer):
    """A client of a studio as the command runs it, and the files that there were."""
    app = create_app(tiny_colorizer, folder=scans, output=tmp_path / "out", data=tmp_path / "data")
    server = BackgroundServer(secure(app, hosts=LOCAL, token=None, max_body=BYTES), listen("127.0.0.1", 0))
    warm_up_decoder()
    address = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=address, timeout=60, verify=False, trust_env=False) as client:
        yield client
    server.stop()


def photos_of(client: httpx.Client) -> list[dict]:
    """As their pages see them."""
    listed = client.get("/api/photos").json()["photos"]
    opened = [client.get(f"/api/photos/{one['id']}") for one in listed]
    return [response.json() for response in opened if response.status_code == 200]


def places(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_sound_files_are_taken(gated):
    names = ("deep.tif", "cmyk.jpg", "rgb.avif", "palette.gif")
    for name in names:
        assert (
            gated.post("/api/photos", params={"name": name}, content=pictures()[name]).status_code == 201
        ), name


def test_broken_uploads(gated, tmp_path):
    before = places(tmp_path) | {"data"}
    answers = []
    for name, data in broken_files(random.Random(0), 16):
        response = gated.post("/api/photos", params={"name": name}, content=data)
        answers.append(response.status_code)
        assert complaint(response) is None, (name, data[:80])
        if response.status_code == 201:
            tile = gated.get(f"/api/photos/{response.json()['id']}/tiles/{response.json()['revision']}/0/0/0")
            assert tile.status_code == 200
    assert {201, 415} <= set(answers)  # some are broken, some still are pictures
    assert places(tmp_path) == before
    assert len(photos_of(gated)) == 3 + answers.count(201)


def test_broken_requests(gated, tmp_path):
    gated.post("/api/photos?name=upload.png", content=pictures()["rgba.png"]).raise_for_status()
    before = places(tmp_path) | {"out"}
    api, photos = gated.get("/openapi.json").json(), photos_of(gated)
    statuses = set()
    for call in broken_calls(api, photos, random.Random(1), 120):
        response = call.send(gated)
        statuses.add(response.status_code)
        assert complaint(response) is None, call
    assert {200, 400, 404, 405} <= statuses
    assert places(tmp_path) <= before
    assert [one["name"] for one in photos_of(gated)][:3] == ["box/deep.tif", "photo 2.png", "photo 10.jpg"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET /%zz%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 10**6 + b"\r\n\r\n",
        b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/photos HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_hardly_http(gated, raw):
    with socket.create_connection(("127.0.0.1", gated.base_url.port), timeout=20) as connection:
        answer = b""
        with contextlib.suppress(OSError):  # it may close before it has read all
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                answer += more
    assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert gated.get("/api/").status_code == 200
