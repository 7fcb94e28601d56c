"""Flags, messages, signals, exit codes. The model is a stub but for one test."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import pytest
from PIL import Image

from hybridvit.studio import command

SECONDS = 120  # that a process is given to end
STUB = """
import asyncio, sys
from types import ModuleType
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def endless(request):
    await asyncio.to_thread(__import__("threading").Event().wait)

app, colorizer = ModuleType("app"), ModuleType("colorizer")
routes = [Route("/", lambda request: PlainTextResponse("the page")), Route("/endless", endless)]
app.create_app = lambda colorizer, **places: Starlette(routes=routes)
colorizer.load = lambda path: path
sys.modules |= {"hybridvit.studio.app": app, "hybridvit.inference.colorizer": colorizer}
from hybridvit.studio import command, server
command.warm_up, server.GRACE = print, 1
command.run()
"""


@pytest.fixture
def start():
    """`start(*arguments, stub=True) -> (process, address)` of a studio that listens."""
    started = []

    def start(*arguments, stub=True):
        python = [sys.executable, *(("-c", STUB) if stub else ("-m", "hybridvit.studio"))]
        process = subprocess.Popen(
            [*python, *arguments, "--no-browser", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        line = process.stdout.readline()
        assert line.startswith("hybridvit studio: "), line or process.communicate()[1]
        return process, line.split()[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def mistake(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as exit_:
        command.main([*arguments, "--no-browser"])
    assert exit_.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = [
        line
        for line in said.err.splitlines()
        if not line.startswith("hybridvit: reading the weights; computing on ")
    ]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nowhere", "hybridvit: nowhere: no such file or folder"),
        ("a b", "hybridvit: unrecognized arguments: b (see hybridvit studio --help)"),
        (
            "--prot 3",
            "hybridvit: unrecognized arguments: --prot; did you mean --port? (see hybridvit studio --help)",
        ),
        ("--port 65536", "hybridvit: argument --port: '65536' is not a port: a whole number from 0 to 65535"),
        ("--port -1", "hybridvit: argument --port: '-1' is not a port"),
        ("--port x", "hybridvit: argument --port: 'x' is not a port"),
        ("--host 192.0.2.1 --port 0", "hybridvit: --host 192.0.2.1: this machine has no such address"),
        ("--host nothing.invalid", "hybridvit: --host nothing.invalid: no address of this machine"),
        ("--output a.png", "hybridvit: --output a.png: a file of that name is there; name a folder"),
        ("--data a.png/x", "hybridvit: --data a.png/x: nothing can be written there (Not a directory)"),
        ("--checkpoint nowhere.safetensors", "hybridvit: no weights at nowhere.safetensors: "),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, line, said):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (4, 4)).save("a.png")
    assert mistake(capsys, *line.split()).startswith(said)


def test_a_failed_start_leaves_no_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = ("--output", "deep/out", "--data", "data", "--checkpoint", "nowhere.safetensors")
    assert "no weights" in mistake(capsys, *flags)
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken(capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = mistake(capsys, "--port", str(port))
    assert said == f"hybridvit: --port {port} is taken: choose another, or 0 for any that is free"


@pytest.fixture
def played(monkeypatch):
    """The command without model, application and server; what became of the browser and the gate."""
    done = SimpleNamespace(opened=[], gates=[])

    class Server:
        def __init__(self, app, on_start):
            self.on_start = on_start

        def run(self, sockets):
            self.on_start()
            for one in sockets:
                one.close()
            raise KeyboardInterrupt

    def build(colorizer, photo, **how):
        done.gates.append(how)

    monkeypatch.setitem(sys.modules, "hybridvit.inference.colorizer", SimpleNamespace(load=lambda path: path))
    monkeypatch.setattr(command, "Server", Server)
    monkeypatch.setattr(command, "build", build)
    monkeypatch.setattr(command, "warm_up", lambda colorizer: None)
    monkeypatch.setattr(command.webbrowser, "open", done.opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    return done


def test_on_this_machine_without_a_token(played, capsys):
    assert command.main(["--port", "0"]) == 130
    said = capsys.readouterr()
    address = re.fullmatch(r"hybridvit studio: (http://127\.0\.0\.1:\d+/)\n", said.out)[1]
    wait_for(lambda: played.opened)
    assert played.opened == [address]
    assert played.gates[0]["token"] is None
    assert set(played.gates[0]["hosts"]) == {"localhost", "127.0.0.1", "::1"}
    assert "your hints are saved" in said.err


def test_for_other_machines_with_one(played, capsys):
    assert command.main(["--port", "0", "--host", "0.0.0.0", "--no-browser"]) == 130
    said = capsys.readouterr()
    token = re.search(r":\d+/\?token=([\w-]{32,})\n", said.out)[1]
    own = {"output": None, "data": None, "weights": "pretrained"}
    assert played.gates[0] == {**own, "hosts": ("*",), "token": token}
    assert "not encrypted" in said.err
    assert not played.opened


def test_no_browser_where_there_is_no_screen(played, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert command.main(["--port", "0"]) == 130
    time.sleep(0.1)
    assert not played.opened


def wait_for(condition, seconds: float = 10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_whatever_is_being_done(start, number, code):
    process, address = start()
    with httpx.Client(base_url=address) as client:
        assert client.get("/").text == "the page"
        with pytest.raises(httpx.TimeoutException):
            client.get("endless", timeout=0.2)
        process.send_signal(number)
        _, err = process.communicate(timeout=SECONDS)  # the request would not end
    assert process.returncode == code
    assert "Traceback" not in err


def test_the_whole(start, tmp_path):
    photo = tmp_path / "photos" / "a.png"
    photo.parent.mkdir()
    Image.linear_gradient("L").resize((40, 30)).save(photo)
    process, address = start(os.fspath(photo), "--data", os.fspath(tmp_path / "data"), stub=False)
    with httpx.Client(base_url=address) as client:
        assert "text/html" in client.get("/").headers["content-type"]
        about = client.get("api/").json()
        assert about["model"]["name"]
        assert about["folder"] == "photos"
        assert [one["name"] for one in client.get("api/photos").json()["photos"]] == ["a.png"]
        assert client.get("api/", headers={"Host": "evil.example"}).status_code == 403
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 143
