"""Full-resolution files."""

import contextlib
import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.naming import FORMATS, KEPT
from hybridvit.studio.answers import WholeFile, as_json
from hybridvit.studio.elsewhere import folder_below_home
from hybridvit.studio.entry import Entry
from hybridvit.studio.labels import attachment
from hybridvit.studio.openapi_schemas import FORMAT
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import json_object, one_of
from hybridvit.studio.saving import PLACES, NotWritableError, is_writable, save, take
from hybridvit.studio.studio import Studio

Result = TypeVar("Result")


@operation(
    "POST /api/photos/{id}/save",
    "Save it at full resolution",
    "Saved",
    (400, 403, 404, 409, 413),
    body="Save",
)
async def save_photo(studio: Studio, request: Request) -> Response:
    """As `hybridvit colorize` does."""
    wanted = await json_object(request, ("format", "place", "folder"))
    entry = await studio.entry(request.path_params["id"])
    another = await asked_folder(studio, wanted["folder"]) if wanted.get("folder") is not None else None
    place = wanted.get("place", "folder")
    one_of("place", place, PLACES)
    saved = await _done(studio, entry, wanted.get("format"), save, place, another)
    answer = {
        "file": str(saved.path),
        "sidecar": saved.sidecar and str(saved.sidecar),
        "seconds": saved.seconds,
    }
    return as_json(answer)


@operation(
    "POST /api/folder",
    "Whether results can go to a folder below the user's home, which is made when the first one does",
    "Folder",
    (400, 403, 413),
    body="Folder",
)
async def post_folder(studio: Studio, request: Request) -> Response:
    """Asked before many photographs are saved there."""
    folder = await asked_folder(studio, (await json_object(request, ("folder",))).get("folder"))
    if not await studio.workers.run("files", is_writable, folder):
        raise HTTPException(403, f"{folder} cannot be written: choose another folder")
    return as_json({"folder": str(folder)})


async def asked_folder(studio: Studio, given: Any) -> pathlib.Path:
    """The folder below the user's home that a request names; 400 if it is none."""
    try:
        return await studio.workers.run("files", folder_below_home, given)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None


@operation(
    "GET /api/photos/{id}/result",
    "The same file, made without writing into the folder of the results",
    ("image/*",),
    (400, 403, 404, 409),
    query={"format": (False, FORMAT)},
)
async def get_result(studio: Studio, request: Request) -> Response:
    """To be downloaded."""
    entry = await studio.entry(request.path_params["id"])
    file_format = request.query_params.get("format")
    path = await _done(studio, entry, file_format, take)
    label = entry.name.rpartition("/")[2]
    stem = label.rpartition(".")[0] or label
    headers = {"Cache-Control": "no-store", **attachment(f"{stem}-colorized{path.suffix}")}
    media = f"image/{KEPT[path.suffix.lower()]}"
    return WholeFile(path, headers=headers, media_type=media, background=BackgroundTask(_remove, path))


def _remove(path: pathlib.Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
    with contextlib.suppress(OSError):  # another download is in it
        path.parent.parent.rmdir()


async def _done(
    studio: Studio, entry: Entry, file_format: str | None, work: Callable[..., Result], *more: Any
) -> Result:
    """What `save` or `take` makes; what is wrong with it is the request's error."""
    if entry.is_film:
        raise HTTPException(409, f"{entry.name}: a coloured film is made by hybridvit film")
    if file_format is not None:
        one_of("format", file_format, FORMATS)
    try:
        return await studio.workers.run(
            "saving", work, studio.colorizer, studio.library, entry, file_format, *more
        )
    except NotWritableError as error:
        raise HTTPException(403, f"{entry.name}: {error}") from None
    except ValueError as error:
        raise HTTPException(409, f"{entry.name}: {error}") from None
