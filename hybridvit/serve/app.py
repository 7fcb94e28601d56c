"""The service as an ASGI application: batches, health, metrics, and behind them the studio's API without its page."""

import functools
import pathlib
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from hybridvit.colorize.naming import FORMATS
from hybridvit.photo.photo import Photo
from hybridvit.serve.addresses import Allowed, fetch
from hybridvit.serve.archives import unpack
from hybridvit.serve.batches import Batch, Batches, FullError, Gather
from hybridvit.serve.layers import answer_layer
from hybridvit.serve.limits import BATCH_BYTES, PICTURES
from hybridvit.serve.metrics import Requests, metrics_text
from hybridvit.serve.schemas import QUERY, SCHEMAS, SETTINGS
from hybridvit.studio import app as studio_app
from hybridvit.studio.answers import WholeFile, as_json, failure, gone, refusal
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.openapi import describe_api
from hybridvit.studio.operation import BYTES, operation
from hybridvit.studio.parameters import json_object, number, one_of, whole
from hybridvit.studio.receiving import receive
from hybridvit.studio.workers import Workers

ZIP = "application/zip"


class Service:
    """What the operations work on."""

    def __init__(
        self,
        colorizer: Any,
        batches: Batches,
        allowed: Allowed,
        requests: Requests,
        decode: Callable[[pathlib.Path, int], Photo],
    ):
        self.colorizer, self.batches, self.allowed, self.requests = colorizer, batches, allowed, requests
        self.decode = decode
        self.workers = Workers()


@operation("GET /health", "Whether it works; asks for no token", "Health")
async def get_health(service: Service, request: Request) -> Response:
    """The model is loaded before anything is answered."""
    waiting = service.batches.waiting()
    return as_json({"status": "ok", "model": service.colorizer.name, "waiting": waiting})


@operation("GET /metrics", "For Prometheus", ("text/plain",))
async def get_metrics(service: Service, request: Request) -> Response:
    """Its text format."""
    text = metrics_text(service.batches, service.requests)
    return Response(text, media_type="text/plain; version=0.0.4")


