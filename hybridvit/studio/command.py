"""Colours photographs by clicking, in the browser; nothing leaves this machine.

    python -m hybridvit.studio scans/
    hybridvit studio portrait.tif

Exit codes: 2 a mistake in the command; 130 ended by Ctrl-C, as it usually is, 143 by SIGTERM.
"""

import argparse
import io
import os
import secrets
import sys
import threading
import webbrowser
from collections.abc import Sequence
from typing import NoReturn

from hybridvit.command_line import Parser, check_writable, fail, path, run_server
from hybridvit.film.names import MISSING, films_can_be_read, is_film
from hybridvit.studio.server import PORT, Server, address_of, build, is_loopback, listen, locate, warm_up

EXAMPLES = """\
examples:
  hybridvit studio                                 drop photographs into the page
  hybridvit studio portrait.tif                    begins with this one
  hybridvit studio scans/ --output coloured/       walks through a folder, its films too
  hybridvit studio --weights runs/mine             your own model
  hybridvit studio --host 0.0.0.0                  also from other machines, with a token

Hints are saved as they are made: photo.hints.json beside photo.tif, which hybridvit colorize reads too, and
reel.hints.json beside reel.mkv, which hybridvit film reads.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    options = _parse(argv)
    try:
        _serve(options)
    except KeyboardInterrupt:
        print("hybridvit: the studio has ended; your hints are saved", file=sys.stderr)
        return 130
    return 0


def run() -> NoReturn:
    """The command as a process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be in any encoding
    run_server(main)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="hybridvit studio",
        description=(__doc__ or "").split("\n")[0],
        epilog=EXAMPLES,
    )
    add = parser.add_argument
    add("photo", nargs="?", type=path, metavar="PHOTO OR FOLDER", help="to begin with")
    add(
        "--weights",
        "--checkpoint",
        dest="checkpoint",
        default="pretrained",
        help="a .safetensors file, a training's folder, hf://OWNER/NAME[@REVISION], or %(default)s",
    )
    add("--output", type=path, metavar="DIR", help="folder of the results (beside the photographs)")
    add("--data", type=path, metavar="DIR", help="folder of what is dropped into the page (the user's data)")
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen at; other than this machine's own ask for a token",
    )
    add("--port", type=_port, help=f"0: any free one ({PORT}, or the next free one)")
    add("--no-browser", action="store_true", help="only prints the address")
    return parser.parse_args(argv)


def _serve(options: argparse.Namespace) -> None:
    try:
        locate(options.photo)
        if options.photo and is_film(options.photo.name) and not films_can_be_read():
            fail(f"{options.photo}: {MISSING}")
        for flag in ("output", "data"):
            check_writable(flag, getattr(options, flag))
        listener = listen(options.host, options.port)
        # From here on it takes seconds
        from hybridvit.inference.colorizer import load
        from hybridvit.runtime.devices import start_devices

        print(f"hybridvit: reading the weights; computing on {start_devices()}", file=sys.stderr)

        colorizer = load(options.checkpoint)
        open_ = is_loopback(options.host)
        token = None if open_ else secrets.token_urlsafe(24)
        hosts = ("localhost", "127.0.0.1", "::1", options.host) if open_ else ("*",)
        app = build(
            colorizer,
            options.photo,
            output=options.output,
            data=options.data,
            hosts=hosts,
            token=token,
            weights=options.checkpoint,
        )
    except (ValueError, OSError, ModuleNotFoundError) as error:
        fail(str(error))
    port = listener.getsockname()[1]

    def greet() -> None:
        address = address_of(options.host, port, token)
        print(f"hybridvit studio: {address}", flush=True)
        print("Ctrl-C ends it.", file=sys.stderr)
        if token:
            print(
                "note: who knows this address can use it, and what is sent is not encrypted", file=sys.stderr
            )
        if not options.no_browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        warm_up(colorizer)

    Server(app, greet).run([listener])


def _has_screen() -> bool:
    """Without one, `webbrowser` would start a browser for terminals in this one."""
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 to 65535")
    return int(text)
