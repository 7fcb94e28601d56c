"""The studio as an ASGI application: its addresses, and what answers there.

It listens to nobody by itself and lets everybody in: `server` runs it, behind `security`'s gate.
"""

import functools
import pathlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from hybridvit.inference.colorizer import Colorizer
from hybridvit.studio import (
    about_routes,
    advice_routes,
    film_routes,
    photo_routes,
    reach_routes,
    reference_routes,
    review_routes,
    saving_routes,
    tile_routes,
)
from hybridvit.studio.answers import as_json, failure, gone, refusal
from hybridvit.studio.folder import Folder
from hybridvit.studio.library import Library
from hybridvit.studio.openapi import describe_api
from hybridvit.studio.operation import Handler, operation
from hybridvit.studio.static_files import PageFiles
from hybridvit.studio.studio import Studio
from hybridvit.studio.uploads import Uploads


def create_app(
    colorizer: Colorizer,
    *,
    folder: pathlib.Path | None,
    output: pathlib.Path | None,
    data: pathlib.Path,
    first: pathlib.Path | None = None,
    page: bool = True,
    weights: str = "pretrained",
) -> Starlette:
    """The application.

    Args:
      colorizer: what colours.
      folder: whose photographs are listed; None: uploads only.
      output: folder of all results; None: beside the photographs, and in `data`.
      data: folder of the uploads, and of what the folder does not take; made when needed.
      first: the photograph of the folder to begin with.
      page: also the page; without it only the API.
      weights: the colorizer's, as a command names them.
    """
    listed = Folder(folder, output, data) if folder else None
    studio = Studio(colorizer, Library(listed, Uploads(data), output), first, weights)
    # Each takes its own kind of error
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        HTTPException: refusal,
        ClientDisconnect: gone,
        Exception: failure,
    }
    files = [Mount("/", PageFiles())] if page else []
    return Starlette(routes=[*_routes(studio), *files], exception_handlers=handlers)


@operation("GET /openapi.json", "This description", ("application/json",))
async def get_openapi(studio: Studio, request: Request) -> Response:
    """Of all operations."""
    return as_json(describe_api(OPERATIONS))


OPERATIONS = (
    about_routes.get_info,
    photo_routes.list_photos,
    photo_routes.add_photo,
    photo_routes.get_photo,
    photo_routes.delete_photo,
    photo_routes.get_thumbnail,
    photo_routes.put_approved,
    photo_routes.prepare,
    photo_routes.get_sidecar,
    photo_routes.put_sidecar,
    tile_routes.get_tile,
    tile_routes.get_uncertainty,
    tile_routes.get_preview,
    tile_routes.get_variant,
    advice_routes.get_colors,
    advice_routes.get_gamut,
    advice_routes.get_next,
    advice_routes.preview_carry_over,
    advice_routes.carry,
    reach_routes.post_reach,
    film_routes.get_film,
    film_routes.get_cells,
    film_routes.get_cuts,
    film_routes.get_shot,
    film_routes.get_film_picture,
    film_routes.get_spread,
    saving_routes.save_photo,
    saving_routes.get_result,
    saving_routes.post_folder,
    reference_routes.add_reference,
    reference_routes.get_reference,
    review_routes.get_queue,
    review_routes.get_picture,
    review_routes.put_review,
    review_routes.export_accepted,
    get_openapi,
)


def _routes(studio: Studio) -> list[Route]:
    by_address: dict[str, dict[str, Handler]] = defaultdict(dict)
    for one in OPERATIONS:
        by_address[one.path][one.method] = one.handler
    return [
        Route(address, functools.partial(_answer, studio, methods), methods=list(methods))
        for address, methods in by_address.items()
    ]


async def _answer(studio: Studio, methods: Mapping[str, Handler], request: Request) -> Response:
    return await methods["GET" if request.method == "HEAD" else request.method](studio, request)
