"""`show` where notebooks run: Jupyter, a hub, Colab, each played by a stand-in; the studio is a stand-in too."""

import os
import sys
from types import ModuleType, SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import hybridvit.studio
from hybridvit.studio import notebook


@pytest.fixture
def studio(monkeypatch, tmp_path):
    """What `show` did: the applications that it made, and the frames that it showed."""
    done = SimpleNamespace(made=[], warmed=[], frames=[], loaded=[])

    def create_app(colorizer, **places):
        done.made.append((colorizer, places))
        return Starlette(
            routes=[
                Route("/{path:path}", lambda request: PlainTextResponse("the page"), methods=["GET", "PUT"])
            ]
        )

    def load():
        done.loaded.append("pretrained")
        return done.loaded[-1]

    modules = {
        "hybridvit.studio.app": SimpleNamespace(create_app=create_app),
        "IPython": ModuleType("IPython"),
        "IPython.display": SimpleNamespace(IFrame=lambda *what: what, display=done.frames.append),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(notebook, "load", load)
    monkeypatch.setattr(notebook, "warm_up", done.warmed.append)
    monkeypatch.setattr(notebook, "_running", notebook._Running())
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(tmp_path))
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    yield done
    if notebook._running.server:
        notebook._running.server.stop()


def test_jupyter_on_this_machine(studio, capsys):
    hybridvit.studio.show(height=500)
    hybridvit.studio.show(height=600)
    (url, width, height), second = studio.frames
    assert (width, height) == ("100%", 500)
    assert second == (url, "100%", 600)
    assert len(studio.made) == len(studio.loaded) == len(studio.warmed) == 1  # the same studio
    assert f"hybridvit studio: {url}\n" in capsys.readouterr().out
    response = httpx.get(url)
    assert response.text == "the page"
    assert "frame-ancestors http://localhost:* " in response.headers["content-security-policy"]
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403


def test_another_colorizer_or_folder_takes_its_place(studio, tmp_path):
    (tmp_path / "photos").mkdir()
    hybridvit.studio.show("mine")
    hybridvit.studio.show("mine", tmp_path / "photos")
    assert [(colorizer, places["folder"]) for colorizer, places in studio.made] == [
        ("mine", None),
        ("mine", tmp_path / "photos"),
    ]
    assert not studio.loaded
    first, second = (frame[0] for frame in studio.frames)
    assert first == second  # frames of older cells show it too
    assert httpx.get(second).text == "the page"


def test_a_mistake_leaves_what_is_shown(studio, tmp_path):
    hybridvit.studio.show("mine")
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        hybridvit.studio.show("mine", tmp_path / "nowhere")
    assert httpx.get(studio.frames[0][0]).text == "the page"


@pytest.mark.parametrize("prefix", ["/user/jo/", "/user/jo"])
def test_behind_a_hub(studio, monkeypatch, prefix):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", prefix)
    hybridvit.studio.show("mine")
    path, _, query = studio.frames[0][0].partition("?")
    port = notebook._running.server.port
    assert path == f"/user/jo/proxy/{port}/"
    proxied = {"Host": "hub.example.org"}  # the proxy takes the prefix off, and leaves the host
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=proxied) as client:
        assert client.get("/").status_code == 401  # other users of the machine
        assert client.get(f"/?{query}").headers["location"] == "./"
        framed = client.get("/", headers={"Sec-Fetch-Site": "same-origin"})
    assert framed.text == "the page"
    assert framed.headers["content-security-policy"].endswith("frame-ancestors 'self'")


def test_colab(studio, monkeypatch):
    shown = []
    output = SimpleNamespace(serve_kernel_port_as_iframe=lambda port, **how: shown.append((port, how)))
    colab = ModuleType("google.colab")
    colab.output = output
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    hybridvit.studio.show("mine", height=700)
    port = notebook._running.server.port
    assert shown == [(port, {"path": "/", "height": "700"})]
    page = "8391-m-s-1.us-east1-0.prod.colab.dev"
    own = {"Host": page, "Origin": f"https://{page}"}
    response = httpx.put(f"http://127.0.0.1:{port}/api/x", headers=own)
    assert response.text == "the page"
    assert "https://colab.research.google.com" in response.headers["content-security-policy"]
    rewritten = {"Host": f"localhost:{port}", "Origin": f"https://{page}", "Sec-Fetch-Site": "cross-site"}
    assert httpx.put(f"http://127.0.0.1:{port}/api/x", headers=rewritten).status_code == 200
    rewritten["Origin"] = "https://evil.example"
    assert httpx.put(f"http://127.0.0.1:{port}/api/x", headers=rewritten).status_code == 403


def test_importing_the_package_imports_nothing_of_it():
    assert hybridvit.studio.show is notebook.show
    with pytest.raises(AttributeError):
        _ = hybridvit.studio.hide
