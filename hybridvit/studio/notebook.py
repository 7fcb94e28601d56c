"""The studio in a notebook: Jupyter on this machine, Jupyter of a hub, Colab.

A hub's proxy (jupyter-server-proxy) and Colab's pass requests on from addresses that are not known here. On a hub other
users may share the machine, so a token is asked for. Colab's machine is one user's, no browser runs on it, and its port
is reached by that user only; the page's origin then is under the names below.
"""

import dataclasses
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from hybridvit.inference.colorizer import load
from hybridvit.studio.server import BackgroundServer, address_of, build, listen, warm_up

LOCAL = ("localhost", "127.0.0.1", "::1")
NOTEBOOKS = (
    *(f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("localhost", "127.0.0.1")),
    "vscode-webview:",
)
COLAB = ("*.colab.dev", "*.googleusercontent.com")
COLAB_PAGES = ("https://colab.research.google.com", *(f"https://{host}" for host in COLAB))


@dataclasses.dataclass
class _Running:
    """The server that was shown last, and what with."""

    server: BackgroundServer | None = None
    what: tuple[Any, ...] = ()
    token: str | None = None
    pretrained: Any = None


_running = _Running()


def show(colorizer: Any = None, folder: str | os.PathLike | None = None, height: int = 800) -> None:
    """Shows the studio below the notebook's cell, and goes on: the page works beside the cells.

    Shown again with the same arguments it is the same studio, with others it takes its place.

    Args:
      colorizer: from `hybridvit.load`; the pretrained one by default.
      folder: photographs to walk through, or one to begin with; others are dropped into the page.
      height: px of the frame.

    Raises:
      FileNotFoundError, ValueError, RuntimeError, OSError: one line.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    colab = "google.colab" in sys.modules
    port = _serve(colorizer, folder, colab, prefix is not None)
    if colab:
        from google.colab import output  # pyright: ignore[reportMissingImports]

        output.serve_kernel_port_as_iframe(port, path="/", height=str(height))
        return
    from IPython.display import IFrame, display

    if prefix is None:
        address = address_of("127.0.0.1", port)
        print(f"hybridvit studio: {address}")
    else:
        address = f"{prefix.rstrip('/')}/proxy/{port}/?token={_running.token}"
    display(IFrame(address, "100%", height))


def _serve(colorizer: Any, folder: str | os.PathLike | None, colab: bool, hub: bool) -> int:
    """The port of a server that runs."""
    what = colorizer, folder and os.path.abspath(folder), colab, hub
    if _running.server and _running.server.alive and what == _running.what:
        return _running.server.port
    if colorizer is None:
        colorizer = _running.pretrained = _running.pretrained or load()
    token = secrets.token_urlsafe(24) if hub else None
    hosts = ("*", *COLAB) if colab else ("*",) if hub else LOCAL
    pages = COLAB_PAGES if colab else ("'self'",) if hub else NOTEBOOKS
    place = None if folder is None else Path(folder).expanduser()
    app = build(colorizer, place, hosts=hosts, token=token, frame_ancestors=pages)
    if _running.server:
        _running.server.stop()
    _running.server, _running.what, _running.token = BackgroundServer(app, listen("127.0.0.1")), what, token
    warm_up(colorizer)
    return _running.server.port
