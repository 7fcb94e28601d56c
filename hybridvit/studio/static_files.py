"""The page's files: no build step, the types of our own table, asked for anew whether they are still the same."""

import os
import pathlib

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = pathlib.Path(__file__).parent / "static"
TYPES = {  # systems differ in theirs, and a browser runs no module of another type
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


class PageFiles(StaticFiles):
    """The files of a folder; `index.html` at its root."""

    def __init__(self, folder: pathlib.Path = STATIC):
        super().__init__(directory=folder, html=True)

    def file_response(
        self, full_path: os.PathLike | str, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """With ETag, and the type by the suffix."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        known = TYPES.get(pathlib.Path(full_path).suffix)
        if known and "content-type" in response.headers:
            response.headers["content-type"] = known
        return response
