"""The HTTP API in the words of OpenAPI 3.1, for scripts and for those who write them."""

import dataclasses
import re

from hybridvit.hints.settings import LARGEST_SEED
from hybridvit.studio.openapi_schemas import (
    FORMAT,
    NUMBER,
    REVISION,
    TEXT,
    WHOLE,
    Json,
    all_schemas,
    reference,
)
from hybridvit.version import VERSION

ABOUT = """\
Colours photographs by hints. A photograph has a sidecar, the JSON that `hybridvit colorize` reads too: hints, palette,
settings, protected areas. A sidecar that is put has a revision; tiles are asked for by it, and never change.

    POST /api/photos?name=photo.tif           the file's bytes  -> its id
    PUT  /api/photos/{id}/sidecar             hints             -> a revision
    GET  /api/photos/{id}/tiles/{revision}/0/0/0                -> the upper left tile in full resolution
    POST /api/photos/{id}/save                                  -> the whole picture, as a file

Mistakes are answered with 4xx and {"error": "one line"}. Where the studio asks for a token (as it does if it listens to
other machines), send it as `Authorization: Bearer ...`.
"""
ERRORS = {  # those that any address may answer with are left out
    400: "a mistake in the request",
    403: "a photograph of the folder",
    404: "there is no such thing",
    409: "something else stands against it; it says what",
    410: "the revision is not known any more: put the sidecar again",
    413: "too large",
    415: "not a picture, damaged, or of too many pixels",
    422: "the photograph cannot be opened",
}
_PATH_SCHEMAS = {
    "id": TEXT,
    "what": {"description": '"original", or a revision', "anyOf": [{"const": "original"}, REVISION]},
    "seed": {"type": "integer", "minimum": 0, "maximum": LARGEST_SEED},
} | dict.fromkeys(("level", "row", "column"), WHOLE)
_BYTES = "application/octet-stream"
_JSON = "application/json"
_XY = {"x": (True, NUMBER), "y": (True, NUMBER)}
_REVISION = {"revision": (False, REVISION)}
_AHEAD = {  # of the colours, with which the photograph is coloured in advance, as if each were chosen there
    "ahead": (False, {"type": "integer", "minimum": 0, "maximum": 2, "default": 0})
}
_COUNT = {"count": (False, {"type": "integer", "minimum": 1, "maximum": 10, "default": 3})}


@dataclasses.dataclass(frozen=True)
class Operation:
    """What an address answers.

    Attributes:
      summary: what it is for.
      answer: name of a schema, or media types; None: nothing.
      errors: statuses.
      query: names -> whether it must be there, schema.
      body: name of a schema, or the media type of bytes.
      status: of the answer.
    """

    summary: str
    answer: str | tuple[str, ...] | None
    errors: tuple[int, ...] = ()
    query: dict[str, tuple[bool, Json]] = dataclasses.field(default_factory=dict)
    body: str | None = None
    status: int = 200


OPERATIONS = {
    "GET /api/": Operation("About this studio", "Info"),
    "GET /api/photos": Operation("The folder's photographs, and the uploads, the newest last", "Photos"),
    "POST /api/photos": Operation(
        "Upload a photograph; the same bytes are the same photograph",
        "Photo",
        (400, 413, 415),
        {"name": (False, TEXT)},
        _BYTES,
        201,
    ),
    "GET /api/photos/{id}": Operation("Open a photograph", "Photo", (404, 422)),
    "DELETE /api/photos/{id}": Operation("Remove an upload", None, (403, 404), status=204),
    "GET /api/photos/{id}/thumbnail": Operation(
        "The original, longer side 256 px", ("image/jpeg",), (404, 422)
    ),
    "GET /api/photos/{id}/sidecar": Operation("What decides its colours, as a file", "Sidecar", (404, 422)),
    "PUT /api/photos/{id}/sidecar": Operation(
        "Change its colours; it is on the disk before the answer. With If-Match: a revision, 409 if that is not the "
        "present one",
        "Revision",
        (400, 404, 409, 413, 422),
        body="Sidecar",
    ),
    "GET /api/photos/{id}/tiles/{what}/{level}/{row}/{column}": Operation(
        "A tile: PNG with the pixels that would be saved (8 bits of them) at level 0, JPEG above",
        ("image/png", "image/jpeg"),
        (400, 404, 410, 422),
    ),
    "GET /api/photos/{id}/uncertainty": Operation(
        "How unsure the model is: probability that a colour is more than 10 ab units off, dark blue 0 to pale yellow 1",
        ("image/png",),
        (400, 404, 410, 422),
        _REVISION,
    ),
    "GET /api/photos/{id}/variants/{seed}": Operation(
        "Another possible colouring with these hints, longer side 384 px",
        ("image/jpeg",),
        (400, 404, 410, 422),
        _REVISION,
    ),
    "GET /api/photos/{id}/colors": Operation(
        "The likeliest colours of a place", "Colors", (400, 404, 410, 422), _XY | _REVISION | _AHEAD
    ),
    "GET /api/photos/{id}/gamut": Operation(
        "A pixel's lightness; with a revision, its colour too", "Pixel", (400, 404, 410, 422), _XY | _REVISION
    ),
    "GET /api/photos/{id}/next": Operation(
        "Where a hint would help most", "Points", (400, 404, 410, 422), _REVISION | _COUNT
    ),
    "POST /api/photos/{id}/carry": Operation(
        "Give other photographs these colours, as hints in their sidecars",
        "Carried",
        (400, 404, 413, 422),
        body="Carry",
    ),
    "POST /api/photos/{id}/save": Operation(
        "Save it at full resolution", "Saved", (400, 404, 409, 413), body="Save"
    ),
    "GET /api/photos/{id}/result": Operation(
        "The same file, saved first", ("image/*",), (400, 404, 409), {"format": (False, FORMAT)}
    ),
    "POST /api/references": Operation(
        "Give a photograph to take colours from", "Reference", (400, 413, 415), body=_BYTES, status=201
    ),
    "GET /api/references/{id}": Operation("It, longer side 1024 px at most", ("image/jpeg",), (404,)),
    "GET /openapi.json": Operation("This description", (_JSON,)),
}


def describe_api() -> Json:
    """The OpenAPI document."""
    paths: dict[str, Json] = {}
    for address, operation in OPERATIONS.items():
        method, path = address.split()
        paths.setdefault(path, {})[method.lower()] = _described(method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hybridvit studio", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": all_schemas()},
    }


def _described(method: str, path: str, operation: Operation) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS[name]}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": required, "schema": schema}
        for name, (required, schema) in operation.query.items()
    ]
    answer: Json = {"description": operation.summary}
    if operation.answer is not None:
        answer["content"] = _content(operation.answer)
    responses = {str(operation.status): answer}
    for status in operation.errors:
        responses[str(status)] = {"description": ERRORS[status], "content": _content("Error")}
    words = re.sub(r"s/\{id\}|\{\w+\}|\W", " ", path.removeprefix("/api")).split()  # photos/{id}: a photo
    described = {
        "operationId": "_".join([method.lower(), *words]) if words else f"{method.lower()}_info",
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
    }
    if method == "PUT":
        described["parameters"] = [*parameters, {"name": "If-Match", "in": "header", "schema": TEXT}]
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body != "Save", "content": _content(operation.body)}
    return described


def _content(what: str | tuple[str, ...]) -> Json:
    if isinstance(what, tuple):
        return {media: {} for media in what}
    return {_BYTES: {}} if what == _BYTES else {_JSON: {"schema": reference(what)}}
