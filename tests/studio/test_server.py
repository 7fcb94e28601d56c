"""Ports, addresses, and a server in a thread."""

import contextlib
import socket
import threading
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hybridvit.studio import server
from hybridvit.studio.server import BackgroundServer, address_of, is_loopback, listen, locate


@pytest.fixture
def taken():
    """A port that is taken."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_the_default_port_or_the_next_free_one(taken, monkeypatch):
    monkeypatch.setattr(server, "PORT", taken)
    with listen("127.0.0.1") as first, listen("127.0.0.1") as second:
        ports = [one.getsockname()[1] for one in (first, second)]
    assert taken < ports[0] < ports[1] < taken + server.TRIED


def test_a_port_that_was_asked_for_is_that_or_none(taken):
    with pytest.raises(OSError, match=f"^--port {taken} is taken: choose another, or 0"):
        listen("127.0.0.1", taken)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with listen("127.0.0.1", port) as again:
        assert again.getsockname() == ("127.0.0.1", port)


def test_all_are_taken(taken, monkeypatch):
    monkeypatch.setattr(server, "PORT", taken)
    monkeypatch.setattr(server, "TRIED", 1)
    with pytest.raises(
        OSError, match=f"^the ports from {taken} to {taken} are taken: choose one with --port"
    ):
        listen("127.0.0.1")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "x" * 70])
def test_hosts_that_are_none(host):
    with pytest.raises(OSError, match=f"^--host {host}: "):
        listen(host)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *[(host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST")],
        *[
            (host, False)
            for host in ("0.0.0.0", "::", "192.168.1.5", "localhost.example.org", "", "10.0.0.1")
        ],
    ],
)
def test_loopback(host, loopback):
    assert is_loopback(host) == loopback


def test_addresses():
    assert address_of("127.0.0.1", 8391) == "http://127.0.0.1:8391/"
    assert address_of("::1", 8391) == "http://[::1]:8391/"
    assert address_of("192.168.1.5", 80, "abc") == "http://192.168.1.5:80/?token=abc"
    for everywhere in ("0.0.0.0", "::"):
        assert everywhere not in address_of(everywhere, 1)


def test_what_to_begin_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = Path("a.tif")
    photo.touch()
    assert locate(None) == (None, None)
    assert locate(tmp_path) == (tmp_path, None)
    assert locate(photo) == (Path(), photo)
    with pytest.raises(FileNotFoundError, match=r"^nowhere\.tif: no such file or folder$"):
        locate(Path("nowhere.tif"))


def greeting(what: str) -> Starlette:
    return Starlette(routes=[Route("/", lambda request: PlainTextResponse(what))])


def test_in_the_background_and_gone_again():
    first = BackgroundServer(greeting("one"), listen("127.0.0.1", 0))
    assert first.alive
    assert httpx.get(f"http://127.0.0.1:{first.port}/").text == "one"
    first.stop()
    assert not first.alive
    second = BackgroundServer(greeting("two"), listen("127.0.0.1", first.port))
    with contextlib.closing(httpx.Client()) as client:  # a connection that is kept open does not hold it up
        assert client.get(f"http://127.0.0.1:{second.port}/").text == "two"
        second.stop()
    assert not second.alive
    assert "hybridvit studio" not in [thread.name for thread in threading.enumerate()]


def test_an_application_that_does_not_start():
    @contextlib.asynccontextmanager
    async def lifespan(app):
        raise OSError("no disk")
        yield

    with pytest.raises(RuntimeError, match="did not start"):
        BackgroundServer(Starlette(lifespan=lifespan), listen("127.0.0.1", 0))
