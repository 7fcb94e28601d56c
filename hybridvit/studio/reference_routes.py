"""Reference photographs: colours to pick, and palettes. They are kept while the studio runs, the last used ones."""

import dataclasses
import hashlib
import pathlib
import tempfile
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.summary import explain
from hybridvit.inference.palette import palette_of
from hybridvit.photo.profile import to_depth
from hybridvit.studio import encoding
from hybridvit.studio.answers import as_json, tagged
from hybridvit.studio.decode import decode_photo
from hybridvit.studio.entry import ID_DIGITS
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.operation import BYTES, operation
from hybridvit.studio.pyramid import preview
from hybridvit.studio.receiving import receive
from hybridvit.studio.studio import Studio

LONGEST = 1024  # px


@operation(
    "POST /api/references",
    "Give a photograph to take colours from",
    "Reference",
    (400, 413, 415),
    body=BYTES,
    status=201,
)
async def add_reference(studio: Studio, request: Request) -> Response:
    """Its palette, and the address of its picture."""
    with tempfile.TemporaryDirectory(prefix="hybridvit-") as folder:
        path = pathlib.Path(folder, "reference")
        with path.open("xb") as file:
            await receive(request, studio.workers, file.write)
        try:
            described, data = await studio.workers.run("opening", _read, path)
        except (ValueError, OSError, MemoryError) as error:
            raise HTTPException(415, f"the reference: {explain(error, path)}") from None
    studio.previews.put(("reference", described["id"]), data, len(data))
    return as_json(described, 201)


@operation("GET /api/references/{id}", "It, longer side 1024 px at most", ("image/jpeg",), (404,))
async def get_reference(studio: Studio, request: Request) -> Response:
    """As long as it is kept."""
    reference = request.path_params["id"]
    data = studio.previews.get(("reference", reference))
    if data is None:
        raise HTTPException(404, "this reference is not known any more: give it again")
    headers, unchanged = tagged(request, reference)
    return unchanged or Response(data, headers=headers, media_type="image/jpeg")


def _read(path: pathlib.Path) -> tuple[dict[str, Any], bytes]:
    """Its description, and a preview as a JPEG."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:ID_DIGITS]
    pixels = decode_photo(path, PIXELS).pixels
    height, width, channels = pixels.shape
    if channels == 1:
        raise ValueError("a gray picture has no colours to take")
    palette = palette_of(to_depth(pixels, np.dtype(np.uint8)))
    described = {"id": digest, "width": width, "height": height}
    described["palette"] = [dataclasses.asdict(color) for color in palette]
    return described, encoding.jpeg(preview(pixels, LONGEST))
