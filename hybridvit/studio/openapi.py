"""The HTTP API in the words of OpenAPI 3.1, for scripts and for those who write them."""

import re
from collections.abc import Iterable

from hybridvit.hints.settings import LARGEST_SEED
from hybridvit.studio.openapi_schemas import REVISION, TEXT, WHOLE, Json, all_schemas, reference
from hybridvit.studio.operation import Operation
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
    403: "of the folder, or the folder cannot be written; it says which",
    404: "there is no such thing",
    409: "something else stands against it; it says what",
    410: "the revision is not known any more: put the sidecar again",
    413: "too large",
    415: "not a picture, damaged, or of too many pixels",
    429: "too much at once: Retry-After says when to come again",
    422: "the photograph cannot be opened",
}
_PATH_SCHEMAS = {
    "id": TEXT,
    "what": {"description": '"original", or a revision', "anyOf": [{"const": "original"}, REVISION]},
    "seed": {"type": "integer", "minimum": 0, "maximum": LARGEST_SEED},
} | dict.fromkeys(("level", "row", "column"), WHOLE)
_JSON = "application/json"
_BYTES = {"type": "string", "format": "binary"}  # 3.1 needs no schema; what generates clients does
_SCHEMAS = {_JSON: {"type": "object"}, "text/plain": TEXT}


def describe_api(operations: Iterable[Operation]) -> Json:
    """The OpenAPI document."""
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hybridvit studio", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": all_schemas()},
    }


def _described(operation: Operation) -> Json:
    method, path = operation.method, operation.path
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
    words = re.sub(
        r"(?<=ch)es/\{id\}|s/\{id\}|\{\w+\}|\W", " ", path.removeprefix("/api")
    ).split()  # photos/{id}: a photo
    described = {
        "operationId": "_".join([method.lower(), *words]) if words else f"{method.lower()}_info",
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses,
    }
    if operation.body in ("Sidecar", "Review"):
        described["parameters"] = [*parameters, {"name": "If-Match", "in": "header", "schema": TEXT}]
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body != "Save", "content": _content(operation.body)}
    return described


def _content(what: str | tuple[str, ...]) -> Json:
    if isinstance(what, tuple):
        return {media: {"schema": _SCHEMAS.get(media, _BYTES)} for media in what}
    return {what: {"schema": _BYTES}} if "/" in what else {_JSON: {"schema": reference(what)}}
