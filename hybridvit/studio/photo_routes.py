"""Photographs: the list, uploads, opening, sidecars."""

import asyncio
import json
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import HintError
from hybridvit.hints.sidecar import LARGEST_FILE, parse_hints, to_json
from hybridvit.inference.photo import Photo
from hybridvit.inference.summary import explain
from hybridvit.studio import encoding, parameters
from hybridvit.studio.answers import as_json, tagged
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.entry import Entry, stamp_of
from hybridvit.studio.labels import attachment
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.pyramid import TILE, preview
from hybridvit.studio.receiving import receive
from hybridvit.studio.studio import Studio
from hybridvit.studio.tile_routes import begin_tiles
from hybridvit.studio.uploads import Upload

THUMBNAIL = 256  # px

logger = logging.getLogger(__name__)


async def list_photos(studio: Studio, request: Request) -> Response:
    """GET /api/photos."""
    return as_json({"photos": await studio.scan()})


async def add_photo(studio: Studio, request: Request) -> Response:
    """POST /api/photos."""
    upload = await studio.workers.run(
        "files", studio.library.uploads.begin, request.query_params.get("name", "")
    )
    try:
        await receive(request, studio.workers, upload.write)
        digest = await studio.workers.run("files", upload.finish)
        if studio.library.find(digest) is None:
            decoded = await _decode(studio, upload)
            entry = await studio.workers.run("files", studio.library.uploads.settle, upload, digest)
            studio.library.add(entry)
            await studio.take(entry, decoded)
    finally:
        await studio.workers.run("files", upload.discard)
    return as_json(_details(await studio.photo(digest)), 201)


async def get_photo(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}."""
    photo = await studio.photo(request.path_params["id"])
    if await studio.workers.run("files", lambda: photo.is_stale):
        studio.close(photo.entry.id)
        photo = await studio.photo(photo.entry.id)
    async with photo.changing:
        if await studio.workers.run("files", lambda: photo.file.changed):
            await studio.workers.run("files", photo.read_sidecar)
    return as_json(_details(photo))


async def delete_photo(studio: Studio, request: Request) -> Response:
    """DELETE /api/photos/{id}."""
    entry = await studio.entry(request.path_params["id"])
    if entry.source != "upload":
        raise HTTPException(
            403, f"{entry.name} is of your folder: the studio removes only what was uploaded to it"
        )
    studio.close(entry.id)
    await studio.workers.run("files", studio.library.remove, entry)
    return Response(status_code=204)


async def get_thumbnail(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/thumbnail."""
    entry = await studio.entry(request.path_params["id"])
    stamp = await studio.workers.run("files", stamp_of, entry.path)
    tag = "{:x}-{:x}".format(*stamp)
    headers, unchanged = tagged(request, tag)
    if unchanged:
        return unchanged
    key = entry.id, tag
    data = studio.previews.get(key)
    if data is None:
        data = await studio.flights.join(("thumbnail", *key), lambda: _thumbnail(studio, entry))
        studio.previews.put(key, data, len(data))
    return Response(data, headers=headers, media_type="image/jpeg")


async def get_sidecar(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/sidecar."""
    photo = await studio.photo(request.path_params["id"])
    text = json.dumps(to_json(photo.sidecar), indent=1, ensure_ascii=False) + "\n"
    name = photo.entry.name.rpartition("/")[2].rpartition(".")[0] or photo.entry.name
    headers = {"Cache-Control": "no-store", **attachment(f"{name}.hints.json")}
    return Response(text, headers=headers, media_type="application/json")


async def put_sidecar(studio: Studio, request: Request) -> Response:
    """PUT /api/photos/{id}/sidecar."""
    photo = await studio.photo(request.path_params["id"])
    expected = request.headers.get("if-match", "").strip().strip('"') or None
    text = await parameters.body(request, LARGEST_FILE)
    try:
        recipe, revision = await studio.workers.run("files", _recipe_of, text, photo)
    except ValueError as error:
        raise HTTPException(400, explain(error)) from None
    # Both at once; and whoever drags a hint is not answered faster than the colours come
    await asyncio.gather(
        studio.change(photo, recipe, revision, expected), _color(studio, photo, recipe, revision)
    )
    return as_json({"revision": revision})


def _recipe_of(text: bytes, photo: OpenPhoto) -> tuple[Recipe, str]:
    """And its revision."""
    sidecar = parse_hints(text)
    width, height = photo.grid.width, photo.grid.height
    if (sidecar.width, sidecar.height) != (width, height):
        raise HintError(
            "picture",
            f"the hints are for one of {sidecar.width} x {sidecar.height} px, but this has {width} x {height}",
        )
    if sidecar.sha256 not in (None, photo.sha256):
        raise HintError("picture.sha256", "the hints are for another picture of this size")
    photo.check_view(sidecar.recipe)
    return sidecar.recipe, photo.revision_of(sidecar.recipe)


async def _color(studio: Studio, photo: OpenPhoto, recipe: Recipe, revision: str) -> None:
    try:
        await studio.colored(photo, recipe, revision)
        begin_tiles(studio, photo, recipe, revision)
    except Exception:  # the hints are saved all the same; who asks for tiles is told
        logger.exception("%s cannot be coloured", photo.entry.name)


def _details(photo: OpenPhoto) -> dict[str, Any]:
    return {
        **photo.described(),
        "tile": TILE,
        "sidecar": to_json(photo.sidecar),
        "revision": photo.revision,
        "remarks": list(photo.remarks),
    }


async def _decode(studio: Studio, upload: Upload) -> Photo:
    try:
        return await studio.workers.run("opening", decode_photo, upload.path, PIXELS)
    except (ValueError, OSError, MemoryError) as error:
        raise HTTPException(415, f"{upload.label}: {explain(error, upload.path)}") from None


async def _thumbnail(studio: Studio, entry: Entry) -> bytes:
    photo = studio.photos.get(entry.id)

    def draw() -> bytes:
        pixels = (photo.levels or (photo.pixels,))[-1] if photo else decode_photo(entry.path, PIXELS).pixels
        return encoding.jpeg(preview(pixels, THUMBNAIL))

    try:
        return await studio.workers.run("previews", draw)
    except (ValueError, OSError, MemoryError) as error:
        raise HTTPException(422, f"{entry.name}: {explain(error, entry.path)}") from None
