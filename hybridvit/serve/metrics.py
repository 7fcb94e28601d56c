"""Requests counted, and held back where there are too many at once; what Prometheus is told."""

import json
from collections import Counter
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hybridvit.serve.batches import Batches
from hybridvit.serve.limits import IN_FLIGHT


class Requests:
    """Counts by method and status; `in_flight` are being answered."""

    def __init__(self):
        self.answered: Counter[tuple[str, int]] = Counter()
        self.in_flight = 0

    def watch(self, app: ASGIApp, health: ASGIApp, most: int = IN_FLIGHT) -> ASGIApp:
        """The application, counted; over `most` requests at a time are answered with 429. /health goes to `health`."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return

            async def send_counted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self.answered[_method(scope), message["status"]] += 1
                await send(message)

            if scope["path"] == "/health" and scope["method"] in ("GET", "HEAD"):
                await health(scope, receive, send_counted)
                return
            if self.in_flight >= most:
                await _refuse(send_counted)
                return
            self.in_flight += 1
            try:
                await app(scope, receive, send_counted)
            finally:
                self.in_flight -= 1

        return watched


def metrics_text(batches: Batches, requests: Requests) -> str:
    """In Prometheus' text format, version 0.0.4."""
    lines: list[str] = []

    def tell(name: str, kind: str, what: str, values: Mapping[str, float | int]) -> None:
        lines.extend([f"# HELP hybridvit_{name} {what}", f"# TYPE hybridvit_{name} {kind}"])
        lines.extend(f"hybridvit_{name}{labels} {value:g}" for labels, value in values.items())

    counts = {
        f'{{method="{method}",status="{status}"}}': float(count)
        for (method, status), count in sorted(requests.answered.items())
    }
    tell("requests_total", "counter", "Requests answered.", counts)
    tell("requests_in_flight", "gauge", "Requests being answered.", {"": requests.in_flight})
    tell("batches_waiting", "gauge", "Batches in the queue.", {"": batches.waiting()})
    ended = {f'{{state="{state}"}}': float(count) for state, count in batches.ended.items()}
    tell("batches_total", "counter", "Batches that have ended.", ended)
    tell("batches_refused_total", "counter", "Batches refused, the queue being full.", {"": batches.refused})
    tell("batch_seconds_total", "counter", "Seconds of all batches.", {"": batches.seconds})
    pictures = {f'{{outcome="{outcome}"}}': float(count) for outcome, count in batches.pictures.items()}
    tell("photographs_total", "counter", "Photographs of batches.", pictures)
    return "\n".join(lines) + "\n"


def _method(scope: Scope) -> str:
    """Strangers shall not fill the memory with names of methods."""
    known = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
    return scope["method"] if scope["method"] in known else "other"


async def _refuse(send: Send) -> None:
    body = json.dumps({"error": "too many requests at once: come again in a second"}).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1"), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})
