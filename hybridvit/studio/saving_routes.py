"""Full-resolution files."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.inference.naming import FORMATS, KEPT
from hybridvit.studio.answers import WholeFile, as_json
from hybridvit.studio.entry import Entry
from hybridvit.studio.labels import attachment
from hybridvit.studio.parameters import json_object, one_of
from hybridvit.studio.saving import Saved, save
from hybridvit.studio.studio import Studio


async def save_photo(studio: Studio, request: Request) -> Response:
    """POST /api/photos/{id}/save."""
    file_format = (await json_object(request, ("format",))).get("format")
    entry = await studio.entry(request.path_params["id"])
    saved = await _save(studio, entry, file_format)
    answer = {
        "file": str(saved.path),
        "sidecar": saved.sidecar and str(saved.sidecar),
        "seconds": saved.seconds,
    }
    return as_json(answer)


async def get_result(studio: Studio, request: Request) -> Response:
    """GET /api/photos/{id}/result."""
    entry = await studio.entry(request.path_params["id"])
    saved = await _save(studio, entry, request.query_params.get("format"))
    label = entry.name.rpartition("/")[2]
    stem = label.rpartition(".")[0] or label
    headers = {"Cache-Control": "no-store", **attachment(f"{stem}-colorized{saved.path.suffix}")}
    return WholeFile(saved.path, headers=headers, media_type=f"image/{KEPT[saved.path.suffix.lower()]}")


async def _save(studio: Studio, entry: Entry, file_format: str | None) -> Saved:
    if file_format is not None:
        one_of("format", file_format, FORMATS)
    try:
        return await studio.workers.run("saving", save, studio.colorizer, studio.library, entry, file_format)
    except ValueError as error:
        raise HTTPException(409, f"{entry.name}: {error}") from None
