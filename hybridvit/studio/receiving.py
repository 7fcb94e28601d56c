"""A request's body on its way to the disk, without much of it in memory."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from hybridvit.studio.limits import BYTES
from hybridvit.studio.workers import Workers

_PIECE = 2**20  # bytes that are written at a time


async def receive(request: Request, workers: Workers, write: Callable[[bytes], object]) -> None:
    """Hands the body to `write`, in a thread, piece by piece; 413 if it is too large, 400 if it is empty."""
    pending, received = bytearray(), 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > BYTES:
            raise HTTPException(413, f"the file is too large: at most {BYTES // 2**20} MB are taken")
        pending += chunk
        if len(pending) >= _PIECE:
            await workers.run("files", write, bytes(pending))
            pending.clear()
    if not received:
        raise HTTPException(400, "the request is empty: send a picture's bytes")
    await workers.run("files", write, bytes(pending))
