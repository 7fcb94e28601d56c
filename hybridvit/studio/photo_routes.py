"""Photographs: the list, uploads, opening, sidecars."""

import asyncio
import functools
import json
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.summary import explain
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import HintError
from hybridvit.hints.sidecar import LARGEST_FILE, parse_hints, to_json
from hybridvit.photo.photo import Photo
from hybridvit.studio import encoding, parameters
from hybridvit.studio.answers import FOREVER, as_json, tagged
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.entry import Entry, stamp_of
from hybridvit.studio.film_routes import DARK
from hybridvit.studio.labels import attachment
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.open_photo import OpenPhoto
from hybridvit.studio.openapi_schemas import OF_REVISION, TEXT
from hybridvit.studio.operation import BYTES, operation
from hybridvit.studio.pyramid import TILE, preview
from hybridvit.studio.receiving import receive
from hybridvit.studio.studio import Studio
from hybridvit.studio.tile_routes import begin_tiles, draw_first_tiles, paint_preview, photo_and_recipe
from hybridvit.studio.uploads import Upload

THUMBNAIL = 256  # px

logger = logging.getLogger(__name__)


@operation("GET /api/photos", "The folder's photographs, and the uploads, the newest last", "Photos")
async def list_photos(studio: Studio, request: Request) -> Response:
    """What there is now."""
    return as_json({"photos": await studio.scan()})


@operation(
    "POST /api/photos",
    "Upload a photograph; the same bytes are the same photograph",
    "Photo",
    (400, 413, 415),
    query={"name": (False, TEXT)},
    body=BYTES,
    status=201,
)
async def add_photo(studio: Studio, request: Request) -> Response:
    """Decoded before it is kept."""
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


@operation("GET /api/photos/{id}", "Open a photograph", "Photo", (404, 422))
async def get_photo(studio: Studio, request: Request) -> Response:
    """As its file and its sidecar are now."""
    photo = await studio.photo(request.path_params["id"])
    if await studio.workers.run("files", lambda: photo.is_stale):
        studio.close(photo.entry.id)
        photo = await studio.photo(photo.entry.id)
    async with photo.changing:
        if await studio.workers.run("files", lambda: photo.file.changed):
            await studio.workers.run("files", photo.read_sidecar)
    return as_json(_details(photo))


@operation("DELETE /api/photos/{id}", "Remove an upload", None, (403, 404), status=204)
async def delete_photo(studio: Studio, request: Request) -> Response:
    """With all that belongs to it."""
    entry = await studio.entry(request.path_params["id"])
    if entry.source != "upload":
        raise HTTPException(
            403, f"{entry.name} is of your folder: the studio removes only what was uploaded to it"
        )
    studio.close(entry.id)
    await studio.workers.run("files", studio.library.remove, entry)
    return Response(status_code=204)


@operation(
    "GET /api/photos/{id}/thumbnail",
    "Longer side 256 px; in a revision's colours, else in those that were asked for last, else the original",
    ("image/jpeg",),
    (400, 404, 409, 410, 422),
    query=OF_REVISION,
)
async def get_thumbnail(studio: Studio, request: Request) -> Response:
    """Without opening it, unless a revision is asked for."""
    if "revision" in request.query_params:
        photo, revision, recipe = await photo_and_recipe(studio, request)
        data = await paint_preview(studio, photo, recipe, revision, THUMBNAIL)
        await studio.workers.run("files", studio.library.marks.keep_thumbnail, photo.entry.id, data)
        return Response(data, headers=FOREVER, media_type="image/jpeg")
    entry = await studio.entry(request.path_params["id"])
    colored = await studio.workers.run("files", studio.library.marks.colored, entry.id)
    if colored:
        headers, unchanged = tagged(request, colored)
        path = studio.library.marks.thumbnail(entry.id)
        return unchanged or Response(
            await studio.workers.run("files", path.read_bytes), headers=headers, media_type="image/jpeg"
        )
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


@operation(
    "PUT /api/photos/{id}/approved", "Approve it, or not", "Approval", (400, 404, 413), body="Approval"
)
async def put_approved(studio: Studio, request: Request) -> Response:
    """For the user's own order: it changes nothing else."""
    entry = await studio.entry(request.path_params["id"])
    approved = (await parameters.json_object(request, ("approved",))).get("approved")
    if not isinstance(approved, bool):
        raise HTTPException(400, "approved: say true or false")
    await studio.workers.run(
        "files", functools.partial(studio.library.marks.change, entry.id, approved=approved)
    )
    return as_json({"approved": approved})


@operation("POST /api/photos/{id}/prepare", "Make ready to be shown at once", None, (404, 422), status=204)
async def prepare(studio: Studio, request: Request) -> Response:
    """What one sees of it first: its colours, and the tiles of the levels that a screen takes in."""
    photo = await studio.photo(request.path_params["id"])
    await draw_first_tiles(studio, photo, photo.recipe, photo.revision)
    return Response(status_code=204)


@operation("GET /api/photos/{id}/sidecar", "What decides its colours, as a file", "Sidecar", (404, 422))
async def get_sidecar(studio: Studio, request: Request) -> Response:
    """To be kept elsewhere."""
    photo = await studio.photo(request.path_params["id"])
    text = json.dumps(to_json(photo.sidecar), indent=1, ensure_ascii=False) + "\n"
    name = photo.entry.sidecar.name
    if photo.entry.source == "upload":  # whose file is not called as it was
        name = f"{photo.entry.name.rpartition('/')[2].rpartition('.')[0] or photo.entry.name}.hints.json"
    elif photo.entry.is_film:  # a frame's own
        name = f"{photo.entry.name.rpartition('/')[2].replace(':', '.')}.hints.json"
    headers = {"Cache-Control": "no-store", **attachment(name)}
    return Response(text, headers=headers, media_type="application/json")


@operation(
    "PUT /api/photos/{id}/sidecar",
    "Change its colours; it is on the disk before the answer. With If-Match: a revision, 409 if that is not the "
    "present one",
    "Revision",
    (400, 404, 409, 413, 422),
    body="Sidecar",
)
async def put_sidecar(studio: Studio, request: Request) -> Response:
    """And begins to colour it."""
    photo = await studio.photo(request.path_params["id"])
    expected = request.headers.get("if-match", "").strip().strip('"') or None
    text = await parameters.body(request, LARGEST_FILE)
    try:
        recipe, revision = await studio.workers.run("files", _recipe_of, text, photo)
    except ValueError as error:
        raise HTTPException(400, explain(error)) from None
    studio.end_ahead(revision)
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
    photo.check(sidecar.recipe)
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
    if entry.is_film:
        at = entry.at if entry.at is not None else (await studio.films.about(entry)).length // DARK
        return await studio.films.picture(entry, (await studio.films.frames(entry, [at]))[0])
    photo = studio.photos.get(entry.id)

    def draw() -> bytes:
        pixels = (photo.levels or (photo.pixels,))[-1] if photo else decode_photo(entry.path, PIXELS).pixels
        return encoding.jpeg(preview(pixels, THUMBNAIL))

    try:
        return await studio.workers.run("previews", draw)
    except (ValueError, OSError, MemoryError) as error:
        raise HTTPException(422, f"{entry.name}: {explain(error, entry.path)}") from None
