"""How much a request may bring, and how slowly: a pure ASGI middleware.

A body is refused by its Content-Length before it is read, and counted while it is; who sends it slower than `RATE`
after `PATIENCE` seconds is cut off, so that nobody holds connections and half-written files for hours.
"""

import asyncio
import json
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE = 30.0  # seconds
RATE = 16_384  # bytes a second


def limit_body(app: ASGIApp, max_body: int, patience: float = PATIENCE, rate: float = RATE) -> ASGIApp:
    """The application, to which a body that is too large or too slow looks like a client that has gone away.

    The client is answered with 413 or 408 and {"error": one line}, unless the application has answered already.

    Args:
      app: an ASGI application for HTTP.
      max_body: bytes.
      patience: seconds of waiting for a body that are free.
      rate: bytes that must come for each further second.
    """

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > max_body:
            await _send_error(send, *_too_large(max_body))
            return
        trouble: tuple[int, str] | None = None
        received, waited, whole, started = 0, 0.0, False, False

        async def receive_some() -> Message:
            nonlocal trouble, received, waited, whole
            if trouble:
                return {"type": "http.disconnect"}
            if whole:  # now it only waits to hear that the client has gone
                return await receive()
            began = time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, patience + received / rate - waited)):
                    message = await receive()
            except TimeoutError:
                trouble = 408, "the request took too long to arrive: try it again"
                return {"type": "http.disconnect"}
            waited += time.monotonic() - began
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                whole = not message.get("more_body", False)
            if received > max_body:
                trouble = _too_large(max_body)
                return {"type": "http.disconnect"}
            return message

        async def send_unless_trouble(message: Message) -> None:
            nonlocal started
            if not trouble or started:
                started = True
                await send(message)

        try:
            await app(scope, receive_some, send_unless_trouble)
        except Exception:
            if not trouble:
                raise
        if trouble and not started:
            await _send_error(send, *trouble)

    return limited


def _too_large(max_body: int) -> tuple[int, str]:
    return 413, f"the file is too large: at most {max_body / 2**20:.0f} MB are taken"


async def _send_error(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 408:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
