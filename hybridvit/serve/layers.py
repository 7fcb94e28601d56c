"""Hints that were painted on a transparent layer in another program, as the sidecar that everything else reads."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hybridvit.colorize.summary import explain
from hybridvit.hints.layer import hints_of_layer
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.sidecar import Sidecar, to_json
from hybridvit.photo.photo import Photo
from hybridvit.photo.profile import to_depth
from hybridvit.studio.answers import as_json
from hybridvit.studio.limits import PIXELS
from hybridvit.studio.receiving import receive
from hybridvit.studio.workers import Workers


async def answer_layer(
    request: Request, workers: Workers, decode: Callable[[pathlib.Path, int], Photo]
) -> Response:
    """The request's body is the layer; 415 where it is no picture, opaque all over, or painted in too many colours."""
    with tempfile.TemporaryDirectory(prefix="hybridvit-") as folder:
        path = pathlib.Path(folder, "layer")
        with path.open("xb") as file:
            await receive(request, workers, file.write)
        try:
            return as_json(await workers.run("opening", _sidecar_of, path, decode))
        except (ValueError, OSError, MemoryError) as error:
            raise HTTPException(415, f"the layer: {explain(error, path)}") from None


def _sidecar_of(path: pathlib.Path, decode: Callable[[pathlib.Path, int], Photo]) -> dict[str, Any]:
    photo = decode(path, PIXELS)
    if photo.alpha is None:
        raise ValueError("it has no transparency: save the painted layer alone, as a PNG")
    rgb = np.broadcast_to(to_depth(photo.pixels, np.dtype(np.uint8)), (*photo.alpha.shape, 3))
    opaque = photo.alpha / np.iinfo(photo.alpha.dtype).max
    hints = hints_of_layer(rgb, opaque, "painted on a layer")
    height, width = opaque.shape
    return to_json(Sidecar(width, height, recipe=Recipe(tuple(hints))))
