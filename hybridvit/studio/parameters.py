"""What requests say, checked: each mistake is an HTTPException of 4xx with one line that names it."""

import json
import math
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from hybridvit.hints.shapes import shown

MOST_JSON = 2**20  # bytes of a request's body, sidecars aside


def number(request: Request, name: str, least: int, below: int) -> float:
    """A number of the query, at least `least` and below `below`."""
    text = _given(request, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < below:
        raise HTTPException(400, f"{name}: {shown(text)} is not a number from {least} to below {below}")
    return value


def whole(name: str, text: str, least: int, most: int) -> int:
    """A whole number in decimal digits."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else least - 1
    if not least <= value <= most:
        raise HTTPException(400, f"{name}: {shown(text)} is not a whole number from {least} to {most}")
    return value


def one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    """A text that is one of those."""
    if not isinstance(value, str) or value not in known:
        raise HTTPException(400, f"{name}: {shown(value)} is none of {', '.join(known)}")
    return value


async def body(request: Request, most: int) -> bytes:
    """The whole body; 413 if it has more than `most` bytes."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise HTTPException(413, f"the request has more than {most} bytes")
    return bytes(received)


async def json_object(request: Request, known: tuple[str, ...]) -> dict[str, Any]:
    """The body as a JSON object with these fields at most; nothing is as good as {}."""
    text = await body(request, MOST_JSON)
    try:
        data = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request is not JSON") from None
    if not isinstance(data, dict):
        raise HTTPException(400, f"{shown(data)} is not a JSON object")
    for name in data:
        if name not in known:
            raise HTTPException(400, f"{shown(name)}: no such field, only {', '.join(known)}")
    return data


def _given(request: Request, name: str) -> str:
    text = request.query_params.get(name)
    if text is None:
        raise HTTPException(400, f"{name}: it is missing; add ?{name}=... to the address")
    return text
