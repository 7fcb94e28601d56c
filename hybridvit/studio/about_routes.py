"""What a page, or a script, must know of the studio first."""

import dataclasses
import importlib.util
import pathlib

from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.naming import FORMATS
from hybridvit.hints.settings import Settings
from hybridvit.studio.answers import as_json
from hybridvit.studio.limits import BYTES, PIXELS
from hybridvit.studio.operation import operation
from hybridvit.studio.studio import Studio
from hybridvit.version import VERSION


@operation("GET /api/", "About this studio", "Info")
async def get_info(studio: Studio, request: Request) -> Response:
    """Its model, its folders, what it takes."""
    library, colorizer, first = studio.library, studio.colorizer, studio.first
    output = library.output or (library.folder and library.folder.root)
    about = {
        "name": "hybridvit studio",
        "version": VERSION,
        "model": {"name": colorizer.name, "sha256": colorizer.digest},
        "folder": library.folder and library.folder.root.name,
        "first": await studio.workers.run("files", library.find_path, first) if first else None,
        "limits": {"bytes": BYTES, "pixels": PIXELS},
        "formats": [one for one in FORMATS if one != "heic" or importlib.util.find_spec("pillow_heif")],
        "settings": dataclasses.asdict(Settings()),
        "output": output and str(output),
        "films": await studio.workers.run("files", library.films_missing),
        "home": str(pathlib.Path.home()),
    }
    return as_json(about)
