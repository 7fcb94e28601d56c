"""What an address of the HTTP API answers: said beside the handler that does it, for the routes and for OpenAPI."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from hybridvit.studio.openapi_schemas import Json
from hybridvit.studio.studio import Studio

BYTES = "application/octet-stream"

Handler = Callable[[Studio, Request], Awaitable[Response]]


@dataclasses.dataclass(frozen=True)
class Operation:
    """A method at an address.

    Attributes:
      method, path: as in "GET", "/api/photos/{id}".
      handler: answers.
      summary: what it is for.
      answer: name of a schema, or media types; None: nothing.
      errors: statuses.
      query: names -> whether it must be there, schema.
      body: name of a schema, or the media type of bytes.
      status: of the answer.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answer: str | tuple[str, ...] | None
    errors: tuple[int, ...] = ()
    query: Mapping[str, tuple[bool, Json]] = dataclasses.field(default_factory=dict)
    body: str | None = None
    status: int = 200


def operation(
    address: str,
    summary: str,
    answer: str | tuple[str, ...] | None,
    errors: tuple[int, ...] = (),
    *,
    query: Mapping[str, tuple[bool, Json]] | None = None,
    body: str | None = None,
    status: int = 200,
) -> Callable[[Handler], Operation]:
    """Makes an Operation of its handler: `@operation("GET /api/photos", "The photographs", "Photos")`."""
    method, path = address.split()

    def describe(handler: Handler) -> Operation:
        return Operation(method, path, handler, summary, answer, errors, query or {}, body, status)

    return describe
