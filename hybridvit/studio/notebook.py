"""The studio in a notebook: Jupyter on this machine, Jupyter of a hub, Colab.

A hub's proxy (jupyter-server-proxy) and Colab's pass requests on from addresses that are not known here. On a hub other
users may share the machine, so a token is asked for. Colab's machine is one user's, no browser runs on it, and its port
is reached by that user only; the page's origin then is under the names below.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Any

from hybridvit.studio.server import BackgroundServer, address_of, build, listen, warm_up

LOCAL = ("localhost", "127.0.0.1", "::1")
NOTEBOOKS = (
    *(f"{scheme}://{host}:*" for scheme in ("http", "https") for host in ("localhost", "127.0.0.1")),
    "vscode-webview:",
)
COLAB = ("*.colab.dev", "*.googleusercontent.com")
COLAB_PAGES = ("https://colab.research.google.com", *(f"https://{host}" for host in COLAB))


class _Running:
    """The server that was shown last, and what with."""

    server: BackgroundServer | None = None
    what: tuple[Any, ...] = ()
    colorizer: Any = None
    token: str | None = None


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
        from google.colab import output

        output.serve_kernel_port_as_iframe(port, path="/", height=str(height))
        return
    from IPython.display import IFrame, display

    if prefix is None:
        address = address_of("127.0.0.1", port)
        print(f"hybridvit studio: {address}")
    else:
        address = f"{prefix.rstrip('/')}/proxy/{port}/?token={_Running.token}"
    display(IFrame(address, "100%", height))


def _serve(colorizer: Any, folder: str | os.PathLike | None, colab: bool, hub: bool) -> int:
    """The port of a server that runs."""
    what = colorizer, folder and os.path.abspath(folder), colab, hub
    if _Running.server and _Running.server.alive and what == _Running.what:
        return _Running.server.port
    if colorizer is None:
        if _Running.colorizer is None:
            from hybridvit.inference.colorizer import load

            _Running.colorizer = load()
        colorizer = _Running.colorizer
    token = secrets.token_urlsafe(24) if hub else None
    hosts = ("*", *COLAB) if colab else ("*",) if hub else LOCAL
    pages = COLAB_PAGES if colab else ("'self'",) if hub else NOTEBOOKS
    app = build(
        colorizer, folder and Path(folder).expanduser(), hosts=hosts, token=token, frame_ancestors=pages
    )
    if _Running.server:
        _Running.server.stop()
    _Running.server, _Running.what, _Running.token = BackgroundServer(app, listen("127.0.0.1")), what, token
    warm_up(colorizer)
    return _Running.server.port
