"""A folder as a plain web server gives it, with no header of ours: for tests of pages that need nothing more."""

import contextlib
import functools
import http.server
import pathlib
import threading
from collections.abc import Iterator

TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}


class Site:
    """Attributes: `address`, with a slash at its end, and `asked`, the paths that were asked for, in order."""

    def __init__(self, address: str):
        self.address = address
        self.asked: list[str] = []


@contextlib.contextmanager
def serve(folder: pathlib.Path, port: int = 0) -> Iterator[Site]:
    """Serves it at 127.0.0.1 until the end of the block."""
    site = Site("")

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}  # noqa: RUF012
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append(self.path)
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), functools.partial(Handler, directory=str(folder))
    )
    site.address = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
