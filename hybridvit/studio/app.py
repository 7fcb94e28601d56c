"""The studio as an ASGI application: its addresses, and what answers there.

It listens to nobody by itself and lets everybody in: `server` runs it, behind `security`'s gate.
"""

import dataclasses
import functools
import importlib.util
import pathlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from hybridvit.hints.settings import Settings
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.naming import FORMATS
from hybridvit.studio import advice_routes, photo_routes, reference_routes, saving_routes, tile_routes
from hybridvit.studio.answers import as_json, failure, gone, refusal
from hybridvit.studio.folder import Folder
from hybridvit.studio.library import Library
from hybridvit.studio.limits import BYTES, PIXELS
from hybridvit.studio.openapi import describe_api
from hybridvit.studio.static_files import PageFiles
from hybridvit.studio.studio import Studio
from hybridvit.studio.uploads import Uploads
from hybridvit.version import VERSION

Handler = Callable[[Studio, Request], Awaitable[Response]]


def create_app(
    colorizer: Colorizer,
    *,
    folder: pathlib.Path | None,
    output: pathlib.Path | None,
    data: pathlib.Path,
    first: pathlib.Path | None = None,
) -> Starlette:
    """The application.

    Args:
      colorizer: what colours.
      folder: whose photographs are listed; None: uploads only.
      output: folder of all results; None: beside the photographs, and in `data`.
      data: folder of the uploads, and of what the folder does not take; made when needed.
      first: the photograph of the folder to begin with.
    """
    listed = Folder(folder, output, data) if folder else None
    studio = Studio(colorizer, Library(listed, Uploads(data), output))

    async def get_info(studio: Studio, request: Request) -> Response:
        """GET /api/."""
        library = studio.library
        about = {
            "name": "hybridvit studio",
            "version": VERSION,
            "model": {"name": colorizer.name, "sha256": colorizer.digest},
            "folder": library.folder and library.folder.root.name,
            "first": await studio.workers.run("files", library.find_path, first) if first else None,
            "limits": {"bytes": BYTES, "pixels": PIXELS},
            "formats": [one for one in FORMATS if one != "heic" or importlib.util.find_spec("pillow_heif")],
            "settings": dataclasses.asdict(Settings()),
            "output": (output or library.folder) and str(output or library.folder.root),
        }
        return as_json(about)

    async def get_openapi(studio: Studio, request: Request) -> Response:
        """GET /openapi.json."""
        return as_json(describe_api())

    handlers = {("GET", "/api/"): get_info, ("GET", "/openapi.json"): get_openapi, **HANDLERS}
    return Starlette(
        routes=[*_routes(studio, handlers), Mount("/", PageFiles())],
        exception_handlers={HTTPException: refusal, ClientDisconnect: gone, Exception: failure},
    )


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("GET", "/api/photos"): photo_routes.list_photos,
    ("POST", "/api/photos"): photo_routes.add_photo,
    ("GET", "/api/photos/{id}"): photo_routes.get_photo,
    ("DELETE", "/api/photos/{id}"): photo_routes.delete_photo,
    ("GET", "/api/photos/{id}/thumbnail"): photo_routes.get_thumbnail,
    ("GET", "/api/photos/{id}/sidecar"): photo_routes.get_sidecar,
    ("PUT", "/api/photos/{id}/sidecar"): photo_routes.put_sidecar,
    ("GET", "/api/photos/{id}/tiles/{what}/{level}/{row}/{column}"): tile_routes.get_tile,
    ("GET", "/api/photos/{id}/uncertainty"): tile_routes.get_uncertainty,
    ("GET", "/api/photos/{id}/variants/{seed}"): tile_routes.get_variant,
    ("GET", "/api/photos/{id}/colors"): advice_routes.get_colors,
    ("GET", "/api/photos/{id}/gamut"): advice_routes.get_gamut,
    ("GET", "/api/photos/{id}/next"): advice_routes.get_next,
    ("POST", "/api/photos/{id}/carry"): advice_routes.carry,
    ("POST", "/api/photos/{id}/save"): saving_routes.save_photo,
    ("GET", "/api/photos/{id}/result"): saving_routes.get_result,
    ("POST", "/api/references"): reference_routes.add_reference,
    ("GET", "/api/references/{id}"): reference_routes.get_reference,
}


def _routes(studio: Studio, handlers: Mapping[tuple[str, str], Handler]) -> list[Route]:
    by_address: dict[str, dict[str, Handler]] = defaultdict(dict)
    for (method, address), handler in handlers.items():
        by_address[address][method] = handler
    return [
        Route(address, functools.partial(_answer, studio, methods), methods=list(methods))
        for address, methods in by_address.items()
    ]


async def _answer(studio: Studio, methods: Mapping[str, Handler], request: Request) -> Response:
    return await methods["GET" if request.method == "HEAD" else request.method](studio, request)
