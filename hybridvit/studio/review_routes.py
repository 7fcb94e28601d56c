"""The review of results: the queue, a picture of each, and what a person says of it."""

import dataclasses

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.summary import explain
from hybridvit.hints.review import STATES, review_now
from hybridvit.hints.shapes import HintError
from hybridvit.hints.sidecar import Sidecar
from hybridvit.review.write import export_result
from hybridvit.studio import encoding
from hybridvit.studio.answers import FOREVER, as_json, tagged
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.entry import stamp_of
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.openapi_schemas import TEXT
from hybridvit.studio.operation import operation
from hybridvit.studio.parameters import json_object, one_of
from hybridvit.studio.pyramid import preview
from hybridvit.studio.review_list import revision_of
from hybridvit.studio.saving_routes import asked_folder
from hybridvit.studio.studio import Studio

SIZES = {"small": 256, "large": 1280}  # px, the longer side
_CHANGED = "this photograph was reviewed by somebody else meanwhile: look again"


@operation("GET /api/review", "The folder's photographs, those first that need a person most", "Queue")
async def get_queue(studio: Studio, request: Request) -> Response:
    """What there is now."""
    return as_json({"photos": await studio.workers.run("files", studio.reviews.listed)})


@operation(
    "GET /api/photos/{id}/review/picture",
    "The result as it lies on the disk, or the original, reduced",
    ("image/jpeg",),
    (400, 404, 422),
    query={"of": (False, TEXT), "size": (False, TEXT), "tag": (False, TEXT)},
)
async def get_picture(studio: Studio, request: Request) -> Response:
    """Kept in memory, and by the browser."""
    entry = await studio.entry(request.path_params["id"])
    which = one_of("of", request.query_params.get("of", "result"), ("result", "original"))
    longest = SIZES[one_of("size", request.query_params.get("size", "large"), tuple(SIZES))]
    path = entry.path
    if which == "result":
        path = await studio.workers.run("files", studio.reviews.result_of, entry)
        if path is None:
            raise HTTPException(404, f"{entry.name}: it has no result yet")
    tag = "{:x}-{:x}".format(*stamp_of(path))
    headers, unchanged = tagged(request, f"{tag}-{longest}")
    if unchanged:
        return unchanged
    if which == "result" and request.query_params.get("tag") == tag:
        headers = FOREVER
    key = entry.id, f"review {which} {longest} {tag}"
    data = studio.previews.get(key)
    if data is None:

        def picture() -> bytes:
            kept = studio.small_pictures.read(entry, which, tag) if longest == SIZES["small"] else None
            if kept:
                return kept
            made = encoding.jpeg(preview(decode_photo(path, PIXELS).pixels, longest))
            if longest == SIZES["small"]:
                studio.small_pictures.keep(entry, which, tag, made)
            return made

        try:
            data = await studio.flights.join(
                ("review", *key), lambda: studio.workers.run("previews", picture)
            )
        except (ValueError, OSError, MemoryError) as error:
            raise HTTPException(422, f"{entry.name}: {explain(error, path)}") from None
        studio.previews.put(key, data, len(data))
    return Response(data, headers=headers, media_type="image/jpeg")


@operation(
    "PUT /api/photos/{id}/review",
    "Say what is to become of it; in its sidecar before the answer. With If-Match: a revision of the review, 409 if "
    "that is not the present one",
    "Verdict",
    (400, 404, 409, 413, 422),
    body="Review",
)
async def put_review(studio: Studio, request: Request) -> Response:
    """Who comes second has to look again."""
    said = await json_object(request, ("state", "by"))
    expected = request.headers.get("if-match", "").strip().strip('"') or None
    try:
        review = review_now(one_of("state", said.get("state"), STATES), said.get("by", ""))
    except HintError as error:
        raise HTTPException(400, str(error)) from None
    photo = await studio.photo(request.path_params["id"])
    if photo.entry.is_film:
        raise HTTPException(409, f"{photo.entry.name}: films are not reviewed here")

    def write() -> Sidecar | None:
        if photo.file.changed:  # its hints, by somebody else
            photo.read_sidecar()
        now = photo.file.read()
        if expected not in (None, revision_of(now)):
            return None
        sidecar = dataclasses.replace(now or photo.sidecar, review=review)
        photo.file.write(sidecar)
        return sidecar

    async with photo.changing:
        written = await studio.workers.run("files", write)
    if written is None:
        raise HTTPException(409, _CHANGED)
    return as_json({**dataclasses.asdict(review), "revision": revision_of(written)})


@operation(
    "POST /api/photos/{id}/review/export",
    "Copy its accepted result into a folder below the user's home",
    "Exported",
    (400, 403, 404, 409, 413),
    body="Folder",
)
async def export_accepted(studio: Studio, request: Request) -> Response:
    """What is there already stays, so that an export that was interrupted goes on."""
    entry = await studio.entry(request.path_params["id"])
    folder = await asked_folder(studio, (await json_object(request, ("folder",))).get("folder"))
    one = await studio.workers.run("files", studio.reviews.of, entry)
    if one.state != "accepted" or one.result is None:
        raise HTTPException(409, f"{entry.name}: it has no result that is accepted")
    try:
        path, copied = await studio.workers.run("saving", export_result, one, folder)
    except OSError as error:
        raise HTTPException(409 if isinstance(error, FileExistsError) else 403, explain(error)) from None
    return as_json({"file": str(path), "copied": copied})
