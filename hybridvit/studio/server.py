"""The studio's HTTP server: in the main thread for the command, in a thread of its own for notebooks."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

PORT = 8391
TRIED = 50  # ports from there on, where none was asked for
KEEP_ALIVE = (
    75  # seconds between two requests on one connection; uvicorn's 5 are what clients wait between polls
)
GRACE = 5  # seconds that requests are given to end, a picture that is being saved among them


class Server(uvicorn.Server):
    """uvicorn, that calls back once it answers, and ends soon."""

    def __init__(self, app: ASGIApp, on_start: Callable[[], None]):
        quiet = {"log_config": None, "log_level": "warning", "access_log": False, "server_header": False}
        config = uvicorn.Config(
            app,
            **quiet,
            ws="none",
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the application, then listens."""
        await super().startup(sockets=sockets)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends what is being done within `GRACE`."""
        # What is cut off then is no error that a person must read a traceback of
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets=sockets)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until told to end; then waits for requests, `GRACE`, but not for threads that go on computing."""
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(self.serve(sockets))
        finally:  # asyncio.run would wait
            loop.run_until_complete(_cancel_all())
            loop.close()


class BackgroundServer:
    """A server in a daemon thread; it answers when this is made.

    Raises RuntimeError if it does not.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket):
        started = threading.Event()
        self.port: int = listener.getsockname()[1]
        self._server = Server(app, started.set)
        self._thread = threading.Thread(
            target=self._run, args=(listener,), name="hybridvit studio", daemon=True
        )
        self._thread.start()
        while not started.wait(0.05):
            if not self.alive:
                raise RuntimeError(
                    f"the studio did not start on port {self.port}: what went wrong is said above"
                )

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        return self._thread.is_alive()

    def _run(self, listener: socket.socket) -> None:
        with contextlib.suppress(SystemExit):  # uvicorn's word for an application that did not start
            self._server.run([listener])

    def stop(self) -> None:
        """Ends it, and gives its port back."""
        self._server.should_exit = True
        self._thread.join(GRACE + 2)


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def listen(host: str, port: int | None = None) -> socket.socket:
    """A socket that listens: on `port` (0: any free one), or by default on 8391 or the next one that is free.

    Raises OSError, one line that names the remedy.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OSError(f"--host {host}: no address of this machine ({error})") from None
    for number in range(PORT, PORT + TRIED) if port is None else (port,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # elsewhere it lets two processes have one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address[0], number, *address[2:]))
            listener.listen(128)  # now, so that no other process is promised the same port
            return listener
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise OSError(f"--host {host}: this machine has no such address") from None
            if error.errno != errno.EADDRINUSE and port is not None:
                raise OSError(f"--port {port}: {error.strerror or error}; choose another, or 0") from None
    if port is None:
        raise OSError(f"the ports from {PORT} to {PORT + TRIED - 1} are taken: choose one with --port")
    raise OSError(f"--port {port} is taken: choose another, or 0 for any that is free")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower().removesuffix(".") == "localhost"


def address_of(host: str, port: int, token: str | None = None) -> str:
    """What to open in a browser; for a server on all of the machine's addresses one that others reach."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = _outward()
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?token={token}" if token else "")


def _outward() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only the route is looked up
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def locate(photo_or_folder: Path | None) -> tuple[Path | None, Path | None]:
    """The folder to walk through, and the photograph to begin with.

    Raises FileNotFoundError or ValueError, one line.
    """
    if photo_or_folder is None:
        return None, None
    if not photo_or_folder.exists():
        raise FileNotFoundError(f"{photo_or_folder}: no such file or folder")
    if photo_or_folder.is_dir():
        return photo_or_folder, None
    if not photo_or_folder.is_file():
        raise ValueError(f"{photo_or_folder}: neither a file nor a folder")
    return photo_or_folder.parent, photo_or_folder


def build(
    colorizer: Any,
    photo_or_folder: Path | None,
    *,
    output: Path | None = None,
    data: Path | None = None,
    hosts: Collection[str],
    token: str | None,
    frame_ancestors: Collection[str] = (),
    weights: str = "pretrained",
) -> ASGIApp:
    """The studio behind its gate (see `secure`); `data` is the user's data folder by default, `weights` the
    colorizer's, as a command names them.

    Raises what `locate` does.
    """
    import platformdirs

    from hybridvit.studio.app import create_app
    from hybridvit.studio.limits import BYTES
    from hybridvit.studio.security import secure

    folder, first = locate(photo_or_folder)
    data = data or platformdirs.user_data_path("hybridvit", appauthor=False) / "studio"
    app = create_app(colorizer, folder=folder, output=output, data=data, first=first, weights=weights)
    return secure(app, hosts=hosts, token=token, max_body=BYTES, frame_ancestors=frame_ancestors)


def warm_up(colorizer: Any) -> threading.Thread:
    """Compiles what the first clicks need, for lying and upright photographs, in a thread."""

    def run() -> None:
        import numpy as np

        from hybridvit.hints.recipe import Recipe
        from hybridvit.hints.shapes import Point
        from hybridvit.studio.decode import warm_up_decoder

        warm_up_decoder()
        for height, width in ((192, 256), (256, 192)):
            canvas = colorizer.open(np.zeros((height, width, 1), np.uint8))
            for recipe in (Recipe(), Recipe((Point(9, 9, "#806040"),))):
                canvas.picture(recipe)

    thread = threading.Thread(target=run, name="hybridvit warm-up", daemon=True)
    thread.start()
    return thread
