"""Answers: JSON, pictures, errors as {"error": one line}."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from hybridvit.colorize.batch import NO_ROOM
from hybridvit.colorize.summary import explain

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
CHECKED = {"Cache-Control": "private, no-cache"}  # kept, but asked for whether it still is so


def as_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that nobody keeps."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return Response(text, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def tagged(request: Request, tag: str) -> tuple[dict[str, str], Response | None]:
    """Headers of an answer that is called `tag`, and the 304 to give if the client has it already."""
    headers = {**CHECKED, "ETag": f'"{tag}"'}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return headers, Response(status_code=304, headers=headers) if headers["ETag"] in known else None


class WholeFile(FileResponse):
    """A file, all of it: a Range, sound or broken, is passed over, as a server may."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers."""
        self.headers["accept-ranges"] = "none"
        asked = [pair for pair in scope["headers"] if pair[0] != b"range"]
        await super().__call__({**scope, "headers": asked}, receive, send)


async def refusal(request: Request, error: HTTPException) -> Response:
    """What is wrong with the request; of paths and methods that there are not, too."""
    known = {
        404: "there is nothing at this address",
        405: f"{request.method} is not possible at this address",
    }
    standard = error.detail in ("Not Found", "Method Not Allowed")
    text = known.get(error.status_code, error.detail) if standard else error.detail
    return as_json({"error": " ".join(text.split())}, error.status_code, error.headers)


async def failure(request: Request, error: Exception) -> Response:
    """What is wrong with the studio, or with its disk; the server logs where."""
    full = isinstance(error, OSError) and error.errno in NO_ROOM
    return as_json({"error": explain(error)}, 507 if full else 500)


async def gone(request: Request, error: ClientDisconnect) -> Response:
    """Nobody reads it."""
    return as_json({"error": "the request ended before all of it had come"}, 400)
