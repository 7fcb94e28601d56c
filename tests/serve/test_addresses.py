import pathlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hybridvit.serve.addresses import Allowed, fetch
from tests.serve.conftest import picture, wait


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        found = {
            "/iiif/one/full/max/0/default.jpg": (200, "image/png", picture()),
            "/iiif/moved": (302, "image/png", b""),
            "/iiif/page": (200, "text/html", b"<p>"),
        }
        status, kind, data = found.get(self.path, (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 302:
            self.send_header("Location", "http://169.254.169.254/")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def images():
    """Address of a server of images on the loopback address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_images_of_an_allowed_place_are_fetched_and_coloured(enter, images):
    client = enter(allowed=Allowed((f"{images}/iiif/",), private=True))
    urls = [
        f"{images}/iiif/one/info.json",
        f"{images}/iiif/none",
        f"{images}/iiif/moved",
        f"{images}/iiif/page",
    ]
    answer = client.post("/api/batches/urls?size=32", json={"urls": urls})
    assert answer.status_code == 202
    said = wait(client, answer.json())
    assert (said["state"], said["total"], said["coloured"]) == ("done", 4, 1)
    assert set(said["failed"]) == set(urls[1:])
    assert "answered with 404" in said["failed"][urls[1]]
    assert "answered with 302" in said["failed"][urls[2]]  # it is not followed
    assert "no picture" in said["failed"][urls[3]]


def test_other_places_are_refused_before_anything_is_fetched(enter, images):
    client = enter(allowed=Allowed((f"{images}/iiif",), private=True))
    for url in (
        f"{images}/other/a.jpg",
        f"{images}/iiif-private/a.jpg",
        f"{images}/iiif/../other/a.jpg",
        f"{images}/iiif/%2e%2e/other/a.jpg",
        images.replace("http://", "http://x@") + "/iiif/a.jpg",
        images.replace("http://", "https://") + "/iiif/a.jpg",
        "file:///etc/passwd",
        "gopher://127.0.0.1/iiif/",
        "http://127.0.0.1:1/iiif/a.jpg",
        "http://[::1/iiif/",
    ):
        answer = client.post("/api/batches/urls", json={"urls": [url]})
        assert answer.status_code == 403, url
    for body in ({}, {"urls": []}, {"urls": [3]}, {"urls": "x"}, {"url": []}):
        assert client.post("/api/batches/urls", json=body).status_code == 400, body
    assert enter().post("/api/batches/urls", json={"urls": [f"{images}/iiif/a"]}).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "169.254.169.254",
        "192.168.1.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_name_that_leads_into_a_network_is_not_fetched(address, monkeypatch, tmp_path: pathlib.Path):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(socket.AF_INET, 1, 6, "", ("93.184.215.14", 443)), (family, 1, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(
        ValueError, match=r"https://iiif.example.org/a: iiif.example.org is in a private network"
    ):
        fetch("https://iiif.example.org/a", Allowed(("https://iiif.example.org",)), tmp_path, 1)
