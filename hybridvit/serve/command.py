"""The studio's HTTP API as a service for other software: batches, a queue, health, metrics; no page.

    hybridvit serve --port 8392
    HYBRIDVIT_TOKEN=... hybridvit serve --host 0.0.0.0 --allow https://iiif.example.org/images/

Exit codes: 2 a mistake in the command; 130 ended by Ctrl-C, 143 by SIGTERM.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from typing import NoReturn

from hybridvit.command_line import Parser, check_writable, fail, path, run_server
from hybridvit.studio.server import Server, address_of, is_loopback, listen, warm_up

PORT = 8392
TOKEN = "HYBRIDVIT_TOKEN"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parse(argv)
    try:
        _serve(options)
    except KeyboardInterrupt:
        return 130
    return 0


def run() -> NoReturn:
    """The command as a process."""
    run_server(main)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="hybridvit serve", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add(
        "--weights",
        default="pretrained",
        help="a .safetensors file, a training's folder, hf://OWNER/NAME[@REVISION], or %(default)s",
    )
    add(
        "--host", default="127.0.0.1", help="address to listen at; any but this machine's own ask for a token"
    )
    add("--port", type=int, default=PORT, help="0: any free one (%(default)s)")
    add("--data", type=path, metavar="DIR", help="folder of uploads and batches (the user's data)")
    add(
        "--queue",
        type=int,
        default=32,
        choices=range(1, 10_001),
        metavar="N",
        help="batches that may wait (32)",
    )
    add(
        "--allow",
        action="append",
        default=[],
        metavar="URL",
        help="a place that photographs are fetched from, as https://iiif.example.org/images/ (none); again for more",
    )
    add("--allow-private", action="store_true", help="allowed places may be in a private network")
    return parser.parse_args(argv)


def _serve(options: argparse.Namespace) -> None:
    try:
        check_writable("data", options.data)
        from hybridvit.serve.addresses import Allowed

        allowed = Allowed(tuple(options.allow), options.allow_private)
        for place in options.allow:
            try:
                allowed.check(place.rstrip("/") + "/x")
            except ValueError:
                raise ValueError(f"--allow {place}: not a plain http or https address") from None
        listener = listen(options.host, options.port)
        # From here on it takes seconds
        from hybridvit.inference.colorizer import load
        from hybridvit.runtime.devices import start_devices
        from hybridvit.serve.gate import build

        print(f"hybridvit: reading the weights; computing on {start_devices()}", file=sys.stderr)
        colorizer = load(options.weights)
        open_ = is_loopback(options.host)
        given = os.environ.get(TOKEN)
        token = given or (None if open_ else secrets.token_urlsafe(24))
        hosts = ("localhost", "127.0.0.1", "::1", options.host) if open_ else ("*",)
        app = build(
            colorizer,
            data=options.data,
            allowed=allowed,
            most_waiting=options.queue,
            hosts=hosts,
            token=token,
        )
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(str(error))
    port = listener.getsockname()[1]

    def greet() -> None:
        print(f"hybridvit serve: {address_of(options.host, port)}openapi.json", flush=True)
        if token and not given:
            print(f"token (or set {TOKEN}): {token}", flush=True)
        if not open_:
            print("note: what is sent is not encrypted: put a proxy with TLS before it", file=sys.stderr)
        warm_up(colorizer)

    Server(app, greet).run([listener])