@operation(
    "POST /api/batches",
    "Colour a zip of photographs, with their sidecars (photo.hints.json) if there are some",
    "Batch",
    (400, 413, 429),
    query=QUERY,
    body=ZIP,
    status=202,
)
async def add_batch(service: Service, request: Request) -> Response:
    """Taken, or refused before its bytes are read."""
    form, settings = _orders(request)
    _check_room(service)
    folder = service.batches.begin_folder()
    path = folder / "given.zip"

    def gather(into: pathlib.Path) -> tuple[list[pathlib.Path], dict[str, str]]:
        pictures = unpack(path, into)
        path.unlink()
        return pictures, {}

    try:
        with path.open("xb") as file:
            await receive(request, service.workers, file.write)
        with path.open("rb") as file:
            if file.read(4) not in (b"PK\3\4", b"PK\5\6"):
                raise HTTPException(400, "the body is no zip")
        return _add(service, folder, gather, form, settings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@operation(
    "POST /api/batches/urls",
    "Colour photographs from addresses, as of a IIIF image server, in places that the service allows",
    "Batch",
    (400, 403, 413, 429),
    query=QUERY,
    body="Urls",
    status=202,
)
async def add_urls(service: Service, request: Request) -> Response:
    """They are fetched when its turn comes."""
    form, settings = _orders(request)
    urls = (await json_object(request, ("urls",))).get("urls")
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise HTTPException(400, "urls: give a list of addresses")
    if len(urls) > PICTURES:
        raise HTTPException(400, f"urls: at most {PICTURES} are taken at once")
    for url in urls:
        try:
            service.allowed.check(url)
        except ValueError as error:
            raise HTTPException(403, str(error)) from None
    _check_room(service)

    def gather(into: pathlib.Path) -> tuple[list[pathlib.Path], dict[str, str]]:
        pictures, failed, left = [], {}, BATCH_BYTES
        for i, url in enumerate(urls, 1):
            try:
                pictures.append(fetch(url, service.allowed, into, i, left))
                left -= (into / pictures[-1]).stat().st_size
            except ValueError as error:
                failed[url] = str(error)
        return pictures, failed

    folder = service.batches.begin_folder()
    try:
        return _add(service, folder, gather, form, settings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@operation("GET /api/batches/{id}", "How a batch goes", "Batch", (404,))
async def get_batch(service: Service, request: Request) -> Response:
    """Ask again while it waits or runs."""
    batch = _batch(service, request)
    return as_json(_described(service, batch))


@operation("GET /api/batches/{id}/result", "The coloured photographs, a zip", (ZIP,), (404, 409))
async def get_batch_result(service: Service, request: Request) -> Response:
    """Of those that could be coloured."""
    batch = _batch(service, request)
    if batch.state != "done":
        raise HTTPException(409, batch.error or f"the batch is {batch.state}: ask again when it is done")
    return WholeFile(batch.result, media_type=ZIP, filename=f"{batch.id}.zip")


@operation("DELETE /api/batches/{id}", "Forget a batch and its results", None, (404, 409), status=204)
async def delete_batch(service: Service, request: Request) -> Response:
    """One that waits is not begun."""
    batch = _batch(service, request)
    if batch.state == "running":
        raise HTTPException(409, "the batch is running: delete it when it is done")
    await service.batches.remove(batch)
    return Response(status_code=204)


@operation(
    "POST /api/hints",
    "The sidecar of hints that were painted on a transparent layer, of a picture of the layer's size",
    "Sidecar",
    (400, 413, 415),
    body=BYTES,
)
async def read_layer(service: Service, request: Request) -> Response:
    """Each patch of one plain colour is a region of that colour: see `hints.layer`."""
    return await answer_layer(request, service.workers, service.decode)


@operation("GET /openapi.json", "This description", ("application/json",))
async def get_openapi(service: Service, request: Request) -> Response:
    """Of all operations, the studio's among them."""
    return as_json(describe_service())


OWN = (
    get_health,
    get_metrics,
    add_batch,
    add_urls,
    get_batch,
    get_batch_result,
    delete_batch,
    read_layer,
    get_openapi,
)


def describe_service() -> dict[str, Any]:
    """The OpenAPI document."""
    studio = tuple(one for one in studio_app.OPERATIONS if one.path != "/openapi.json")
    document = describe_api((*OWN, *studio))
    document["info"]["title"] = "hybridvit serve"
    document["components"]["schemas"] |= SCHEMAS
    return document


def create_app(
    colorizer: Any,
    *,
    data: pathlib.Path,
    allowed: Allowed,
    most_waiting: int,
    requests: Requests,
    decode: Callable[[pathlib.Path, int], Photo] = decode_photo,
) -> Starlette:
    """The application, open to all: see `studio.security`, `metrics.Requests`.

    Args:
      colorizer: what colours.
      data: folder of uploads and batches; the batches of an earlier start are removed.
      allowed: which addresses are fetched.
      most_waiting: batches in the queue.
      requests: of what /metrics tells.
      decode: opens a file safely.
    """
    batches = Batches(colorizer, data / "batches", most_waiting, decode)
    service = Service(colorizer, batches, allowed, requests, decode)
    by_address: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in OWN:
        by_address[one.path][one.method] = one.handler
    routes = [
        Route(address, functools.partial(_answer, service, methods), methods=list(methods))
        for address, methods in by_address.items()
    ]
    inner = studio_app.create_app(colorizer, folder=None, output=None, data=data, page=False)
    return Starlette(
        routes=[*routes, Mount("/", inner)],
        exception_handlers={HTTPException: refusal, ClientDisconnect: gone, Exception: failure},
    )


async def _answer(
    service: Service, methods: dict[str, Callable[..., Awaitable[Response]]], request: Request
) -> Response:
    return await methods["GET" if request.method == "HEAD" else request.method](service, request)


def _orders(request: Request) -> tuple[str | None, dict[str, Any]]:
    """Format and settings of the query."""
    query = request.query_params
    form = one_of("format", query["format"], FORMATS) if "format" in query else None
    settings: dict[str, Any] = {}
    for name, schema in SETTINGS.items():
        if name not in query:
            continue
        if schema["type"] == "string":
            settings[name] = one_of(name, query[name], tuple(schema["enum"]))
        elif schema["type"] == "integer":
            settings[name] = whole(name, query[name], schema["minimum"], schema["maximum"])
        else:
            settings[name] = number(request, name, 0, 11)
            if settings[name] > schema["maximum"]:
                raise HTTPException(400, f"{name}: at most {schema['maximum']}")
    return form, settings


def _check_room(service: Service) -> None:
    try:
        service.batches.check_room()
    except FullError as error:
        raise _full(error) from None


def _full(error: FullError) -> HTTPException:
    return HTTPException(429, str(error), {"Retry-After": str(error.seconds)})


def _add(
    service: Service, folder: pathlib.Path, gather: Gather, form: str | None, settings: dict[str, Any]
) -> Response:
    try:
        batch = service.batches.add(folder, gather, form, settings)
    except FullError as error:
        raise _full(error) from None
    return as_json(_described(service, batch), 202, {"Location": f"/api/batches/{batch.id}"})


def _batch(service: Service, request: Request) -> Batch:
    batch = service.batches.get(request.path_params["id"])
    if batch is None:
        raise HTTPException(404, "there is no such batch (any more)")
    return batch


def _described(service: Service, batch: Batch) -> dict[str, Any]:
    names = ("id", "state", "total", "coloured", "failed", "remarks", "error", "seconds")
    said = {name: getattr(batch, name) for name in names}
    return {**said, "before": service.batches.place(batch)}
